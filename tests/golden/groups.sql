-- as aster
WITH standing AS
(SELECT CASE WHEN (here.state != 'ACTIVE') THEN 99 WHEN (self.role >= 4) THEN 1 WHEN (self.role > 0) THEN 2 WHEN (CAST($1::UUID AS UUID) IS NOT NULL) THEN 3 ELSE 4 END AS clearance, CASE WHEN (self.role IS NOT NULL) THEN 2 WHEN (CAST($1::UUID AS UUID) IS NOT NULL) THEN 3 ELSE 4 END AS reach, self.role AS role, here.access AS access
FROM "aster".site AS here LEFT OUTER JOIN "aster".member AS self ON self.account_id = CAST($1::UUID AS UUID) AND self.left_at IS NULL)
 SELECT site_1.state, json_build_object('groups', (SELECT json_build_object('edges', coalesce(json_agg(json_build_object('node', json_build_object('name', anon_1.name, 'access', (ARRAY['PRIVATE', 'GROUP', 'MEMBERS', 'ACCOUNTS', 'PUBLIC'])[(anon_1.access + 1)], 'viewerIsMember', EXISTS (SELECT group_member_1.group_id
FROM "aster".group_member AS group_member_1
WHERE group_member_1.group_id = anon_1.id AND group_member_1.account_id = CAST($1::UUID AS UUID) AND (SELECT standing.role
FROM standing) IS NOT NULL), 'memberCount', (SELECT count(*) AS count_1
FROM "aster".group_member AS group_member_2 JOIN "aster".member AS member_1 ON member_1.account_id = group_member_2.account_id AND member_1.left_at IS NULL
WHERE group_member_2.group_id = anon_1.id), 'members', (SELECT json_build_object('edges', coalesce(json_agg(json_build_object('node', json_build_object('account', (SELECT json_build_object('name', person_1.name) AS json_build_object_4
FROM "aster".person AS person_1
WHERE person_1.id = anon_2.account_id)))), '[]')) AS json_build_object_3
FROM (SELECT member_2.account_id AS account_id, member_2.role AS role, member_2.joined_at AS joined_at, member_2.left_at AS left_at
FROM "aster".member AS member_2
WHERE member_2.account_id IN (SELECT group_member_3.account_id
FROM "aster".group_member AS group_member_3
WHERE group_member_3.group_id = anon_1.id) AND (SELECT standing.clearance
FROM standing) <= 2 AND (anon_1.access >= (SELECT standing.clearance
FROM standing) OR (EXISTS (SELECT group_member_4.group_id
FROM "aster".group_member AS group_member_4
WHERE group_member_4.group_id = anon_1.id AND group_member_4.account_id = CAST($1::UUID AS UUID) AND (SELECT standing.role
FROM standing) IS NOT NULL))) AND member_2.left_at IS NULL AND (SELECT standing.clearance
FROM standing) <= 2 ORDER BY member_2.joined_at ASC, member_2.account_id ASC
 LIMIT 2) AS anon_2
HAVING true)))), '[]')) AS json_build_object_2
FROM (SELECT group_1.id AS id, group_1.name AS name, group_1.description AS description, group_1.access AS access, group_1.joining AS joining, group_1.version AS version, group_1.created_at AS created_at, group_1.updated_at AS updated_at
FROM "aster"."group" AS group_1
WHERE (SELECT standing.clearance
FROM standing) < 99 AND (greatest(group_1.access, 2) >= (SELECT standing.clearance
FROM standing) AND (SELECT standing.access
FROM standing) >= (SELECT standing.clearance
FROM standing) OR (EXISTS (SELECT group_member_5.group_id
FROM "aster".group_member AS group_member_5
WHERE group_member_5.group_id = group_1.id AND group_member_5.account_id = CAST($1::UUID AS UUID) AND (SELECT standing.role
FROM standing) IS NOT NULL))) ORDER BY group_1.name ASC, group_1.id ASC
 LIMIT 20) AS anon_1
HAVING true)) AS json_build_object_1
FROM "aster".site AS site_1
WHERE greatest(site_1.visibility, site_1.access) >= (SELECT standing.reach
FROM standing);
