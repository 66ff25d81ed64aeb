-- The site's window on the privileged acts on it: its role may add and read, never change.
CREATE VIEW :"schema".audit WITH (security_barrier) AS
    SELECT id, tenant_id, account_id, action, subject, details, address, agent, credential, request_id, happened_at
    FROM platform.audit WHERE tenant_id = :'tenant_id'::uuid WITH CASCADED CHECK OPTION;

GRANT SELECT, INSERT ON :"schema".audit TO :"role";
