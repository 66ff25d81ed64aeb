-- Who vouched for the person when they signed in, as sites may demand it of their members, with whatever they come.
ALTER TABLE platform.client_grant ADD COLUMN signed_in_issuer text;
