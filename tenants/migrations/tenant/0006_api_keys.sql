-- The site's window on the keys that are good for it: those of its members, for all sites or for this one. Nothing of what
-- else they are for, nor of what they are recognised by.
CREATE VIEW :"schema".api_key WITH (security_barrier) AS
    SELECT api_key.id, api_key.account_id, api_key.name, api_key.start, api_key.scopes,
        api_key.tenant_ids IS NULL AS is_for_all_sites, api_key.created_at, api_key.expires_at, api_key.last_used_at
    FROM platform.api_key JOIN :"schema".member ON member.account_id = api_key.account_id
    WHERE member.left_at IS NULL AND api_key.revoked_at IS NULL AND api_key.expires_at > now()
    AND (api_key.tenant_ids IS NULL OR :'tenant_id'::uuid = ANY (api_key.tenant_ids));

GRANT SELECT ON :"schema".api_key TO :"role";
