-- The site's window on itself also tells who suspended it.
CREATE OR REPLACE VIEW :"schema".site WITH (security_barrier) AS
    SELECT id, slug, name, description, language, state, visibility, access, joining, version, created_at, updated_at,
        suspended_by
    FROM platform.tenant WHERE id = :'tenant_id'::uuid WITH CASCADED CHECK OPTION;
