-- The site's window on its own row, with how people must have signed in. New columns come last.
CREATE OR REPLACE VIEW :"schema".site WITH (security_barrier) AS
    SELECT id, slug, name, description, language, state, visibility, access, joining, version, created_at, updated_at,
        suspended_by, second_factor, issuers
    FROM platform.tenant WHERE id = :'tenant_id'::uuid WITH CASCADED CHECK OPTION;

GRANT UPDATE (second_factor, issuers) ON :"schema".site TO :"role";
