-- Who is invited stands among the links that were mailed, once.
DROP TABLE platform.invitation;

-- How people must have signed in for a site to know them: with a second factor, and with one of these issuers (any, where
-- none is named).
ALTER TABLE platform.tenant ADD COLUMN second_factor boolean NOT NULL DEFAULT false;
ALTER TABLE platform.tenant ADD COLUMN issuers text[] NOT NULL DEFAULT '{}';

-- What the platform's reader may read of issuers and identities: everything but what only issuers and we may know.
GRANT SELECT (id, key, url, name, client_id, authentication, algorithms, scopes, joiners, domains, vouches, strong, strong_acr,
    max_age_seconds, version, created_at, updated_at) ON platform.issuer TO :"role";
GRANT SELECT (email, email_verified_at, language) ON platform.account TO :"role";

-- An identity is named by an id of its own in the API: what an issuer calls somebody is nobody else's business.
ALTER TABLE platform.identity ADD COLUMN id uuid;
UPDATE platform.identity SET id = gen_random_uuid();
ALTER TABLE platform.identity ALTER COLUMN id SET NOT NULL;
CREATE UNIQUE INDEX identity_by_id ON platform.identity (id);
GRANT SELECT (id, issuer, account_id, created_at, email, last_used_at) ON platform.identity TO :"role";
