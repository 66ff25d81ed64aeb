-- What each caller may still ask for, where rates are limited: of interest for a minute, so not worth a write-ahead log;
-- after a crash everybody has everything left. The key is a hash that only this square can make of a caller.
CREATE UNLOGGED TABLE platform.allowance (
    caller  uuid PRIMARY KEY,
    amount  double precision NOT NULL,
    at      timestamptz NOT NULL
);
CREATE INDEX allowance_by_age ON platform.allowance (at);
