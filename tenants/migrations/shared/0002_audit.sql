-- Privileged acts, for good: rows are added, and removed by their age alone. No key to the site or the account, as what
-- was done outlives both. No secrets in here.
CREATE TABLE platform.audit (
    id           uuid PRIMARY KEY,
    tenant_id    uuid,
    account_id   uuid,
    action       text NOT NULL CHECK (action ~ '^[a-z][a-z_]*(\.[a-z][a-z_]*)+$'),
    subject      text NOT NULL,
    details      jsonb NOT NULL DEFAULT '{}',
    address      text NOT NULL DEFAULT '',
    agent        text NOT NULL DEFAULT '',
    credential   text NOT NULL DEFAULT '',
    request_id   text NOT NULL DEFAULT '',
    happened_at  timestamptz NOT NULL
);
CREATE INDEX audit_by_age ON platform.audit (happened_at DESC, id DESC);
CREATE INDEX audit_by_tenant ON platform.audit (tenant_id, happened_at DESC, id DESC);

-- Operators read it through the API; nobody but the owner changes or removes anything.
GRANT SELECT ON platform.audit TO :"role";
