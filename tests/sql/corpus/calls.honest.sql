SELECT c.name, c.version FROM customers c
SELECT c.date, c."left", c.count FROM customers c
SELECT (c.addr).city FROM customers c
SELECT (c.addr).*, (c.addr).street AS s FROM customers c
SELECT ((c.home).addr).city, (c.home).zip FROM customers c
SELECT (home).addr.city FROM customers
SELECT (c).name, (c).addr FROM customers c
SELECT ((c).addr).city FROM customers c
SELECT (c.*).name FROM customers c
SELECT c.homes[1].city FROM customers c
SELECT (c.homes)[1].street FROM customers c
SELECT s.count FROM (SELECT count(*) FROM orders) s
SELECT s.sum, s.max FROM (SELECT sum(total), max(id) FROM orders) s
SELECT x.full_name FROM (SELECT name AS full_name FROM customers) x
SELECT upper(x.full_name) FROM (SELECT name AS full_name FROM customers) x WHERE x.full_name <> '' ORDER BY x.full_name
WITH x AS (SELECT name AS full_name, id FROM customers) SELECT x.full_name, o.id FROM x JOIN orders o ON o.id = x.id
WITH x(full_name) AS (SELECT name FROM customers) SELECT x.full_name FROM x
WITH x AS (SELECT 1 AS fn) SELECT x.fn FROM x
WITH x AS (SELECT 1 AS fn), y AS (SELECT x.fn FROM x) SELECT y.fn FROM y
SELECT y.fn FROM (SELECT x.* FROM (SELECT 2 AS fn) x) y
SELECT v.fn FROM (VALUES (1), (2)) v(fn)
SELECT g.fn FROM generate_series(1, 3) AS g(fn)
SELECT u.more FROM unnest(ARRAY[1, 2]) AS u(more)
SELECT j.fn FROM jsonb_to_recordset('[{"fn": 1}]') AS j(fn int)
SELECT l.fn FROM orders o, LATERAL (SELECT o.id AS fn) l
SELECT l.fn FROM orders o CROSS JOIN LATERAL (SELECT o.total AS fn) AS l WHERE l.fn > 1
WITH RECURSIVE r(fn) AS (SELECT 1 UNION ALL SELECT r.fn + 1 FROM r WHERE r.fn < 3) SELECT r.fn FROM r
SELECT a.fn FROM orders AS a(fn)
SELECT a.fn, a.total FROM orders AS a(fn)
SELECT public.orders.id, orders.note FROM orders
SELECT public.orders.id FROM public.orders WHERE public.orders.total > 1 GROUP BY public.orders.id
SELECT o.ctid, o.tableoid, o.xmin FROM orders o
SELECT o.tableoid::regclass FROM orders o
SELECT c."fullName", c."Full Name", "c"."name" FROM customers AS c
SELECT C.NAME, C.Version FROM Customers C
SELECT c . name, c/* x */./* y */version FROM customers c
SELECT data->'a'->>'b', c.data #>> '{a,b}', c.data['a'] FROM customers c
SELECT c.data->'fn', c.data @> '{"fn": 1}', c.data ? 'fn' FROM customers c
SELECT e.key, e.value FROM customers c, jsonb_each(c.data) e
SELECT (jsonb_each(c.data)).key FROM customers c
SELECT (e).value FROM customers c, jsonb_each(c.data) e
SELECT t.tag, t.nth FROM customers c, unnest(c.tags) WITH ORDINALITY AS t(tag, nth)
SELECT (ROW(1, 2)).f1, (ROW(1, 2)).f2
SELECT v.column1, v.column2 FROM (VALUES (1, 'a')) v
SELECT s."?column?" FROM (SELECT 1) s
SELECT (SELECT c FROM customers c LIMIT 1).name
SELECT (x).m FROM (SELECT 1 AS m) x
SELECT o.id FROM orders o JOIN customers c USING (id) WHERE c.name = 'Ann'
SELECT j.id FROM (orders o JOIN customers c USING (id)) j
SELECT o.id FROM (orders o JOIN customers c ON c.id = o.customer)
SELECT o.id FROM orders o LEFT JOIN (SELECT 1 AS id) p ON p.id = o.id
SELECT 1 FROM orders o WHERE EXISTS (SELECT 1 FROM customers c WHERE c.id = o.customer)
SELECT o.id FROM orders o GROUP BY (o.id)
SELECT o.id, o.note FROM orders o GROUP BY CUBE (o.id, o.note)
SELECT o.id, count(*) FROM orders o GROUP BY ROLLUP (o.id)
SELECT o.id, count(*) FROM orders o GROUP BY GROUPING SETS ((o.id), CUBE (o.id), ROLLUP (o.note), ())
SELECT array_agg(o.id ORDER BY o.total DESC), count(*) FILTER (WHERE o.total > 1) FROM orders o
SELECT row_number() OVER (PARTITION BY o.customer ORDER BY o.total), lag(o.total) OVER w FROM orders o WINDOW w AS (ORDER BY o.id)
SELECT sum(o.total) OVER (PARTITION BY (o.customer) ORDER BY (o.id) ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) FROM orders o
SELECT DISTINCT ON (o.customer) o.customer, o.total FROM orders o ORDER BY o.customer, o.total
SELECT CASE WHEN o.total > 1 THEN o.note ELSE o.id::text END FROM orders o
WITH a AS MATERIALIZED (SELECT 1 AS x), b AS NOT MATERIALIZED (SELECT 2 AS y) SELECT a.x, b.y FROM a, b
SELECT 'a' LIKE ('b'), 'a' NOT LIKE ('b'), 'a' ILIKE ('b'), 'a' NOT ILIKE ('b')
SELECT name LIKE 'A!%' ESCAPE '!' FROM customers
SELECT now()::timestamptz(3), CAST(now() AS timestamptz(3)), timestamptz(3) '2024-01-01', now()::timetz(0)
SELECT 1.23::numeric(10, 2), 'a'::varchar(3), 'a'::char(3), '101'::bit(3), '1'::bpchar(2)
SELECT a.x FROM json_to_recordset('[{"x": "2024-01-01"}]') AS a(x timestamptz(3), y numeric(10, 2), z public.address)
SELECT '(a,b)'::public.address, ('(a,b)'::public.address).city, CAST('(a,b)' AS public.address)
SELECT 1::pg_catalog.int4, pg_catalog.lower('A'), pg_catalog.sqrt(4.0), 'a' COLLATE pg_catalog."C"
SELECT total OPERATOR(pg_catalog.+) 1 FROM orders
SELECT round(total, 2), round(1.55, 1), round(1.5::float8, 0), round(total) FROM orders
SELECT upper(c.name), (c.name).upper FROM customers c
SELECT o.total IN (1, 2), o.id BETWEEN (1) AND (2), o.id = ANY (ARRAY[1, 2]) FROM orders o
SELECT extract(year FROM c.date), date_trunc('month', c.date), c.date + interval '1 day' FROM customers c
SELECT position('n' IN c.name), trim(both 'A' FROM c.name), now() AT TIME ZONE ('UTC') FROM customers c
SELECT c.relname, n.nspname FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace LIMIT 3
SELECT col.column_name FROM information_schema.columns col WHERE col.table_name = 'orders'
SELECT t.typname FROM pg_type t WHERE t.oid = 23
SELECT a.id FROM orders a, orders b WHERE a.id = b.id UNION SELECT c.id FROM customers c EXCEPT (SELECT s.id FROM seen s)
SELECT s.id FROM seen s WHERE s.id > (SELECT avg(x.id) FROM seen x)
SELECT o.id AS fn FROM orders o ORDER BY fn
SELECT fn FROM (SELECT o.id AS fn FROM orders o) q
SELECT q.* FROM (SELECT o.id AS fn, o.* FROM orders o) q
SELECT 'o.fn', '(1).pg_sleep', $$(1).fn$$, E'x.fn' -- (1).fn
SELECT 1 AS by, 2 AS columns, 3 AS materialized, 4 AS "pg_sleep", 5 AS escape
SELECT x.by, x.columns, x.pg_sleep FROM (SELECT 1 AS by, 2 AS columns, 3 AS pg_sleep) x
SELECT orders.id FROM orders TABLESAMPLE system (100) REPEATABLE (1)
SELECT o.id FROM orders o OFFSET (1) FETCH FIRST (2) ROWS ONLY
SELECT jt.n FROM JSON_TABLE('[1, 2]'::jsonb, '$[*]' COLUMNS (n int PATH '$')) jt
EXPLAIN ANALYZE SELECT o.id FROM orders o WHERE o.total > 1
EXPLAIN (ANALYZE, VERBOSE) SELECT x.full_name FROM (SELECT name AS full_name FROM customers) x
TABLE public.orders
SELECT (orders).id, (orders.*).total FROM orders
SELECT (ARRAY['(a,b)'::address])[1].city
SELECT (c.addr).city AS city FROM customers c GROUP BY (c.addr).city HAVING (c.addr).city IS NOT NULL ORDER BY (c.addr).city
