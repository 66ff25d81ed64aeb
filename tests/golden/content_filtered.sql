-- as aster
WITH standing AS
(SELECT CASE WHEN (here.state != 'ACTIVE') THEN 99 WHEN (self.role >= 4) THEN 1 WHEN (self.role > 0) THEN 2 WHEN (CAST($1::UUID AS UUID) IS NOT NULL) THEN 3 ELSE 4 END AS clearance, CASE WHEN (self.role IS NOT NULL) THEN 2 WHEN (CAST($1::UUID AS UUID) IS NOT NULL) THEN 3 ELSE 4 END AS reach, self.role AS role, here.access AS access
FROM "aster".site AS here LEFT OUTER JOIN "aster".member AS self ON self.account_id = CAST($1::UUID AS UUID) AND self.left_at IS NULL)
 SELECT site_1.state, json_build_object('content', (SELECT json_build_object('totalCount', (SELECT count(*) AS count_1
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
FROM standing) IS NOT NULL) AND content_1.kind = any(CAST($2::TEXT[] AS TEXT[])) AND strpos(lower(content_1.title), lower(CAST($3::VARCHAR AS TEXT))) > 0 AND content_1.published_at > CAST($4::TIMESTAMP WITH TIME ZONE AS TIMESTAMP WITH TIME ZONE)), 'edges', coalesce(json_agg(json_build_object('node', json_build_object('kind', anon_1.kind, 'title', anon_1.title, 'tags', anon_1.tags))), '[]')) AS json_build_object_2
FROM (SELECT content_2.id AS id, content_2.kind AS kind, content_2.title AS title, content_2.body AS body, content_2.author_id AS author_id, content_2.group_id AS group_id, content_2.access AS access, content_2.tags AS tags, content_2.details AS details, content_2.version AS version, content_2.published_at AS published_at, content_2.created_at AS created_at, content_2.updated_at AS updated_at, content_2.deleted_at AS deleted_at, content_2.search AS search
FROM "aster".content AS content_2
WHERE content_2.deleted_at IS NULL AND (SELECT standing.clearance
FROM standing) < 99 AND (content_2.access >= (SELECT standing.clearance
FROM standing) AND (SELECT standing.access
FROM standing) >= (SELECT standing.clearance
FROM standing) AND (content_2.group_id IS NULL OR (SELECT group_2.access
FROM "aster"."group" AS group_2
WHERE group_2.id = content_2.group_id) >= (SELECT standing.clearance
FROM standing)) OR content_2.access >= 1 AND (EXISTS (SELECT group_member_2.group_id
FROM "aster".group_member AS group_member_2
WHERE group_member_2.group_id = content_2.group_id AND group_member_2.account_id = CAST($1::UUID AS UUID) AND (SELECT standing.role
FROM standing) IS NOT NULL)) OR content_2.author_id = CAST($1::UUID AS UUID) AND (SELECT standing.role
FROM standing) IS NOT NULL) AND content_2.kind = any(CAST($2::TEXT[] AS TEXT[])) AND strpos(lower(content_2.title), lower(CAST($3::VARCHAR AS TEXT))) > 0 AND content_2.published_at > CAST($4::TIMESTAMP WITH TIME ZONE AS TIMESTAMP WITH TIME ZONE) ORDER BY content_2.published_at DESC, content_2.id DESC
 LIMIT 20) AS anon_1
HAVING true)) AS json_build_object_1
FROM "aster".site AS site_1
WHERE greatest(site_1.visibility, site_1.access) >= (SELECT standing.reach
FROM standing);
