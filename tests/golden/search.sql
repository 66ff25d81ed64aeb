-- as aster
WITH standing AS
(SELECT CASE WHEN (here.state != 'ACTIVE') THEN 99 WHEN (self.role >= 4) THEN 1 WHEN (self.role > 0) THEN 2 WHEN (CAST($2::UUID AS UUID) IS NOT NULL) THEN 3 ELSE 4 END AS clearance, CASE WHEN (self.role IS NOT NULL) THEN 2 WHEN (CAST($2::UUID AS UUID) IS NOT NULL) THEN 3 ELSE 4 END AS reach, self.role AS role, here.access AS access
FROM "aster".site AS here LEFT OUTER JOIN "aster".member AS self ON self.account_id = CAST($2::UUID AS UUID) AND self.left_at IS NULL)
 SELECT 'C' AS anon_1, CAST(content_1.id AS TEXT) AS id, CAST(json_build_object('title', content_1.title, 'site', (SELECT json_build_object('slug', site_1.slug) AS json_build_object_2
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

-- as aster
WITH standing AS
(SELECT CASE WHEN (here.state != 'ACTIVE') THEN 99 WHEN (self.role >= 4) THEN 1 WHEN (self.role > 0) THEN 2 WHEN (CAST($2::UUID AS UUID) IS NOT NULL) THEN 3 ELSE 4 END AS clearance, CASE WHEN (self.role IS NOT NULL) THEN 2 WHEN (CAST($2::UUID AS UUID) IS NOT NULL) THEN 3 ELSE 4 END AS reach, self.role AS role, here.access AS access
FROM "aster".site AS here LEFT OUTER JOIN "aster".member AS self ON self.account_id = CAST($2::UUID AS UUID) AND self.left_at IS NULL)
 SELECT anon_1.id, anon_1.rank
FROM (SELECT content_1.id AS id, ts_rank(content_1.search, websearch_to_tsquery(CAST('pg_catalog.dutch' AS REGCONFIG), CAST($1::VARCHAR AS TEXT))) AS rank
FROM "aster".content AS content_1
WHERE (content_1.search @@ websearch_to_tsquery(CAST('pg_catalog.dutch' AS REGCONFIG), CAST($1::VARCHAR AS TEXT))) AND content_1.deleted_at IS NULL AND (SELECT standing.clearance
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
FROM standing) IS NOT NULL)) AS anon_1 ORDER BY anon_1.rank DESC, anon_1.id DESC
 LIMIT 4;

-- as aster
WITH standing AS
(SELECT CASE WHEN (here.state != 'ACTIVE') THEN 99 WHEN (self.role >= 4) THEN 1 WHEN (self.role > 0) THEN 2 WHEN (CAST($2::UUID AS UUID) IS NOT NULL) THEN 3 ELSE 4 END AS clearance, CASE WHEN (self.role IS NOT NULL) THEN 2 WHEN (CAST($2::UUID AS UUID) IS NOT NULL) THEN 3 ELSE 4 END AS reach, self.role AS role, here.access AS access
FROM "aster".site AS here LEFT OUTER JOIN "aster".member AS self ON self.account_id = CAST($2::UUID AS UUID) AND self.left_at IS NULL)
 SELECT count(*) AS count_1
FROM "aster".content AS content_1
WHERE (content_1.search @@ websearch_to_tsquery(CAST('pg_catalog.dutch' AS REGCONFIG), CAST($1::VARCHAR AS TEXT))) AND content_1.deleted_at IS NULL AND (SELECT standing.clearance
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

-- as beuk
WITH standing AS
(SELECT CASE WHEN (here.state != 'ACTIVE') THEN 99 WHEN (self.role >= 4) THEN 1 WHEN (self.role > 0) THEN 2 WHEN (CAST($2::UUID AS UUID) IS NOT NULL) THEN 3 ELSE 4 END AS clearance, CASE WHEN (self.role IS NOT NULL) THEN 2 WHEN (CAST($2::UUID AS UUID) IS NOT NULL) THEN 3 ELSE 4 END AS reach, self.role AS role, here.access AS access
FROM "beuk".site AS here LEFT OUTER JOIN "beuk".member AS self ON self.account_id = CAST($2::UUID AS UUID) AND self.left_at IS NULL)
 SELECT anon_1.id, anon_1.rank
FROM (SELECT content_1.id AS id, ts_rank(content_1.search, websearch_to_tsquery(CAST('pg_catalog.dutch' AS REGCONFIG), CAST($1::VARCHAR AS TEXT))) AS rank
FROM "beuk".content AS content_1
WHERE (content_1.search @@ websearch_to_tsquery(CAST('pg_catalog.dutch' AS REGCONFIG), CAST($1::VARCHAR AS TEXT))) AND content_1.deleted_at IS NULL AND (SELECT standing.clearance
FROM standing) < 99 AND (content_1.access >= (SELECT standing.clearance
FROM standing) AND (SELECT standing.access
FROM standing) >= (SELECT standing.clearance
FROM standing) AND (content_1.group_id IS NULL OR (SELECT group_1.access
FROM "beuk"."group" AS group_1
WHERE group_1.id = content_1.group_id) >= (SELECT standing.clearance
FROM standing)) OR content_1.access >= 1 AND (EXISTS (SELECT group_member_1.group_id
FROM "beuk".group_member AS group_member_1
WHERE group_member_1.group_id = content_1.group_id AND group_member_1.account_id = CAST($2::UUID AS UUID) AND (SELECT standing.role
FROM standing) IS NOT NULL)) OR content_1.author_id = CAST($2::UUID AS UUID) AND (SELECT standing.role
FROM standing) IS NOT NULL)) AS anon_1 ORDER BY anon_1.rank DESC, anon_1.id DESC
 LIMIT 4;

-- as beuk
WITH standing AS
(SELECT CASE WHEN (here.state != 'ACTIVE') THEN 99 WHEN (self.role >= 4) THEN 1 WHEN (self.role > 0) THEN 2 WHEN (CAST($2::UUID AS UUID) IS NOT NULL) THEN 3 ELSE 4 END AS clearance, CASE WHEN (self.role IS NOT NULL) THEN 2 WHEN (CAST($2::UUID AS UUID) IS NOT NULL) THEN 3 ELSE 4 END AS reach, self.role AS role, here.access AS access
FROM "beuk".site AS here LEFT OUTER JOIN "beuk".member AS self ON self.account_id = CAST($2::UUID AS UUID) AND self.left_at IS NULL)
 SELECT count(*) AS count_1
FROM "beuk".content AS content_1
WHERE (content_1.search @@ websearch_to_tsquery(CAST('pg_catalog.dutch' AS REGCONFIG), CAST($1::VARCHAR AS TEXT))) AND content_1.deleted_at IS NULL AND (SELECT standing.clearance
FROM standing) < 99 AND (content_1.access >= (SELECT standing.clearance
FROM standing) AND (SELECT standing.access
FROM standing) >= (SELECT standing.clearance
FROM standing) AND (content_1.group_id IS NULL OR (SELECT group_1.access
FROM "beuk"."group" AS group_1
WHERE group_1.id = content_1.group_id) >= (SELECT standing.clearance
FROM standing)) OR content_1.access >= 1 AND (EXISTS (SELECT group_member_1.group_id
FROM "beuk".group_member AS group_member_1
WHERE group_member_1.group_id = content_1.group_id AND group_member_1.account_id = CAST($2::UUID AS UUID) AND (SELECT standing.role
FROM standing) IS NOT NULL)) OR content_1.author_id = CAST($2::UUID AS UUID) AND (SELECT standing.role
FROM standing) IS NOT NULL);

-- as ceder
WITH standing AS
(SELECT CASE WHEN (here.state != 'ACTIVE') THEN 99 WHEN (self.role >= 4) THEN 1 WHEN (self.role > 0) THEN 2 WHEN (CAST($2::UUID AS UUID) IS NOT NULL) THEN 3 ELSE 4 END AS clearance, CASE WHEN (self.role IS NOT NULL) THEN 2 WHEN (CAST($2::UUID AS UUID) IS NOT NULL) THEN 3 ELSE 4 END AS reach, self.role AS role, here.access AS access
FROM "ceder".site AS here LEFT OUTER JOIN "ceder".member AS self ON self.account_id = CAST($2::UUID AS UUID) AND self.left_at IS NULL)
 SELECT anon_1.id, anon_1.rank
FROM (SELECT content_1.id AS id, ts_rank(content_1.search, websearch_to_tsquery(CAST('pg_catalog.dutch' AS REGCONFIG), CAST($1::VARCHAR AS TEXT))) AS rank
FROM "ceder".content AS content_1
WHERE (content_1.search @@ websearch_to_tsquery(CAST('pg_catalog.dutch' AS REGCONFIG), CAST($1::VARCHAR AS TEXT))) AND content_1.deleted_at IS NULL AND (SELECT standing.clearance
FROM standing) < 99 AND (content_1.access >= (SELECT standing.clearance
FROM standing) AND (SELECT standing.access
FROM standing) >= (SELECT standing.clearance
FROM standing) AND (content_1.group_id IS NULL OR (SELECT group_1.access
FROM "ceder"."group" AS group_1
WHERE group_1.id = content_1.group_id) >= (SELECT standing.clearance
FROM standing)) OR content_1.access >= 1 AND (EXISTS (SELECT group_member_1.group_id
FROM "ceder".group_member AS group_member_1
WHERE group_member_1.group_id = content_1.group_id AND group_member_1.account_id = CAST($2::UUID AS UUID) AND (SELECT standing.role
FROM standing) IS NOT NULL)) OR content_1.author_id = CAST($2::UUID AS UUID) AND (SELECT standing.role
FROM standing) IS NOT NULL)) AS anon_1 ORDER BY anon_1.rank DESC, anon_1.id DESC
 LIMIT 4;

-- as ceder
WITH standing AS
(SELECT CASE WHEN (here.state != 'ACTIVE') THEN 99 WHEN (self.role >= 4) THEN 1 WHEN (self.role > 0) THEN 2 WHEN (CAST($2::UUID AS UUID) IS NOT NULL) THEN 3 ELSE 4 END AS clearance, CASE WHEN (self.role IS NOT NULL) THEN 2 WHEN (CAST($2::UUID AS UUID) IS NOT NULL) THEN 3 ELSE 4 END AS reach, self.role AS role, here.access AS access
FROM "ceder".site AS here LEFT OUTER JOIN "ceder".member AS self ON self.account_id = CAST($2::UUID AS UUID) AND self.left_at IS NULL)
 SELECT count(*) AS count_1
FROM "ceder".content AS content_1
WHERE (content_1.search @@ websearch_to_tsquery(CAST('pg_catalog.dutch' AS REGCONFIG), CAST($1::VARCHAR AS TEXT))) AND content_1.deleted_at IS NULL AND (SELECT standing.clearance
FROM standing) < 99 AND (content_1.access >= (SELECT standing.clearance
FROM standing) AND (SELECT standing.access
FROM standing) >= (SELECT standing.clearance
FROM standing) AND (content_1.group_id IS NULL OR (SELECT group_1.access
FROM "ceder"."group" AS group_1
WHERE group_1.id = content_1.group_id) >= (SELECT standing.clearance
FROM standing)) OR content_1.access >= 1 AND (EXISTS (SELECT group_member_1.group_id
FROM "ceder".group_member AS group_member_1
WHERE group_member_1.group_id = content_1.group_id AND group_member_1.account_id = CAST($2::UUID AS UUID) AND (SELECT standing.role
FROM standing) IS NOT NULL)) OR content_1.author_id = CAST($2::UUID AS UUID) AND (SELECT standing.role
FROM standing) IS NOT NULL);

-- as den
WITH standing AS
(SELECT CASE WHEN (here.state != 'ACTIVE') THEN 99 WHEN (self.role >= 4) THEN 1 WHEN (self.role > 0) THEN 2 WHEN (CAST($2::UUID AS UUID) IS NOT NULL) THEN 3 ELSE 4 END AS clearance, CASE WHEN (self.role IS NOT NULL) THEN 2 WHEN (CAST($2::UUID AS UUID) IS NOT NULL) THEN 3 ELSE 4 END AS reach, self.role AS role, here.access AS access
FROM "den".site AS here LEFT OUTER JOIN "den".member AS self ON self.account_id = CAST($2::UUID AS UUID) AND self.left_at IS NULL)
 SELECT 'C' AS anon_1, CAST(content_1.id AS TEXT) AS id, CAST(json_build_object('title', content_1.title, 'site', (SELECT json_build_object('slug', site_1.slug) AS json_build_object_2
FROM "den".site AS site_1
WHERE true)) AS TEXT) AS json_build_object_1
FROM "den".content AS content_1
WHERE content_1.id = any(CAST($1::UUID[] AS UUID[])) AND content_1.deleted_at IS NULL AND (SELECT standing.clearance
FROM standing) < 99 AND (content_1.access >= (SELECT standing.clearance
FROM standing) AND (SELECT standing.access
FROM standing) >= (SELECT standing.clearance
FROM standing) AND (content_1.group_id IS NULL OR (SELECT group_1.access
FROM "den"."group" AS group_1
WHERE group_1.id = content_1.group_id) >= (SELECT standing.clearance
FROM standing)) OR content_1.access >= 1 AND (EXISTS (SELECT group_member_1.group_id
FROM "den".group_member AS group_member_1
WHERE group_member_1.group_id = content_1.group_id AND group_member_1.account_id = CAST($2::UUID AS UUID) AND (SELECT standing.role
FROM standing) IS NOT NULL)) OR content_1.author_id = CAST($2::UUID AS UUID) AND (SELECT standing.role
FROM standing) IS NOT NULL);

-- as den
WITH standing AS
(SELECT CASE WHEN (here.state != 'ACTIVE') THEN 99 WHEN (self.role >= 4) THEN 1 WHEN (self.role > 0) THEN 2 WHEN (CAST($2::UUID AS UUID) IS NOT NULL) THEN 3 ELSE 4 END AS clearance, CASE WHEN (self.role IS NOT NULL) THEN 2 WHEN (CAST($2::UUID AS UUID) IS NOT NULL) THEN 3 ELSE 4 END AS reach, self.role AS role, here.access AS access
FROM "den".site AS here LEFT OUTER JOIN "den".member AS self ON self.account_id = CAST($2::UUID AS UUID) AND self.left_at IS NULL)
 SELECT anon_1.id, anon_1.rank
FROM (SELECT content_1.id AS id, ts_rank(content_1.search, websearch_to_tsquery(CAST('pg_catalog.dutch' AS REGCONFIG), CAST($1::VARCHAR AS TEXT))) AS rank
FROM "den".content AS content_1
WHERE (content_1.search @@ websearch_to_tsquery(CAST('pg_catalog.dutch' AS REGCONFIG), CAST($1::VARCHAR AS TEXT))) AND content_1.deleted_at IS NULL AND (SELECT standing.clearance
FROM standing) < 99 AND (content_1.access >= (SELECT standing.clearance
FROM standing) AND (SELECT standing.access
FROM standing) >= (SELECT standing.clearance
FROM standing) AND (content_1.group_id IS NULL OR (SELECT group_1.access
FROM "den"."group" AS group_1
WHERE group_1.id = content_1.group_id) >= (SELECT standing.clearance
FROM standing)) OR content_1.access >= 1 AND (EXISTS (SELECT group_member_1.group_id
FROM "den".group_member AS group_member_1
WHERE group_member_1.group_id = content_1.group_id AND group_member_1.account_id = CAST($2::UUID AS UUID) AND (SELECT standing.role
FROM standing) IS NOT NULL)) OR content_1.author_id = CAST($2::UUID AS UUID) AND (SELECT standing.role
FROM standing) IS NOT NULL)) AS anon_1 ORDER BY anon_1.rank DESC, anon_1.id DESC
 LIMIT 4;

-- as den
WITH standing AS
(SELECT CASE WHEN (here.state != 'ACTIVE') THEN 99 WHEN (self.role >= 4) THEN 1 WHEN (self.role > 0) THEN 2 WHEN (CAST($2::UUID AS UUID) IS NOT NULL) THEN 3 ELSE 4 END AS clearance, CASE WHEN (self.role IS NOT NULL) THEN 2 WHEN (CAST($2::UUID AS UUID) IS NOT NULL) THEN 3 ELSE 4 END AS reach, self.role AS role, here.access AS access
FROM "den".site AS here LEFT OUTER JOIN "den".member AS self ON self.account_id = CAST($2::UUID AS UUID) AND self.left_at IS NULL)
 SELECT count(*) AS count_1
FROM "den".content AS content_1
WHERE (content_1.search @@ websearch_to_tsquery(CAST('pg_catalog.dutch' AS REGCONFIG), CAST($1::VARCHAR AS TEXT))) AND content_1.deleted_at IS NULL AND (SELECT standing.clearance
FROM standing) < 99 AND (content_1.access >= (SELECT standing.clearance
FROM standing) AND (SELECT standing.access
FROM standing) >= (SELECT standing.clearance
FROM standing) AND (content_1.group_id IS NULL OR (SELECT group_1.access
FROM "den"."group" AS group_1
WHERE group_1.id = content_1.group_id) >= (SELECT standing.clearance
FROM standing)) OR content_1.access >= 1 AND (EXISTS (SELECT group_member_1.group_id
FROM "den".group_member AS group_member_1
WHERE group_member_1.group_id = content_1.group_id AND group_member_1.account_id = CAST($2::UUID AS UUID) AND (SELECT standing.role
FROM standing) IS NOT NULL)) OR content_1.author_id = CAST($2::UUID AS UUID) AND (SELECT standing.role
FROM standing) IS NOT NULL);

-- as fluit
WITH standing AS
(SELECT CASE WHEN (here.state != 'ACTIVE') THEN 99 WHEN (self.role >= 4) THEN 1 WHEN (self.role > 0) THEN 2 WHEN (CAST($2::UUID AS UUID) IS NOT NULL) THEN 3 ELSE 4 END AS clearance, CASE WHEN (self.role IS NOT NULL) THEN 2 WHEN (CAST($2::UUID AS UUID) IS NOT NULL) THEN 3 ELSE 4 END AS reach, self.role AS role, here.access AS access
FROM "fluit".site AS here LEFT OUTER JOIN "fluit".member AS self ON self.account_id = CAST($2::UUID AS UUID) AND self.left_at IS NULL)
 SELECT 'C' AS anon_1, CAST(content_1.id AS TEXT) AS id, CAST(json_build_object('title', content_1.title, 'site', (SELECT json_build_object('slug', site_1.slug) AS json_build_object_2
FROM "fluit".site AS site_1
WHERE true)) AS TEXT) AS json_build_object_1
FROM "fluit".content AS content_1
WHERE content_1.id = any(CAST($1::UUID[] AS UUID[])) AND content_1.deleted_at IS NULL AND (SELECT standing.clearance
FROM standing) < 99 AND (content_1.access >= (SELECT standing.clearance
FROM standing) AND (SELECT standing.access
FROM standing) >= (SELECT standing.clearance
FROM standing) AND (content_1.group_id IS NULL OR (SELECT group_1.access
FROM "fluit"."group" AS group_1
WHERE group_1.id = content_1.group_id) >= (SELECT standing.clearance
FROM standing)) OR content_1.access >= 1 AND (EXISTS (SELECT group_member_1.group_id
FROM "fluit".group_member AS group_member_1
WHERE group_member_1.group_id = content_1.group_id AND group_member_1.account_id = CAST($2::UUID AS UUID) AND (SELECT standing.role
FROM standing) IS NOT NULL)) OR content_1.author_id = CAST($2::UUID AS UUID) AND (SELECT standing.role
FROM standing) IS NOT NULL);

-- as fluit
WITH standing AS
(SELECT CASE WHEN (here.state != 'ACTIVE') THEN 99 WHEN (self.role >= 4) THEN 1 WHEN (self.role > 0) THEN 2 WHEN (CAST($2::UUID AS UUID) IS NOT NULL) THEN 3 ELSE 4 END AS clearance, CASE WHEN (self.role IS NOT NULL) THEN 2 WHEN (CAST($2::UUID AS UUID) IS NOT NULL) THEN 3 ELSE 4 END AS reach, self.role AS role, here.access AS access
FROM "fluit".site AS here LEFT OUTER JOIN "fluit".member AS self ON self.account_id = CAST($2::UUID AS UUID) AND self.left_at IS NULL)
 SELECT anon_1.id, anon_1.rank
FROM (SELECT content_1.id AS id, ts_rank(content_1.search, websearch_to_tsquery(CAST('pg_catalog.dutch' AS REGCONFIG), CAST($1::VARCHAR AS TEXT))) AS rank
FROM "fluit".content AS content_1
WHERE (content_1.search @@ websearch_to_tsquery(CAST('pg_catalog.dutch' AS REGCONFIG), CAST($1::VARCHAR AS TEXT))) AND content_1.deleted_at IS NULL AND (SELECT standing.clearance
FROM standing) < 99 AND (content_1.access >= (SELECT standing.clearance
FROM standing) AND (SELECT standing.access
FROM standing) >= (SELECT standing.clearance
FROM standing) AND (content_1.group_id IS NULL OR (SELECT group_1.access
FROM "fluit"."group" AS group_1
WHERE group_1.id = content_1.group_id) >= (SELECT standing.clearance
FROM standing)) OR content_1.access >= 1 AND (EXISTS (SELECT group_member_1.group_id
FROM "fluit".group_member AS group_member_1
WHERE group_member_1.group_id = content_1.group_id AND group_member_1.account_id = CAST($2::UUID AS UUID) AND (SELECT standing.role
FROM standing) IS NOT NULL)) OR content_1.author_id = CAST($2::UUID AS UUID) AND (SELECT standing.role
FROM standing) IS NOT NULL)) AS anon_1 ORDER BY anon_1.rank DESC, anon_1.id DESC
 LIMIT 4;

-- as fluit
WITH standing AS
(SELECT CASE WHEN (here.state != 'ACTIVE') THEN 99 WHEN (self.role >= 4) THEN 1 WHEN (self.role > 0) THEN 2 WHEN (CAST($2::UUID AS UUID) IS NOT NULL) THEN 3 ELSE 4 END AS clearance, CASE WHEN (self.role IS NOT NULL) THEN 2 WHEN (CAST($2::UUID AS UUID) IS NOT NULL) THEN 3 ELSE 4 END AS reach, self.role AS role, here.access AS access
FROM "fluit".site AS here LEFT OUTER JOIN "fluit".member AS self ON self.account_id = CAST($2::UUID AS UUID) AND self.left_at IS NULL)
 SELECT count(*) AS count_1
FROM "fluit".content AS content_1
WHERE (content_1.search @@ websearch_to_tsquery(CAST('pg_catalog.dutch' AS REGCONFIG), CAST($1::VARCHAR AS TEXT))) AND content_1.deleted_at IS NULL AND (SELECT standing.clearance
FROM standing) < 99 AND (content_1.access >= (SELECT standing.clearance
FROM standing) AND (SELECT standing.access
FROM standing) >= (SELECT standing.clearance
FROM standing) AND (content_1.group_id IS NULL OR (SELECT group_1.access
FROM "fluit"."group" AS group_1
WHERE group_1.id = content_1.group_id) >= (SELECT standing.clearance
FROM standing)) OR content_1.access >= 1 AND (EXISTS (SELECT group_member_1.group_id
FROM "fluit".group_member AS group_member_1
WHERE group_member_1.group_id = content_1.group_id AND group_member_1.account_id = CAST($2::UUID AS UUID) AND (SELECT standing.role
FROM standing) IS NOT NULL)) OR content_1.author_id = CAST($2::UUID AS UUID) AND (SELECT standing.role
FROM standing) IS NOT NULL);

-- as platform
SELECT tenant_1.id
FROM platform.membership AS membership_1 JOIN platform.tenant AS tenant_1 ON tenant_1.id = membership_1.tenant_id
WHERE membership_1.account_id = CAST($1::UUID AS UUID) AND tenant_1.state = 'ACTIVE' AND (tenant_1.second_factor IS false OR CAST($2 AS BOOLEAN)) AND (cardinality(tenant_1.issuers) = 0 OR CAST($3::VARCHAR AS TEXT) = any(tenant_1.issuers)) ORDER BY membership_1.joined_at, tenant_1.id
 LIMIT 1000;
