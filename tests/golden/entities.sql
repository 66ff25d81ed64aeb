-- as aster
WITH standing AS
(SELECT CASE WHEN (here.state != 'ACTIVE') THEN 99 WHEN (self.role >= 4) THEN 1 WHEN (self.role > 0) THEN 2 WHEN (CAST($1::UUID AS UUID) IS NOT NULL) THEN 3 ELSE 4 END AS clearance, CASE WHEN (self.role IS NOT NULL) THEN 2 WHEN (CAST($1::UUID AS UUID) IS NOT NULL) THEN 3 ELSE 4 END AS reach, self.role AS role, here.access AS access
FROM "aster".site AS here LEFT OUTER JOIN "aster".member AS self ON self.account_id = CAST($1::UUID AS UUID) AND self.left_at IS NULL)
 SELECT site_1.state, json_build_object('__typename', 'Site', 'slug', site_1.slug, 'name', site_1.name) AS json_build_object_1
FROM "aster".site AS site_1
WHERE greatest(site_1.visibility, site_1.access) >= (SELECT standing.reach
FROM standing);

-- as platform
SELECT platform.tenant.id, platform.tenant.slug, platform.tenant.schema_name, platform.tenant.role_name, platform.tenant.second_factor, to_json(platform.tenant.issuers) AS issuers
FROM platform.tenant
WHERE platform.tenant.slug = any($1);
