-- Plein as an OpenID Provider: its signing keys, the clients that sign people in, and what was granted to them. Secrets,
-- codes and refresh tokens are hashes here; private keys are encrypted with a key that is not in the database.

-- A key is next, current or retired by the clock alone, so that every process agrees without being told.
CREATE TABLE platform.signing_key (
    id               text PRIMARY KEY,
    algorithm        text NOT NULL CHECK (algorithm IN ('RS256', 'ES256')),
    sealed           text NOT NULL,
    created_at       timestamptz NOT NULL,
    signs_from       timestamptz NOT NULL,
    signs_until      timestamptz,
    published_until  timestamptz
);

-- An app or service that signs people in here. Without a tenant it is the platform's; with one, that site's and no other's.
CREATE TABLE platform.client (
    id                     uuid PRIMARY KEY,
    tenant_id              uuid REFERENCES platform.tenant ON DELETE CASCADE,
    account_id             uuid NOT NULL REFERENCES platform.account ON DELETE CASCADE,
    name                   text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    home_uri               text,
    policy_uri             text,
    authentication         text NOT NULL CHECK (authentication IN ('NONE', 'SECRET', 'PRIVATE_KEY')),
    secret_hash            bytea,
    earlier_secret_hash    bytea,
    earlier_secret_until   timestamptz,
    jwks                   text,
    grant_types            text[] NOT NULL,
    scopes                 text[] NOT NULL,
    redirect_uris          text[] NOT NULL,
    logout_redirect_uris   text[] NOT NULL,
    logout_uri             text,
    origins                text[] NOT NULL,
    subject_type           text NOT NULL CHECK (subject_type IN ('PAIRWISE', 'PUBLIC')),
    subject_salt           bytea NOT NULL,
    id_token_algorithm     text NOT NULL CHECK (id_token_algorithm IN ('RS256', 'ES256')),
    trusted_at             timestamptz,
    version                integer NOT NULL DEFAULT 1,
    created_at             timestamptz NOT NULL,
    updated_at             timestamptz NOT NULL,
    CHECK ((authentication = 'SECRET') = (secret_hash IS NOT NULL)),
    CHECK ((authentication = 'PRIVATE_KEY') = (jwks IS NOT NULL))
);
CREATE INDEX client_by_tenant ON platform.client (tenant_id, id);
CREATE INDEX client_by_account ON platform.client (account_id);

-- What a person agreed to let a client do, until they take it back: `read@<site>` for one site, `read@*` for all.
CREATE TABLE platform.consent (
    id           uuid PRIMARY KEY,
    account_id   uuid NOT NULL REFERENCES platform.account ON DELETE CASCADE,
    client_id    uuid NOT NULL REFERENCES platform.client ON DELETE CASCADE,
    permissions  text[] NOT NULL,
    created_at   timestamptz NOT NULL,
    updated_at   timestamptz NOT NULL
);
CREATE UNIQUE INDEX consent_of ON platform.consent (account_id, client_id);
CREATE INDEX consent_by_client ON platform.consent (client_id);

-- One sign-in of one person at one client (or a client's own sign-in): every code, refresh token and access token that
-- comes of it hangs on this row and dies with it. `tenant_ids` is null for all sites. When the session ends, its reference
-- goes: what is left of it is `sid`, the client's name for it, to tell the client that it is over (`told_at`).
CREATE TABLE platform.client_grant (
    id            uuid PRIMARY KEY,
    client_id     uuid NOT NULL REFERENCES platform.client ON DELETE CASCADE,
    account_id    uuid NOT NULL REFERENCES platform.account ON DELETE CASCADE,
    session_id    uuid REFERENCES platform.session ON DELETE SET NULL,
    sid           text,
    is_own        boolean NOT NULL,
    scopes        text[] NOT NULL,
    tenant_ids    uuid[],
    asked_claims  text,
    nonce         text,
    signed_in_at  timestamptz,
    acr           text,
    amr           text[] NOT NULL,
    created_at    timestamptz NOT NULL,
    expires_at    timestamptz NOT NULL,
    ended_at      timestamptz,
    told_at       timestamptz
);
CREATE INDEX client_grant_by_client ON platform.client_grant (client_id);
CREATE INDEX client_grant_by_account ON platform.client_grant (account_id);
CREATE INDEX client_grant_by_session ON platform.client_grant (session_id) WHERE session_id IS NOT NULL;
CREATE INDEX client_grant_to_tell ON platform.client_grant (id) WHERE session_id IS NULL AND sid IS NOT NULL AND told_at IS NULL;
CREATE INDEX client_grant_by_end ON platform.client_grant (expires_at);

CREATE TABLE platform.authorization_code (
    hash          bytea PRIMARY KEY,
    grant_id      uuid NOT NULL REFERENCES platform.client_grant ON DELETE CASCADE,
    client_id     uuid NOT NULL,
    redirect_uri  text NOT NULL,
    challenge     text NOT NULL,
    expires_at    timestamptz NOT NULL,
    used_at       timestamptz
);
CREATE INDEX authorization_code_by_grant ON platform.authorization_code (grant_id);

CREATE TABLE platform.refresh_token (
    hash        bytea PRIMARY KEY,
    grant_id    uuid NOT NULL REFERENCES platform.client_grant ON DELETE CASCADE,
    created_at  timestamptz NOT NULL,
    expires_at  timestamptz NOT NULL,
    used_at     timestamptz
);
CREATE INDEX refresh_token_by_grant ON platform.refresh_token (grant_id);

-- The `jti` of assertions that clients signed, so that none is taken twice.
CREATE TABLE platform.used_assertion (
    client_id   uuid NOT NULL,
    hash        bytea NOT NULL,
    expires_at  timestamptz NOT NULL,
    PRIMARY KEY (client_id, hash)
);
CREATE INDEX used_assertion_by_end ON platform.used_assertion (expires_at);

-- Back-channel logout: what a client is still to be told, until it has heard it or the time for it is over.
CREATE TABLE platform.logout_notice (
    id           uuid PRIMARY KEY,
    client_id    uuid NOT NULL REFERENCES platform.client ON DELETE CASCADE,
    subject      text NOT NULL,
    sid          text NOT NULL,
    attempts     smallint NOT NULL DEFAULT 0,
    due_at       timestamptz NOT NULL,
    created_at   timestamptz NOT NULL
);
CREATE INDEX logout_notice_by_time ON platform.logout_notice (due_at);
CREATE UNIQUE INDEX logout_notice_of ON platform.logout_notice (client_id, sid);
