-- as aster
WITH standing AS
(SELECT CASE WHEN (here.state != 'ACTIVE') THEN 99 WHEN (self.role >= 4) THEN 1 WHEN (self.role > 0) THEN 2 WHEN (CAST($1::UUID AS UUID) IS NOT NULL) THEN 3 ELSE 4 END AS clearance, CASE WHEN (self.role IS NOT NULL) THEN 2 WHEN (CAST($1::UUID AS UUID) IS NOT NULL) THEN 3 ELSE 4 END AS reach, self.role AS role, here.access AS access
FROM "aster".site AS here LEFT OUTER JOIN "aster".member AS self ON self.account_id = CAST($1::UUID AS UUID) AND self.left_at IS NULL)
 SELECT site_1.state, json_build_object('content', (SELECT json_build_object('edges', coalesce(json_agg(json_build_object('node', CASE WHEN (anon_1.kind IN ('BLOG', 'DISCUSSION', 'QUESTION', 'STATUS', 'PAGE', 'WIKI')) THEN json_build_object('__typename', CASE anon_1.kind WHEN 'BLOG' THEN 'Blog' WHEN 'DISCUSSION' THEN 'Discussion' WHEN 'QUESTION' THEN 'Question' WHEN 'STATUS' THEN 'Status' WHEN 'PAGE' THEN 'Page' WHEN 'WIKI' THEN 'Wiki' END, 'excerpt', left(regexp_replace(left(anon_1.body, 600), '\s+', ' ', 'g'), 300)) WHEN (anon_1.kind IN ('NEWS')) THEN json_build_object('__typename', 'News', 'excerpt', left(regexp_replace(left(anon_1.body, 600), '\s+', ' ', 'g'), 300), 'source', CAST(anon_1.details ->> 'source' AS VARCHAR)) WHEN (anon_1.kind IN ('EVENT')) THEN json_build_object('__typename', 'Event', 'excerpt', left(regexp_replace(left(anon_1.body, 600), '\s+', ' ', 'g'), 300), 'startsAt', CAST(anon_1.details ->> 'startsAt' AS VARCHAR), 'endsAt', CAST(anon_1.details ->> 'endsAt' AS VARCHAR), 'location', CAST(anon_1.details ->> 'location' AS VARCHAR)) WHEN (anon_1.kind IN ('POLL')) THEN json_build_object('__typename', 'Poll', 'excerpt', left(regexp_replace(left(anon_1.body, 600), '\s+', ' ', 'g'), 300), 'options', (SELECT coalesce(json_agg(json_build_object('number', anon_2.number, 'text', anon_2.text)), '[]') AS coalesce_1
FROM (SELECT CAST(option.number AS INTEGER) AS number, option.text AS text
FROM jsonb_array_elements_text(anon_1.details['options']) WITH ORDINALITY AS option(text, number) ORDER BY option.number) AS anon_2)) END)), '[]')) AS json_build_object_2
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
FROM standing) IS NOT NULL) ORDER BY content_1.published_at ASC, content_1.id ASC
 LIMIT 9) AS anon_1
HAVING true)) AS json_build_object_1
FROM "aster".site AS site_1
WHERE greatest(site_1.visibility, site_1.access) >= (SELECT standing.reach
FROM standing);
