-- For lists of the clients that one may manage, and of what one agreed to. Not readable: what a secret is recognised by, and
-- what a client's names for people are made from.
GRANT SELECT (id, tenant_id, account_id, name, home_uri, policy_uri, authentication, jwks, grant_types, scopes, redirect_uris,
    logout_redirect_uris, logout_uri, origins, subject_type, id_token_algorithm, trusted_at, version, created_at, updated_at)
    ON platform.client TO :"role";
GRANT SELECT ON platform.consent TO :"role";
CREATE INDEX consent_by_age ON platform.consent (account_id, created_at DESC, id DESC);
