-- as aster
WITH standing AS
(SELECT CASE WHEN (here.state != 'ACTIVE') THEN 99 WHEN (self.role >= 4) THEN 1 WHEN (self.role > 0) THEN 2 WHEN (CAST($1::UUID AS UUID) IS NOT NULL) THEN 3 ELSE 4 END AS clearance, CASE WHEN (self.role IS NOT NULL) THEN 2 WHEN (CAST($1::UUID AS UUID) IS NOT NULL) THEN 3 ELSE 4 END AS reach, self.role AS role, here.access AS access
FROM "aster".site AS here LEFT OUTER JOIN "aster".member AS self ON self.account_id = CAST($1::UUID AS UUID) AND self.left_at IS NULL)
 SELECT site_1.state, json_build_object('slug', site_1.slug, 'name', site_1.name, 'access', (ARRAY['PRIVATE', 'GROUP', 'MEMBERS', 'ACCOUNTS', 'PUBLIC'])[(site_1.access + 1)], 'joining', site_1.joining, 'createdAt', site_1.created_at, 'memberCount', (SELECT count(*) AS count_1
FROM "aster".member AS member_1
WHERE member_1.left_at IS NULL), 'viewerMembership', (SELECT json_build_object('role', (ARRAY['GUEST', 'MEMBER', 'MODERATOR', 'EDITOR', 'ADMIN', 'OWNER'])[(member_2.role + 1)]) AS json_build_object_2
FROM "aster".member AS member_2
WHERE member_2.account_id = CAST($1::UUID AS UUID) AND member_2.left_at IS NULL)) AS json_build_object_1
FROM "aster".site AS site_1
WHERE greatest(site_1.visibility, site_1.access) >= (SELECT standing.reach
FROM standing);
