-- Offers of ownership that wait for an answer, one for each member: who offered it, and whether they step down.
CREATE TABLE :"schema".ownership_offer (
    account_id  uuid PRIMARY KEY REFERENCES :"schema".member,
    offered_by  uuid NOT NULL,
    steps_down  boolean NOT NULL,
    created_at  timestamptz NOT NULL,
    expires_at  timestamptz NOT NULL
);
CREATE INDEX ownership_offer_by_age ON :"schema".ownership_offer (created_at DESC, account_id DESC);

GRANT SELECT, INSERT, UPDATE, DELETE ON :"schema".ownership_offer TO :"role";
