-- Sessions in browsers. Server side, and found by the hash of their token, so that reading this table lets nobody in.
-- A session on a site's own host is the child of the one on the platform's host that it was made from, and ends with it.

CREATE TABLE platform.session (
    id                uuid PRIMARY KEY,
    token_hash        bytea NOT NULL UNIQUE CHECK (length(token_hash) = 32),
    account_id        uuid NOT NULL REFERENCES platform.account ON DELETE CASCADE,
    parent_id         uuid REFERENCES platform.session ON DELETE CASCADE,
    host              text NOT NULL,
    tenant_id         uuid REFERENCES platform.tenant ON DELETE CASCADE,
    issuer            text NOT NULL,
    subject           text NOT NULL,
    sid               text,
    acr               text,
    amr               text[] NOT NULL DEFAULT '{}',
    authenticated_at  timestamptz NOT NULL,
    device            text NOT NULL,
    address           text NOT NULL,
    created_at        timestamptz NOT NULL,
    renewed_at        timestamptz NOT NULL,
    last_seen_at      timestamptz NOT NULL
);
CREATE INDEX session_by_account ON platform.session (account_id, created_at, id);
CREATE INDEX session_by_tenant ON platform.session (tenant_id);
CREATE INDEX session_by_parent ON platform.session (parent_id);
CREATE INDEX session_by_issuer ON platform.session (issuer, sid);
CREATE INDEX session_by_subject ON platform.session (issuer, subject);
CREATE INDEX session_by_age ON platform.session (last_seen_at);

-- Passes from the platform's host to a site's own: once, for a minute, for one host and the browser that asked.
CREATE TABLE platform.pass (
    code_hash   bytea PRIMARY KEY CHECK (length(code_hash) = 32),
    session_id  uuid NOT NULL REFERENCES platform.session ON DELETE CASCADE,
    host        text NOT NULL,
    tenant_id   uuid REFERENCES platform.tenant ON DELETE CASCADE,
    state_hash  bytea NOT NULL,
    expires_at  timestamptz NOT NULL
);
CREATE INDEX pass_by_session ON platform.pass (session_id);
CREATE INDEX pass_by_tenant ON platform.pass (tenant_id);
CREATE INDEX pass_by_age ON platform.pass (expires_at);

-- When an account's address was last shown to be its own.
ALTER TABLE platform.account ADD COLUMN email_verified_at timestamptz;

-- For lists of one's own sessions. Not readable: what a token is found by, and what an issuer calls somebody.
GRANT SELECT (id, account_id, parent_id, host, tenant_id, issuer, acr, amr, authenticated_at, device, address, created_at,
    renewed_at, last_seen_at) ON platform.session TO :"role";
