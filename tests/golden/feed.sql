-- as aster
WITH standing AS
(SELECT CASE WHEN (here.state != 'ACTIVE') THEN 99 WHEN (self.role >= 4) THEN 1 WHEN (self.role > 0) THEN 2 WHEN (CAST($2::UUID AS UUID) IS NOT NULL) THEN 3 ELSE 4 END AS clearance, CASE WHEN (self.role IS NOT NULL) THEN 2 WHEN (CAST($2::UUID AS UUID) IS NOT NULL) THEN 3 ELSE 4 END AS reach, self.role AS role, here.access AS access
FROM "aster".site AS here LEFT OUTER JOIN "aster".member AS self ON self.account_id = CAST($2::UUID AS UUID) AND self.left_at IS NULL)
 SELECT 'C' AS anon_1, CAST(content_1.id AS TEXT) AS id, CAST(json_build_object('title', content_1.title, 'publishedAt', content_1.published_at, 'site', (SELECT json_build_object('slug', site_1.slug) AS json_build_object_2
FROM "aster".site AS site_1
WHERE true)) AS TEXT) AS json_build_object_1
FROM "aster".content AS content_1
WHERE content_1.id = any(CAST($1::UUID[] AS UUID[])) AND content_1.deleted_at IS NULL AND (SELECT standing.clearance
FROM standing) < 99 AND (content_1.access >= (SELECT standing.clearance
FROM standing) AND (SELECT standing.access
FROM standing) >= (SELECT standing.clearance
FROM standing) AND (content_1.group_id IS NULL OR (SELECT group_1.access
FROM "aster"."group" AS group_1
WHERE group_1.id = content_1.group_id) >= (SELECT standing.clearance
FROM standing)) OR content_1.access >= 1 AND (EXISTS (SELECT group_member_1.group_id
FROM "aster".group_member AS group_member_1
WHERE group_member_1.group_id = content_1.group_id AND group_member_1.account_id = CAST($2::UUID AS UUID) AND (SELECT standing.role
FROM standing) IS NOT NULL)) OR content_1.author_id = CAST($2::UUID AS UUID) AND (SELECT standing.role
FROM standing) IS NOT NULL);

-- as platform
SELECT anon_1.tenant_id, anon_1.content_id, CAST(EXTRACT(epoch FROM anon_1.published_at) * 1000000 AS BIGINT) AS anon_2
FROM platform.membership AS membership_1 JOIN platform.tenant AS tenant_1 ON tenant_1.id = membership_1.tenant_id JOIN LATERAL (SELECT activity_1.tenant_id AS tenant_id, activity_1.published_at AS published_at, activity_1.content_id AS content_id
FROM platform.activity AS activity_1
WHERE activity_1.tenant_id = membership_1.tenant_id AND (activity_1.access >= CASE WHEN (membership_1.role >= 4) THEN 1 WHEN (membership_1.role > 0) THEN 2 ELSE 3 END AND tenant_1.access >= CASE WHEN (membership_1.role >= 4) THEN 1 WHEN (membership_1.role > 0) THEN 2 ELSE 3 END AND (activity_1.group_id IS NULL OR (SELECT ceiling_1.access
FROM platform.ceiling AS ceiling_1
WHERE ceiling_1.tenant_id = activity_1.tenant_id AND ceiling_1.group_id = activity_1.group_id) >= CASE WHEN (membership_1.role >= 4) THEN 1 WHEN (membership_1.role > 0) THEN 2 ELSE 3 END) OR activity_1.access >= 1 AND activity_1.group_id = any(membership_1.group_ids) OR activity_1.author_id = CAST($1::UUID AS UUID)) AND activity_1.kind = any(CAST($2::TEXT[] AS TEXT[])) ORDER BY activity_1.published_at DESC, activity_1.content_id DESC
 LIMIT 5) AS anon_1 ON true
WHERE membership_1.account_id = CAST($1::UUID AS UUID) AND tenant_1.state = 'ACTIVE' AND (tenant_1.second_factor IS false OR CAST($3 AS BOOLEAN)) AND (cardinality(tenant_1.issuers) = 0 OR CAST($4::VARCHAR AS TEXT) = any(tenant_1.issuers)) ORDER BY anon_1.published_at DESC, anon_1.content_id DESC
 LIMIT 5;

-- as platform
SELECT count(*) AS count_1
FROM platform.membership AS membership_1 JOIN platform.tenant AS tenant_1 ON tenant_1.id = membership_1.tenant_id JOIN platform.activity AS activity_1 ON activity_1.tenant_id = tenant_1.id
WHERE membership_1.account_id = CAST($1::UUID AS UUID) AND tenant_1.state = 'ACTIVE' AND (tenant_1.second_factor IS false OR CAST($2 AS BOOLEAN)) AND (cardinality(tenant_1.issuers) = 0 OR CAST($3::VARCHAR AS TEXT) = any(tenant_1.issuers)) AND activity_1.tenant_id = membership_1.tenant_id AND (activity_1.access >= CASE WHEN (membership_1.role >= 4) THEN 1 WHEN (membership_1.role > 0) THEN 2 ELSE 3 END AND tenant_1.access >= CASE WHEN (membership_1.role >= 4) THEN 1 WHEN (membership_1.role > 0) THEN 2 ELSE 3 END AND (activity_1.group_id IS NULL OR (SELECT ceiling_1.access
FROM platform.ceiling AS ceiling_1
WHERE ceiling_1.tenant_id = activity_1.tenant_id AND ceiling_1.group_id = activity_1.group_id) >= CASE WHEN (membership_1.role >= 4) THEN 1 WHEN (membership_1.role > 0) THEN 2 ELSE 3 END) OR activity_1.access >= 1 AND activity_1.group_id = any(membership_1.group_ids) OR activity_1.author_id = CAST($1::UUID AS UUID)) AND activity_1.kind = any(CAST($4::TEXT[] AS TEXT[]));
