-- The ground to stand on before the first migration: what this square is, and which migrations were applied.
-- Run when something of it is missing, so everything here may be there already.

CREATE SCHEMA IF NOT EXISTS platform;

-- One row: this square. The role that reads the platform's tables bears its id, as role names belong to the whole
-- cluster and several squares may share one.
CREATE TABLE IF NOT EXISTS platform.square (
    id                uuid PRIMARY KEY,
    reader_role_name  text NOT NULL,
    created_at        timestamptz NOT NULL
);

-- `scope` is shared or tenant. A tenant migration stands here once; how far each site is, its own row tells.
CREATE TABLE IF NOT EXISTS platform.migration (
    scope       text NOT NULL CHECK (scope IN ('shared', 'tenant')),
    number      integer NOT NULL,
    name        text NOT NULL,
    checksum    text NOT NULL,
    applied_at  timestamptz NOT NULL,
    PRIMARY KEY (scope, number)
);
