-- Who suspended a site, by what right: what an operator closed, an owner does not open again.
ALTER TABLE platform.tenant
    ADD COLUMN suspended_by text CHECK (suspended_by IN ('OWNER', 'OPERATOR')),
    ADD COLUMN suspender_id uuid;
-- It was not written down so far.
UPDATE platform.tenant SET suspended_by = 'OPERATOR' WHERE state = 'SUSPENDED';
