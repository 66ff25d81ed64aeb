-- Issuers of OpenID Connect that people sign in with, where they are not in the file that the settings name.

CREATE TABLE platform.issuer (
    id               uuid PRIMARY KEY,
    key              text NOT NULL UNIQUE CHECK (key ~ '^[a-z0-9][a-z0-9-]{0,39}$'),
    url              text NOT NULL UNIQUE,
    name             text NOT NULL CHECK (length(name) BETWEEN 1 AND 100),
    client_id        text NOT NULL,
    authentication   text NOT NULL
        CHECK (authentication IN ('none', 'client_secret_basic', 'client_secret_post', 'private_key_jwt')),
    secret           text,
    algorithms       text[] NOT NULL,
    scopes           text[] NOT NULL,
    joiners          text NOT NULL CHECK (joiners IN ('open', 'domains', 'invited')),
    domains          text[] NOT NULL DEFAULT '{}',
    vouches          boolean NOT NULL DEFAULT false,
    strong           text[] NOT NULL,
    strong_acr       text[] NOT NULL DEFAULT '{}',
    max_age_seconds  integer CHECK (max_age_seconds >= 0),
    version          integer NOT NULL DEFAULT 1,
    created_at       timestamptz NOT NULL,
    updated_at       timestamptz NOT NULL,
    CHECK ((authentication = 'none') = (secret IS NULL))
);

-- What counts once, by its hash: the state of a sign-in, the id of a logout token. It goes when its time is over.
CREATE TABLE platform.spent (
    hash        bytea PRIMARY KEY CHECK (length(hash) = 32),
    expires_at  timestamptz NOT NULL
);
CREATE INDEX spent_by_age ON platform.spent (expires_at);

-- The ID token that a session began with, sealed: issuers want to see it when somebody signs out there.
CREATE TABLE platform.vouched (
    session_id  uuid PRIMARY KEY REFERENCES platform.session ON DELETE CASCADE,
    id_token    text NOT NULL
);

-- Whose account may be made at the first sign-in, where that is for the invited only.
CREATE TABLE platform.invitation (
    email       text PRIMARY KEY CHECK (email = lower(email)),
    invited_by  uuid REFERENCES platform.account ON DELETE SET NULL,
    created_at  timestamptz NOT NULL,
    expires_at  timestamptz NOT NULL
);
CREATE INDEX invitation_by_account ON platform.invitation (invited_by);

-- An identity as its person knows it: the address that the issuer told, and when they last came that way.
ALTER TABLE platform.identity ADD COLUMN email text;
ALTER TABLE platform.identity ADD COLUMN last_used_at timestamptz;

-- The language in which somebody is spoken to, as a BCP 47 tag; null where they never said.
ALTER TABLE platform.account ADD COLUMN language text CHECK (length(language) BETWEEN 2 AND 35);
