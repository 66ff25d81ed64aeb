-- A site that demands more of how people signed in is told in the way of what is revoked.
ALTER TABLE platform.revocation DROP CONSTRAINT revocation_kind_check;
ALTER TABLE platform.revocation ADD CONSTRAINT revocation_kind_check CHECK (kind IN ('ACCOUNT', 'CREDENTIAL', 'SITE'));
