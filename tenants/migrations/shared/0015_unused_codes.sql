-- Codes that nobody came for, to end what hangs on them.
CREATE INDEX authorization_code_unused ON platform.authorization_code (expires_at) WHERE used_at IS NULL;
