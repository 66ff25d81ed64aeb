-- as aster
WITH standing AS
(SELECT CASE WHEN (here.state != 'ACTIVE') THEN 99 WHEN (self.role >= 4) THEN 1 WHEN (self.role > 0) THEN 2 WHEN (CAST($1::UUID AS UUID) IS NOT NULL) THEN 3 ELSE 4 END AS clearance, CASE WHEN (self.role IS NOT NULL) THEN 2 WHEN (CAST($1::UUID AS UUID) IS NOT NULL) THEN 3 ELSE 4 END AS reach, self.role AS role, here.access AS access
FROM "aster".site AS here LEFT OUTER JOIN "aster".member AS self ON self.account_id = CAST($1::UUID AS UUID) AND self.left_at IS NULL)
 SELECT site_1.state, json_build_object('content', (SELECT json_build_object('edges', coalesce(json_agg(json_build_object('node', json_build_object('kind', anon_1.kind, 'title', anon_1.title, 'publishedAt', anon_1.published_at, 'author', (SELECT json_build_object('role', (ARRAY['GUEST', 'MEMBER', 'MODERATOR', 'EDITOR', 'ADMIN', 'OWNER'])[(member_1.role + 1)], 'account', (SELECT json_build_object('name', person_1.name) AS json_build_object_4
FROM "aster".person AS person_1
WHERE person_1.id = member_1.account_id)) AS json_build_object_3
FROM "aster".member AS member_1
WHERE member_1.account_id = anon_1.author_id)))), '[]')) AS json_build_object_2
FROM (SELECT content_1.id AS id, content_1.kind AS kind, content_1.title AS title, content_1.body AS body, content_1.author_id AS author_id, content_1.group_id AS group_id, content_1.access AS access, content_1.tags AS tags, content_1.details AS details, content_1.version AS version, content_1.published_at AS published_at, content_1.created_at AS created_at, content_1.updated_at AS updated_at, content_1.deleted_at AS deleted_at, content_1.search AS search
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
FROM standing) IS NOT NULL) ORDER BY content_1.published_at DESC, content_1.id DESC
 LIMIT 3) AS anon_1
HAVING true)) AS json_build_object_1
FROM "aster".site AS site_1
WHERE greatest(site_1.visibility, site_1.access) >= (SELECT standing.reach
FROM standing);
