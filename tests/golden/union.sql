-- as aster
WITH standing AS
(SELECT CASE WHEN (here.state != 'ACTIVE') THEN 99 WHEN (self.role >= 4) THEN 1 WHEN (self.role > 0) THEN 2 WHEN (CAST($1::UUID AS UUID) IS NOT NULL) THEN 3 ELSE 4 END AS clearance, CASE WHEN (self.role IS NOT NULL) THEN 2 WHEN (CAST($1::UUID AS UUID) IS NOT NULL) THEN 3 ELSE 4 END AS reach, self.role AS role, here.access AS access
FROM "aster".site AS here LEFT OUTER JOIN "aster".member AS self ON self.account_id = CAST($1::UUID AS UUID) AND self.left_at IS NULL)
 SELECT site_1.state, json_build_object('content', (SELECT json_build_object('edges', coalesce(json_agg(json_build_object('node', json_build_object('comments', (SELECT json_build_object('edges', coalesce(json_agg(json_build_object('node', json_build_object('replies', (SELECT json_build_object('edges', coalesce(json_agg(json_build_object('node', json_build_object('subject', CASE WHEN (anon_1.parent_id IS NOT NULL) THEN (SELECT json_build_object('__typename', 'Comment', 'body', comment_1.body, 'subject', CASE WHEN (comment_1.parent_id IS NOT NULL) THEN (SELECT json_build_object() AS json_build_object_6
FROM "aster".comment AS comment_2
WHERE comment_2.id = comment_1.parent_id) ELSE (SELECT json_build_object('title', content_1.title) AS json_build_object_7
FROM "aster".content AS content_1
WHERE content_1.id = comment_1.content_id AND content_1.deleted_at IS NULL AND (SELECT standing.clearance
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
FROM standing) IS NOT NULL)) END) AS json_build_object_5
FROM "aster".comment AS comment_1
WHERE comment_1.id = anon_1.parent_id) ELSE (SELECT json_build_object('__typename', CASE content_2.kind WHEN 'BLOG' THEN 'Blog' WHEN 'NEWS' THEN 'News' WHEN 'DISCUSSION' THEN 'Discussion' WHEN 'QUESTION' THEN 'Question' WHEN 'STATUS' THEN 'Status' WHEN 'PAGE' THEN 'Page' WHEN 'WIKI' THEN 'Wiki' WHEN 'EVENT' THEN 'Event' WHEN 'POLL' THEN 'Poll' END, 'title', content_2.title) AS json_build_object_8
FROM "aster".content AS content_2
WHERE content_2.id = anon_1.content_id AND content_2.deleted_at IS NULL AND (SELECT standing.clearance
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
FROM standing) IS NOT NULL)) END))), '[]')) AS json_build_object_4
FROM (SELECT comment_3.id AS id, comment_3.content_id AS content_id, comment_3.parent_id AS parent_id, comment_3.author_id AS author_id, comment_3.body AS body, comment_3.version AS version, comment_3.created_at AS created_at, comment_3.updated_at AS updated_at
FROM "aster".comment AS comment_3
WHERE comment_3.parent_id = anon_2.id ORDER BY comment_3.created_at ASC, comment_3.id ASC
 LIMIT 1) AS anon_1
HAVING true)))), '[]')) AS json_build_object_3
FROM (SELECT comment_4.id AS id, comment_4.content_id AS content_id, comment_4.parent_id AS parent_id, comment_4.author_id AS author_id, comment_4.body AS body, comment_4.version AS version, comment_4.created_at AS created_at, comment_4.updated_at AS updated_at
FROM "aster".comment AS comment_4
WHERE comment_4.content_id = anon_3.id AND comment_4.parent_id IS NULL ORDER BY comment_4.created_at ASC, comment_4.id ASC
 LIMIT 2) AS anon_2
HAVING true)))), '[]')) AS json_build_object_2
FROM (SELECT content_3.id AS id, content_3.kind AS kind, content_3.title AS title, content_3.body AS body, content_3.author_id AS author_id, content_3.group_id AS group_id, content_3.access AS access, content_3.tags AS tags, content_3.details AS details, content_3.version AS version, content_3.published_at AS published_at, content_3.created_at AS created_at, content_3.updated_at AS updated_at, content_3.deleted_at AS deleted_at, content_3.search AS search
FROM "aster".content AS content_3
WHERE content_3.deleted_at IS NULL AND (SELECT standing.clearance
FROM standing) < 99 AND (content_3.access >= (SELECT standing.clearance
FROM standing) AND (SELECT standing.access
FROM standing) >= (SELECT standing.clearance
FROM standing) AND (content_3.group_id IS NULL OR (SELECT group_3.access
FROM "aster"."group" AS group_3
WHERE group_3.id = content_3.group_id) >= (SELECT standing.clearance
FROM standing)) OR content_3.access >= 1 AND (EXISTS (SELECT group_member_3.group_id
FROM "aster".group_member AS group_member_3
WHERE group_member_3.group_id = content_3.group_id AND group_member_3.account_id = CAST($1::UUID AS UUID) AND (SELECT standing.role
FROM standing) IS NOT NULL)) OR content_3.author_id = CAST($1::UUID AS UUID) AND (SELECT standing.role
FROM standing) IS NOT NULL) ORDER BY content_3.published_at DESC, content_3.id DESC
 LIMIT 4) AS anon_3
HAVING true)) AS json_build_object_1
FROM "aster".site AS site_1
WHERE greatest(site_1.visibility, site_1.access) >= (SELECT standing.reach
FROM standing);
