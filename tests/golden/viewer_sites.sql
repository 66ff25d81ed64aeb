-- as aster
WITH standing AS
(SELECT CASE WHEN (here.state != 'ACTIVE') THEN 99 WHEN (self.role >= 4) THEN 1 WHEN (self.role > 0) THEN 2 WHEN (CAST($1::UUID AS UUID) IS NOT NULL) THEN 3 ELSE 4 END AS clearance, CASE WHEN (self.role IS NOT NULL) THEN 2 WHEN (CAST($1::UUID AS UUID) IS NOT NULL) THEN 3 ELSE 4 END AS reach, self.role AS role, here.access AS access
FROM "aster".site AS here LEFT OUTER JOIN "aster".member AS self ON self.account_id = CAST($1::UUID AS UUID) AND self.left_at IS NULL)
 SELECT site_1.state, CAST(to_json((SELECT json_build_object('role', (ARRAY['GUEST', 'MEMBER', 'MODERATOR', 'EDITOR', 'ADMIN', 'OWNER'])[(member_1.role + 1)]) AS json_build_object_1
FROM "aster".member AS member_1
WHERE member_1.account_id = CAST($1::UUID AS UUID) AND member_1.left_at IS NULL)) AS TEXT) AS to_json_1, CAST(to_json(json_build_object('totalCount', (SELECT count(*) AS count_1
FROM "aster".content AS content_1
WHERE content_1.deleted_at IS NULL AND (SELECT standing.clearance
FROM standing) < 99 AND (content_1.access >= (SELECT standing.clearance
FROM standing) AND (SELECT standing.access
FROM standing) >= (SELECT standing.clearance
FROM standing) AND (content_1.group_id IS NULL OR (SELECT group_1.access
FROM "aster"."group" AS group_1
WHERE group_1.id = content_1.group_id) >= (SELECT standing.clearance
FROM standing)) OR content_1.access >= 1 AND (EXISTS (SELECT group_member_1.group_id
FROM "aster".group_member AS group_member_1
WHERE group_member_1.group_id = content_1.group_id AND group_member_1.account_id = CAST($1::UUID AS UUID) AND (SELECT standing.role
FROM standing) IS NOT NULL)) OR content_1.author_id = CAST($1::UUID AS UUID) AND (SELECT standing.role
FROM standing) IS NOT NULL)))) AS TEXT) AS to_json_2
FROM "aster".site AS site_1;

-- as beuk
WITH standing AS
(SELECT CASE WHEN (here.state != 'ACTIVE') THEN 99 WHEN (self.role >= 4) THEN 1 WHEN (self.role > 0) THEN 2 WHEN (CAST($1::UUID AS UUID) IS NOT NULL) THEN 3 ELSE 4 END AS clearance, CASE WHEN (self.role IS NOT NULL) THEN 2 WHEN (CAST($1::UUID AS UUID) IS NOT NULL) THEN 3 ELSE 4 END AS reach, self.role AS role, here.access AS access
FROM "beuk".site AS here LEFT OUTER JOIN "beuk".member AS self ON self.account_id = CAST($1::UUID AS UUID) AND self.left_at IS NULL)
 SELECT site_1.state, CAST(to_json((SELECT json_build_object('role', (ARRAY['GUEST', 'MEMBER', 'MODERATOR', 'EDITOR', 'ADMIN', 'OWNER'])[(member_1.role + 1)]) AS json_build_object_1
FROM "beuk".member AS member_1
WHERE member_1.account_id = CAST($1::UUID AS UUID) AND member_1.left_at IS NULL)) AS TEXT) AS to_json_1, CAST(to_json(json_build_object('totalCount', (SELECT count(*) AS count_1
FROM "beuk".content AS content_1
WHERE content_1.deleted_at IS NULL AND (SELECT standing.clearance
FROM standing) < 99 AND (content_1.access >= (SELECT standing.clearance
FROM standing) AND (SELECT standing.access
FROM standing) >= (SELECT standing.clearance
FROM standing) AND (content_1.group_id IS NULL OR (SELECT group_1.access
FROM "beuk"."group" AS group_1
WHERE group_1.id = content_1.group_id) >= (SELECT standing.clearance
FROM standing)) OR content_1.access >= 1 AND (EXISTS (SELECT group_member_1.group_id
FROM "beuk".group_member AS group_member_1
WHERE group_member_1.group_id = content_1.group_id AND group_member_1.account_id = CAST($1::UUID AS UUID) AND (SELECT standing.role
FROM standing) IS NOT NULL)) OR content_1.author_id = CAST($1::UUID AS UUID) AND (SELECT standing.role
FROM standing) IS NOT NULL)))) AS TEXT) AS to_json_2
FROM "beuk".site AS site_1;

-- as ceder
WITH standing AS
(SELECT CASE WHEN (here.state != 'ACTIVE') THEN 99 WHEN (self.role >= 4) THEN 1 WHEN (self.role > 0) THEN 2 WHEN (CAST($1::UUID AS UUID) IS NOT NULL) THEN 3 ELSE 4 END AS clearance, CASE WHEN (self.role IS NOT NULL) THEN 2 WHEN (CAST($1::UUID AS UUID) IS NOT NULL) THEN 3 ELSE 4 END AS reach, self.role AS role, here.access AS access
FROM "ceder".site AS here LEFT OUTER JOIN "ceder".member AS self ON self.account_id = CAST($1::UUID AS UUID) AND self.left_at IS NULL)
 SELECT site_1.state, CAST(to_json((SELECT json_build_object('role', (ARRAY['GUEST', 'MEMBER', 'MODERATOR', 'EDITOR', 'ADMIN', 'OWNER'])[(member_1.role + 1)]) AS json_build_object_1
FROM "ceder".member AS member_1
WHERE member_1.account_id = CAST($1::UUID AS UUID) AND member_1.left_at IS NULL)) AS TEXT) AS to_json_1, CAST(to_json(json_build_object('totalCount', (SELECT count(*) AS count_1
FROM "ceder".content AS content_1
WHERE content_1.deleted_at IS NULL AND (SELECT standing.clearance
FROM standing) < 99 AND (content_1.access >= (SELECT standing.clearance
FROM standing) AND (SELECT standing.access
FROM standing) >= (SELECT standing.clearance
FROM standing) AND (content_1.group_id IS NULL OR (SELECT group_1.access
FROM "ceder"."group" AS group_1
WHERE group_1.id = content_1.group_id) >= (SELECT standing.clearance
FROM standing)) OR content_1.access >= 1 AND (EXISTS (SELECT group_member_1.group_id
FROM "ceder".group_member AS group_member_1
WHERE group_member_1.group_id = content_1.group_id AND group_member_1.account_id = CAST($1::UUID AS UUID) AND (SELECT standing.role
FROM standing) IS NOT NULL)) OR content_1.author_id = CAST($1::UUID AS UUID) AND (SELECT standing.role
FROM standing) IS NOT NULL)))) AS TEXT) AS to_json_2
FROM "ceder".site AS site_1;

-- as den
WITH standing AS
(SELECT CASE WHEN (here.state != 'ACTIVE') THEN 99 WHEN (self.role >= 4) THEN 1 WHEN (self.role > 0) THEN 2 WHEN (CAST($1::UUID AS UUID) IS NOT NULL) THEN 3 ELSE 4 END AS clearance, CASE WHEN (self.role IS NOT NULL) THEN 2 WHEN (CAST($1::UUID AS UUID) IS NOT NULL) THEN 3 ELSE 4 END AS reach, self.role AS role, here.access AS access
FROM "den".site AS here LEFT OUTER JOIN "den".member AS self ON self.account_id = CAST($1::UUID AS UUID) AND self.left_at IS NULL)
 SELECT site_1.state, CAST(to_json((SELECT json_build_object('role', (ARRAY['GUEST', 'MEMBER', 'MODERATOR', 'EDITOR', 'ADMIN', 'OWNER'])[(member_1.role + 1)]) AS json_build_object_1
FROM "den".member AS member_1
WHERE member_1.account_id = CAST($1::UUID AS UUID) AND member_1.left_at IS NULL)) AS TEXT) AS to_json_1, CAST(to_json(json_build_object('totalCount', (SELECT count(*) AS count_1
FROM "den".content AS content_1
WHERE content_1.deleted_at IS NULL AND (SELECT standing.clearance
FROM standing) < 99 AND (content_1.access >= (SELECT standing.clearance
FROM standing) AND (SELECT standing.access
FROM standing) >= (SELECT standing.clearance
FROM standing) AND (content_1.group_id IS NULL OR (SELECT group_1.access
FROM "den"."group" AS group_1
WHERE group_1.id = content_1.group_id) >= (SELECT standing.clearance
FROM standing)) OR content_1.access >= 1 AND (EXISTS (SELECT group_member_1.group_id
FROM "den".group_member AS group_member_1
WHERE group_member_1.group_id = content_1.group_id AND group_member_1.account_id = CAST($1::UUID AS UUID) AND (SELECT standing.role
FROM standing) IS NOT NULL)) OR content_1.author_id = CAST($1::UUID AS UUID) AND (SELECT standing.role
FROM standing) IS NOT NULL)))) AS TEXT) AS to_json_2
FROM "den".site AS site_1;

-- as eik
WITH standing AS
(SELECT CASE WHEN (here.state != 'ACTIVE') THEN 99 WHEN (self.role >= 4) THEN 1 WHEN (self.role > 0) THEN 2 WHEN (CAST($1::UUID AS UUID) IS NOT NULL) THEN 3 ELSE 4 END AS clearance, CASE WHEN (self.role IS NOT NULL) THEN 2 WHEN (CAST($1::UUID AS UUID) IS NOT NULL) THEN 3 ELSE 4 END AS reach, self.role AS role, here.access AS access
FROM "eik".site AS here LEFT OUTER JOIN "eik".member AS self ON self.account_id = CAST($1::UUID AS UUID) AND self.left_at IS NULL)
 SELECT site_1.state, CAST(to_json((SELECT json_build_object('role', (ARRAY['GUEST', 'MEMBER', 'MODERATOR', 'EDITOR', 'ADMIN', 'OWNER'])[(member_1.role + 1)]) AS json_build_object_1
FROM "eik".member AS member_1
WHERE member_1.account_id = CAST($1::UUID AS UUID) AND member_1.left_at IS NULL)) AS TEXT) AS to_json_1, CAST(to_json(json_build_object('totalCount', (SELECT count(*) AS count_1
FROM "eik".content AS content_1
WHERE content_1.deleted_at IS NULL AND (SELECT standing.clearance
FROM standing) < 99 AND (content_1.access >= (SELECT standing.clearance
FROM standing) AND (SELECT standing.access
FROM standing) >= (SELECT standing.clearance
FROM standing) AND (content_1.group_id IS NULL OR (SELECT group_1.access
FROM "eik"."group" AS group_1
WHERE group_1.id = content_1.group_id) >= (SELECT standing.clearance
FROM standing)) OR content_1.access >= 1 AND (EXISTS (SELECT group_member_1.group_id
FROM "eik".group_member AS group_member_1
WHERE group_member_1.group_id = content_1.group_id AND group_member_1.account_id = CAST($1::UUID AS UUID) AND (SELECT standing.role
FROM standing) IS NOT NULL)) OR content_1.author_id = CAST($1::UUID AS UUID) AND (SELECT standing.role
FROM standing) IS NOT NULL)))) AS TEXT) AS to_json_2
FROM "eik".site AS site_1;

-- as fluit
WITH standing AS
(SELECT CASE WHEN (here.state != 'ACTIVE') THEN 99 WHEN (self.role >= 4) THEN 1 WHEN (self.role > 0) THEN 2 WHEN (CAST($1::UUID AS UUID) IS NOT NULL) THEN 3 ELSE 4 END AS clearance, CASE WHEN (self.role IS NOT NULL) THEN 2 WHEN (CAST($1::UUID AS UUID) IS NOT NULL) THEN 3 ELSE 4 END AS reach, self.role AS role, here.access AS access
FROM "fluit".site AS here LEFT OUTER JOIN "fluit".member AS self ON self.account_id = CAST($1::UUID AS UUID) AND self.left_at IS NULL)
 SELECT site_1.state, CAST(to_json((SELECT json_build_object('role', (ARRAY['GUEST', 'MEMBER', 'MODERATOR', 'EDITOR', 'ADMIN', 'OWNER'])[(member_1.role + 1)]) AS json_build_object_1
FROM "fluit".member AS member_1
WHERE member_1.account_id = CAST($1::UUID AS UUID) AND member_1.left_at IS NULL)) AS TEXT) AS to_json_1, CAST(to_json(json_build_object('totalCount', (SELECT count(*) AS count_1
FROM "fluit".content AS content_1
WHERE content_1.deleted_at IS NULL AND (SELECT standing.clearance
FROM standing) < 99 AND (content_1.access >= (SELECT standing.clearance
FROM standing) AND (SELECT standing.access
FROM standing) >= (SELECT standing.clearance
FROM standing) AND (content_1.group_id IS NULL OR (SELECT group_1.access
FROM "fluit"."group" AS group_1
WHERE group_1.id = content_1.group_id) >= (SELECT standing.clearance
FROM standing)) OR content_1.access >= 1 AND (EXISTS (SELECT group_member_1.group_id
FROM "fluit".group_member AS group_member_1
WHERE group_member_1.group_id = content_1.group_id AND group_member_1.account_id = CAST($1::UUID AS UUID) AND (SELECT standing.role
FROM standing) IS NOT NULL)) OR content_1.author_id = CAST($1::UUID AS UUID) AND (SELECT standing.role
FROM standing) IS NOT NULL)))) AS TEXT) AS to_json_2
FROM "fluit".site AS site_1;

-- as platform
SELECT json_build_object('account', (SELECT json_build_object('name', account_1.name) AS json_build_object_2
FROM platform.account AS account_1
WHERE account_1.id = CAST($1::UUID AS UUID) AND account_1.id = CAST($1::UUID AS UUID)), 'sites', (SELECT json_build_object('totalCount', (SELECT count(*) AS count_1
FROM platform.tenant AS tenant_1
WHERE EXISTS (SELECT membership_1.tenant_id
FROM platform.membership AS membership_1
WHERE membership_1.account_id = CAST($1::UUID AS UUID) AND membership_1.tenant_id = tenant_1.id)), 'edges', coalesce(json_agg(json_build_object('node', json_build_object('slug', anon_1.slug, 'state', anon_1.state, 'viewerMembership', CAST($2::VARCHAR AS TEXT) || ':S:0:0:' || CAST(anon_1.id AS TEXT), 'content', CAST($2::VARCHAR AS TEXT) || ':S:0:1:' || CAST(anon_1.id AS TEXT)))), '[]')) AS json_build_object_3
FROM (SELECT tenant_2.id AS id, tenant_2.slug AS slug, tenant_2.schema_name AS schema_name, tenant_2.role_name AS role_name, tenant_2.name AS name, tenant_2.description AS description, tenant_2.language AS language, tenant_2.state AS state, tenant_2.visibility AS visibility, tenant_2.access AS access, tenant_2.joining AS joining, tenant_2.version AS version, tenant_2.schema_version AS schema_version, tenant_2.created_at AS created_at, tenant_2.updated_at AS updated_at, tenant_2.suspended_at AS suspended_at, tenant_2.suspended_by AS suspended_by, tenant_2.suspender_id AS suspender_id, tenant_2.second_factor AS second_factor, tenant_2.issuers AS issuers
FROM platform.tenant AS tenant_2
WHERE EXISTS (SELECT membership_2.tenant_id
FROM platform.membership AS membership_2
WHERE membership_2.account_id = CAST($1::UUID AS UUID) AND membership_2.tenant_id = tenant_2.id) ORDER BY tenant_2.name ASC, tenant_2.id ASC
 LIMIT 20) AS anon_1
HAVING true)) AS json_build_object_1;
