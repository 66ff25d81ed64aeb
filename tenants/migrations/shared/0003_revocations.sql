-- What let somebody in and does not any more, for every process that remembers it. Rows are read for some minutes after
-- they came, and go after a day.
CREATE TABLE platform.revocation (
    id          uuid PRIMARY KEY,
    kind        text NOT NULL CHECK (kind IN ('ACCOUNT', 'CREDENTIAL')),
    subject_id  uuid NOT NULL,
    revoked_at  timestamptz NOT NULL
);
CREATE INDEX revocation_by_age ON platform.revocation (revoked_at);

-- Nobody is let in as a suspended account, whatever they show.
ALTER TABLE platform.account ADD COLUMN suspended_at timestamptz;

GRANT SELECT ON platform.revocation TO :"role";
GRANT SELECT (suspended_at) ON platform.account TO :"role";
