-- What PUBLIC may do, and so every role of the square: make nothing anywhere, not in public and not in a temporary schema.
-- Not a migration, as a copied or restored database comes with PUBLIC's rights again: run whenever they are there. Who
-- does not own the database cannot take them away; then its owner has to.

DO $$
BEGIN
    REVOKE ALL ON SCHEMA public FROM PUBLIC;
EXCEPTION WHEN insufficient_privilege OR invalid_schema_name THEN
    NULL;
END
$$;

DO $$
BEGIN
    EXECUTE format('REVOKE TEMPORARY ON DATABASE %I FROM PUBLIC', current_database());
EXCEPTION WHEN insufficient_privilege THEN
    NULL;
END
$$;
