-- The platform's own tables: who has an account, which sites there are, and the narrow indexes over all sites.
-- Small by design: on Citus these are reference tables. No row here holds text of a site's content.

CREATE TABLE platform.tenant (
    id              uuid PRIMARY KEY,
    slug            text NOT NULL UNIQUE CHECK (slug ~ '^[a-z][a-z0-9]*(-[a-z0-9]+)*$' AND length(slug) BETWEEN 2 AND 63),
    schema_name     text NOT NULL UNIQUE,
    role_name       text NOT NULL UNIQUE,
    name            text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    description     text NOT NULL DEFAULT '',
    language        text NOT NULL DEFAULT 'nl',
    state           text NOT NULL DEFAULT 'ACTIVE' CHECK (state IN ('ACTIVE', 'SUSPENDED')),
    visibility      smallint NOT NULL CHECK (visibility BETWEEN 2 AND 4),
    access          smallint NOT NULL CHECK (access BETWEEN 2 AND 4),
    joining         text NOT NULL CHECK (joining IN ('OPEN', 'REQUEST', 'DOMAIN', 'INVITATION')),
    version         integer NOT NULL DEFAULT 1,
    schema_version  integer NOT NULL,
    created_at      timestamptz NOT NULL,
    updated_at      timestamptz NOT NULL,
    suspended_at    timestamptz
);
CREATE INDEX tenant_by_name ON platform.tenant (name, id);
CREATE INDEX tenant_by_age ON platform.tenant (created_at, id);

-- Names under which a site answers besides <slug>.<the platform's own host>.
CREATE TABLE platform.host (
    host       text PRIMARY KEY CHECK (host = lower(host)),
    tenant_id  uuid NOT NULL REFERENCES platform.tenant ON DELETE CASCADE
);
CREATE INDEX host_by_tenant ON platform.host (tenant_id);

CREATE TABLE platform.account (
    id          uuid PRIMARY KEY,
    name        text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    email       text NOT NULL,
    role        smallint NOT NULL DEFAULT 0,
    created_at  timestamptz NOT NULL
);
CREATE UNIQUE INDEX account_by_email ON platform.account (lower(email));

-- Who an issuer says somebody is: one account may have several identities.
CREATE TABLE platform.identity (
    issuer      text NOT NULL,
    subject     text NOT NULL,
    account_id  uuid NOT NULL REFERENCES platform.account ON DELETE CASCADE,
    created_at  timestamptz NOT NULL,
    PRIMARY KEY (issuer, subject)
);
CREATE INDEX identity_by_account ON platform.identity (account_id);

-- The index over all sites of who is on which site; the truth is each site's member table, written in the same transaction.
CREATE TABLE platform.membership (
    tenant_id   uuid NOT NULL REFERENCES platform.tenant ON DELETE CASCADE,
    account_id  uuid NOT NULL,
    role        smallint NOT NULL,
    group_ids   uuid[] NOT NULL DEFAULT '{}',
    joined_at   timestamptz NOT NULL,
    PRIMARY KEY (account_id, tenant_id)
);
CREATE INDEX membership_by_tenant ON platform.membership (tenant_id);

-- The index over all sites of what was published when. It may show too little, never grant: details are read under
-- the site's own role and the full predicate.
CREATE TABLE platform.activity (
    tenant_id     uuid NOT NULL REFERENCES platform.tenant ON DELETE CASCADE,
    content_id    uuid NOT NULL,
    kind          text NOT NULL,
    access        smallint NOT NULL,
    group_id      uuid,
    author_id     uuid NOT NULL,
    published_at  timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, content_id)
);
CREATE INDEX activity_by_age ON platform.activity (tenant_id, published_at DESC, content_id DESC)
    INCLUDE (kind, access, group_id, author_id);

-- The access level of each group, so that closing a group closes its items in cross-site lists at once.
CREATE TABLE platform.ceiling (
    tenant_id  uuid NOT NULL REFERENCES platform.tenant ON DELETE CASCADE,
    group_id   uuid NOT NULL,
    access     smallint NOT NULL,
    PRIMARY KEY (tenant_id, group_id)
);

-- Answers remembered by idempotency key: the same key with the same input gives the same row back.
CREATE TABLE platform.request (
    account_id   uuid NOT NULL,
    key          text NOT NULL CHECK (length(key) BETWEEN 1 AND 200),
    fingerprint  text NOT NULL,
    result       text,
    created_at   timestamptz NOT NULL,
    PRIMARY KEY (account_id, key)
);

-- The outbox: what happened where, for who subscribed to it; no text of a site's content. Rows come in the transaction of
-- what they tell of, and go after some days. They are read in the order (xid, id), up to the oldest transaction that still
-- runs: what is before that can grow no more, so nobody who reads on from a place misses anything.
CREATE TABLE platform.event (
    xid          bigint NOT NULL,
    id           uuid NOT NULL,
    tenant_id    uuid NOT NULL REFERENCES platform.tenant ON DELETE CASCADE,
    topic        text NOT NULL,
    action       text NOT NULL CHECK (action IN ('CREATED', 'UPDATED', 'DELETED')),
    subject_id   uuid NOT NULL,
    within_id    uuid,
    kind         text NOT NULL DEFAULT '',
    happened_at  timestamptz NOT NULL,
    PRIMARY KEY (xid, id)
);
CREATE INDEX event_by_tenant ON platform.event (tenant_id, xid, id);

-- The role under which everything over all sites is read. Not readable: identities, remembered answers, addresses.
GRANT USAGE ON SCHEMA platform TO :"role";
GRANT SELECT ON platform.square, platform.tenant, platform.host, platform.membership, platform.activity, platform.ceiling,
    platform.event TO :"role";
GRANT SELECT (id, name, role, created_at) ON platform.account TO :"role";
