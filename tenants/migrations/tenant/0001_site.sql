-- One site: its tables, its role's rights, and its windows on the platform's tables.
-- A window is a security-barrier view that shows this site's rows only, and lets only such rows in; the site's role
-- has no right on any platform table itself.

CREATE TABLE :"schema".member (
    account_id  uuid PRIMARY KEY,
    role        smallint NOT NULL CHECK (role BETWEEN 0 AND 5),
    joined_at   timestamptz NOT NULL,
    left_at     timestamptz
);
CREATE INDEX member_by_age ON :"schema".member (joined_at, account_id);

CREATE TABLE :"schema"."group" (
    id           uuid PRIMARY KEY,
    name         text NOT NULL CHECK (length(name) BETWEEN 1 AND 200),
    description  text NOT NULL DEFAULT '',
    access       smallint NOT NULL CHECK (access BETWEEN 1 AND 4),
    joining      text NOT NULL CHECK (joining IN ('OPEN', 'REQUEST', 'DOMAIN', 'INVITATION')),
    version      integer NOT NULL DEFAULT 1,
    created_at   timestamptz NOT NULL,
    updated_at   timestamptz NOT NULL
);
CREATE INDEX group_by_name ON :"schema"."group" (name, id);

CREATE TABLE :"schema".group_member (
    group_id    uuid NOT NULL REFERENCES :"schema"."group" ON DELETE CASCADE,
    account_id  uuid NOT NULL REFERENCES :"schema".member ON DELETE CASCADE,
    role        smallint NOT NULL CHECK (role BETWEEN 0 AND 5),
    joined_at   timestamptz NOT NULL,
    PRIMARY KEY (group_id, account_id)
);
CREATE INDEX group_member_by_account ON :"schema".group_member (account_id, group_id);

CREATE TABLE :"schema".content (
    id            uuid PRIMARY KEY,
    kind          text NOT NULL,
    title         text NOT NULL,
    body          text NOT NULL,
    author_id     uuid NOT NULL REFERENCES :"schema".member,
    group_id      uuid REFERENCES :"schema"."group",
    access        smallint NOT NULL CHECK (access BETWEEN 0 AND 4),
    tags          text[] NOT NULL DEFAULT '{}',
    details       jsonb NOT NULL DEFAULT '{}',
    version       integer NOT NULL DEFAULT 1,
    published_at  timestamptz NOT NULL,
    created_at    timestamptz NOT NULL,
    updated_at    timestamptz NOT NULL,
    deleted_at    timestamptz,
    search        tsvector GENERATED ALWAYS AS (
        setweight(to_tsvector('pg_catalog.dutch', title), 'A') || to_tsvector('pg_catalog.dutch', body)
    ) STORED,
    CHECK (access <> 1 OR group_id IS NOT NULL)
);
CREATE INDEX content_by_age ON :"schema".content (published_at DESC, id DESC) WHERE deleted_at IS NULL;
CREATE INDEX content_by_title ON :"schema".content (title, id) WHERE deleted_at IS NULL;
-- These two also serve their foreign keys, hence deleted items too.
CREATE INDEX content_by_group ON :"schema".content (group_id, published_at DESC, id DESC);
CREATE INDEX content_by_author ON :"schema".content (author_id, published_at DESC, id DESC);
CREATE INDEX content_search ON :"schema".content USING gin (search);

CREATE TABLE :"schema".comment (
    id          uuid PRIMARY KEY,
    content_id  uuid NOT NULL REFERENCES :"schema".content ON DELETE CASCADE,
    parent_id   uuid REFERENCES :"schema".comment ON DELETE CASCADE,
    author_id   uuid NOT NULL REFERENCES :"schema".member,
    body        text NOT NULL,
    version     integer NOT NULL DEFAULT 1,
    created_at  timestamptz NOT NULL,
    updated_at  timestamptz NOT NULL
);
CREATE INDEX comment_by_content ON :"schema".comment (content_id, created_at, id);
CREATE INDEX comment_by_parent ON :"schema".comment (parent_id, created_at, id) WHERE parent_id IS NOT NULL;
CREATE INDEX comment_by_author ON :"schema".comment (author_id, created_at, id);

-- One reaction per account on a subject (an item, or a comment under it).
CREATE TABLE :"schema".reaction (
    subject_id  uuid NOT NULL,
    account_id  uuid NOT NULL REFERENCES :"schema".member,
    content_id  uuid NOT NULL REFERENCES :"schema".content ON DELETE CASCADE,
    kind        text NOT NULL CHECK (kind IN ('LIKE', 'SUPPORT', 'INSIGHTFUL', 'THANKS')),
    created_at  timestamptz NOT NULL,
    PRIMARY KEY (subject_id, account_id)
);
CREATE INDEX reaction_by_content ON :"schema".reaction (content_id);
CREATE INDEX reaction_by_account ON :"schema".reaction (account_id);

CREATE VIEW :"schema".site WITH (security_barrier) AS
    SELECT id, slug, name, description, language, state, visibility, access, joining, version, created_at, updated_at
    FROM platform.tenant WHERE id = :'tenant_id'::uuid WITH CASCADED CHECK OPTION;

CREATE VIEW :"schema".person WITH (security_barrier) AS
    SELECT account.id, account.name, account.created_at
    FROM :"schema".member JOIN platform.account ON account.id = member.account_id;

CREATE VIEW :"schema".membership WITH (security_barrier) AS
    SELECT tenant_id, account_id, role, group_ids, joined_at
    FROM platform.membership WHERE tenant_id = :'tenant_id'::uuid WITH CASCADED CHECK OPTION;

CREATE VIEW :"schema".activity WITH (security_barrier) AS
    SELECT tenant_id, content_id, kind, access, group_id, author_id, published_at
    FROM platform.activity WHERE tenant_id = :'tenant_id'::uuid WITH CASCADED CHECK OPTION;

CREATE VIEW :"schema".ceiling WITH (security_barrier) AS
    SELECT tenant_id, group_id, access
    FROM platform.ceiling WHERE tenant_id = :'tenant_id'::uuid WITH CASCADED CHECK OPTION;

-- To be written only: who subscribed is told by the platform.
CREATE VIEW :"schema".event WITH (security_barrier) AS
    SELECT xid, id, tenant_id, topic, action, subject_id, within_id, kind, happened_at
    FROM platform.event WHERE tenant_id = :'tenant_id'::uuid WITH CASCADED CHECK OPTION;

GRANT USAGE ON SCHEMA :"schema" TO :"role";
GRANT SELECT, INSERT, UPDATE, DELETE ON
    :"schema".member, :"schema"."group", :"schema".group_member, :"schema".content, :"schema".comment,
    :"schema".reaction, :"schema".membership, :"schema".activity, :"schema".ceiling TO :"role";
GRANT INSERT ON :"schema".event TO :"role";
GRANT SELECT ON :"schema".person, :"schema".site TO :"role";
GRANT UPDATE (name, description, language, visibility, access, joining, version, updated_at)
    ON :"schema".site TO :"role";
