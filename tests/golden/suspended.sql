-- as eik
WITH standing AS
(SELECT CASE WHEN (here.state != 'ACTIVE') THEN 99 WHEN (self.role >= 4) THEN 1 WHEN (self.role > 0) THEN 2 WHEN (CAST($1::UUID AS UUID) IS NOT NULL) THEN 3 ELSE 4 END AS clearance, CASE WHEN (self.role IS NOT NULL) THEN 2 WHEN (CAST($1::UUID AS UUID) IS NOT NULL) THEN 3 ELSE 4 END AS reach, self.role AS role, here.access AS access
FROM "eik".site AS here LEFT OUTER JOIN "eik".member AS self ON self.account_id = CAST($1::UUID AS UUID) AND self.left_at IS NULL)
 SELECT site_1.state, json_build_object('name', site_1.name, 'groups', json_build_object('totalCount', (SELECT count(*) AS count_1
FROM "eik"."group" AS group_1
WHERE (SELECT standing.clearance
FROM standing) < 99 AND (greatest(group_1.access, 2) >= (SELECT standing.clearance
FROM standing) AND (SELECT standing.access
FROM standing) >= (SELECT standing.clearance
FROM standing) OR (EXISTS (SELECT group_member_1.group_id
FROM "eik".group_member AS group_member_1
WHERE group_member_1.group_id = group_1.id AND group_member_1.account_id = CAST($1::UUID AS UUID) AND (SELECT standing.role
FROM standing) IS NOT NULL)))))) AS json_build_object_1
FROM "eik".site AS site_1
WHERE greatest(site_1.visibility, site_1.access) >= (SELECT standing.reach
FROM standing);

-- as eik
WITH standing AS
(SELECT CASE WHEN (here.state != 'ACTIVE') THEN 99 WHEN (self.role >= 4) THEN 1 WHEN (self.role > 0) THEN 2 WHEN (CAST($1::UUID AS UUID) IS NOT NULL) THEN 3 ELSE 4 END AS clearance, CASE WHEN (self.role IS NOT NULL) THEN 2 WHEN (CAST($1::UUID AS UUID) IS NOT NULL) THEN 3 ELSE 4 END AS reach, self.role AS role, here.access AS access
FROM "eik".site AS here LEFT OUTER JOIN "eik".member AS self ON self.account_id = CAST($1::UUID AS UUID) AND self.left_at IS NULL)
 SELECT site_1.state, json_build_object('name', site_1.name, 'state', site_1.state, 'viewerMembership', (SELECT json_build_object('role', (ARRAY['GUEST', 'MEMBER', 'MODERATOR', 'EDITOR', 'ADMIN', 'OWNER'])[(member_1.role + 1)]) AS json_build_object_2
FROM "eik".member AS member_1
WHERE member_1.account_id = CAST($1::UUID AS UUID) AND member_1.left_at IS NULL)) AS json_build_object_1
FROM "eik".site AS site_1
WHERE greatest(site_1.visibility, site_1.access) >= (SELECT standing.reach
FROM standing);

-- as eik
WITH standing AS
(SELECT CASE WHEN (here.state != 'ACTIVE') THEN 99 WHEN (self.role >= 4) THEN 1 WHEN (self.role > 0) THEN 2 WHEN (CAST($2::UUID AS UUID) IS NOT NULL) THEN 3 ELSE 4 END AS clearance, CASE WHEN (self.role IS NOT NULL) THEN 2 WHEN (CAST($2::UUID AS UUID) IS NOT NULL) THEN 3 ELSE 4 END AS reach, self.role AS role, here.access AS access
FROM "eik".site AS here LEFT OUTER JOIN "eik".member AS self ON self.account_id = CAST($2::UUID AS UUID) AND self.left_at IS NULL)
 SELECT site_1.state, json_build_object('name', site_1.name, 'groups', CAST($1::VARCHAR AS TEXT)) AS json_build_object_1
FROM "eik".site AS site_1
WHERE greatest(site_1.visibility, site_1.access) >= (SELECT standing.reach
FROM standing);

-- as eik
WITH standing AS
(SELECT CASE WHEN (here.state != 'ACTIVE') THEN 99 WHEN (self.role >= 4) THEN 1 WHEN (self.role > 0) THEN 2 WHEN (CAST($2::UUID AS UUID) IS NOT NULL) THEN 3 ELSE 4 END AS clearance, CASE WHEN (self.role IS NOT NULL) THEN 2 WHEN (CAST($2::UUID AS UUID) IS NOT NULL) THEN 3 ELSE 4 END AS reach, self.role AS role, here.access AS access
FROM "eik".site AS here LEFT OUTER JOIN "eik".member AS self ON self.account_id = CAST($2::UUID AS UUID) AND self.left_at IS NULL)
 SELECT site_1.state, json_build_object('name', site_1.name, 'state', site_1.state, 'viewerMembership', CAST($1::VARCHAR AS TEXT)) AS json_build_object_1
FROM "eik".site AS site_1
WHERE greatest(site_1.visibility, site_1.access) >= (SELECT standing.reach
FROM standing);
