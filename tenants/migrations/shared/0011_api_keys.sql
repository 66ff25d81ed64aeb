-- Keys for machines. A key is found by its id and recognised by the hash of its secret, so reading this table lets nobody
-- in. `tenant_ids`: the sites it is for; null: all that its account is on.
CREATE TABLE platform.api_key (
    id            uuid PRIMARY KEY,
    account_id    uuid NOT NULL REFERENCES platform.account ON DELETE CASCADE,
    name          text NOT NULL CHECK (length(name) BETWEEN 1 AND 100),
    start         text NOT NULL,
    secret_hash   bytea NOT NULL CHECK (length(secret_hash) = 32),
    scopes        text[] NOT NULL CHECK (cardinality(scopes) > 0),
    tenant_ids    uuid[] CHECK (cardinality(tenant_ids) > 0),
    created_at    timestamptz NOT NULL,
    expires_at    timestamptz NOT NULL,
    last_used_at  timestamptz,
    revoked_at    timestamptz
);
CREATE INDEX api_key_by_account ON platform.api_key (account_id, created_at DESC, id DESC);

-- For lists of one's own keys. Not readable: what a secret is recognised by.
GRANT SELECT (id, account_id, name, start, scopes, tenant_ids, created_at, expires_at, last_used_at, revoked_at)
    ON platform.api_key TO :"role";
