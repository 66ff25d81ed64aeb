-- Accounts that sign in here, without an issuer: passwords, second factors, links by mail, and how often somebody tried.
-- Whatever lets somebody in stands here as a hash, or sealed with a key that is not in the database.

CREATE TABLE platform.password (
    account_id  uuid PRIMARY KEY REFERENCES platform.account ON DELETE CASCADE,
    hash        text NOT NULL,
    changed_at  timestamptz NOT NULL
);

-- A second factor counts from `confirmed_at` on. `last_step` is the last code that was used: none is good twice.
CREATE TABLE platform.totp (
    account_id    uuid PRIMARY KEY REFERENCES platform.account ON DELETE CASCADE,
    sealed        text NOT NULL,
    confirmed_at  timestamptz,
    last_step     bigint NOT NULL
);
CREATE TABLE platform.recovery_code (
    account_id  uuid NOT NULL REFERENCES platform.account ON DELETE CASCADE,
    code_hash   bytea NOT NULL CHECK (length(code_hash) = 32),
    PRIMARY KEY (account_id, code_hash)
);

-- Links that were sent by mail: each good once, for one purpose, until it expires.
CREATE TABLE platform.link (
    token_hash  bytea PRIMARY KEY CHECK (length(token_hash) = 32),
    purpose     text NOT NULL CHECK (purpose IN ('REGISTER', 'INVITE', 'RESET')),
    account_id  uuid REFERENCES platform.account ON DELETE CASCADE,
    email       text NOT NULL,
    name        text NOT NULL DEFAULT '',
    role        smallint NOT NULL DEFAULT 0,
    expires_at  timestamptz NOT NULL
);
CREATE INDEX link_by_account ON platform.link (account_id);
CREATE INDEX link_by_email ON platform.link (lower(email));
CREATE INDEX link_by_age ON platform.link (expires_at);

-- A change of address waits until it is confirmed from both.
CREATE TABLE platform.email_change (
    account_id        uuid PRIMARY KEY REFERENCES platform.account ON DELETE CASCADE,
    email             text NOT NULL,
    old_hash          bytea NOT NULL UNIQUE CHECK (length(old_hash) = 32),
    new_hash          bytea NOT NULL UNIQUE CHECK (length(new_hash) = 32),
    old_confirmed_at  timestamptz,
    new_confirmed_at  timestamptz,
    expires_at        timestamptz NOT NULL
);
CREATE INDEX email_change_by_age ON platform.email_change (expires_at);

-- How often something was tried, for all processes together. What it was is in the key, which is a keyed hash.
CREATE TABLE platform.attempt (
    key    bytea PRIMARY KEY CHECK (length(key) = 32),
    count  integer NOT NULL,
    until  timestamptz NOT NULL
);
CREATE INDEX attempt_by_age ON platform.attempt (until);

-- Mail that is to be sent. A row goes when its mail is sent, or when it would be of no use any more.
CREATE TABLE platform.mail (
    id           uuid PRIMARY KEY,
    sealed       text NOT NULL,
    attempts     integer NOT NULL,
    next_at      timestamptz NOT NULL,
    expires_at   timestamptz NOT NULL
);
CREATE INDEX mail_by_turn ON platform.mail (next_at);
