SELECT 1

SELECT 1;

SELECT count(*) FROM orders

SELECT o.id, c.name FROM orders o JOIN customers c ON c.id = o.customer_id WHERE c.country = 'DE' ORDER BY o.total DESC NULLS LAST LIMIT 10 OFFSET 5

SELECT DISTINCT country FROM customers WHERE country IS NOT NULL

SELECT DISTINCT ON (customer_id) customer_id, id, total FROM orders ORDER BY customer_id, total DESC

SELECT country, count(*) AS n, sum(total), avg(total)::numeric(10,2), min(total), max(total) FROM customers JOIN orders ON orders.customer_id = customers.id GROUP BY country HAVING count(*) > 1

SELECT date_trunc('month', ordered_at) AS month, sum(total) FROM orders GROUP BY 1 ORDER BY 1

SELECT extract(year FROM ordered_at), extract(epoch FROM shipped_at), date_part('dow', ordered_at) FROM orders

SELECT ordered_at AT TIME ZONE 'Europe/Berlin', timezone('UTC', ordered_at) FROM orders

SELECT now() - interval '7 days', current_date - 30, current_timestamp, localtimestamp, current_time, localtime, age(now(), ordered_at) FROM orders LIMIT 1

SELECT id FROM orders WHERE ordered_at >= now() - interval '1 month' AND ordered_at < CURRENT_DATE + INTERVAL '1' DAY

SELECT id FROM orders WHERE ordered_at BETWEEN '2024-01-01' AND date '2024-02-01'

SELECT id, row_number() OVER (PARTITION BY customer_id ORDER BY total DESC) AS rn, rank() OVER w, dense_rank() OVER w, lag(total, 1, 0) OVER w, lead(total) OVER w, ntile(4) OVER w, first_value(total) OVER w, nth_value(total, 2) OVER w, percent_rank() OVER w, cume_dist() OVER w FROM orders WINDOW w AS (PARTITION BY customer_id ORDER BY ordered_at)

SELECT id, sum(total) OVER (ORDER BY id ROWS BETWEEN 6 PRECEDING AND CURRENT ROW), avg(total) OVER (ORDER BY ordered_at RANGE BETWEEN INTERVAL '7 days' PRECEDING AND CURRENT ROW), sum(total) OVER (ORDER BY id GROUPS BETWEEN 1 PRECEDING AND 1 FOLLOWING EXCLUDE CURRENT ROW) FROM orders

SELECT count(*) FILTER (WHERE status = 'paid') AS paid, sum(total) FILTER (WHERE total > 5) FROM orders

SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY total), percentile_disc(ARRAY[0.25, 0.75]) WITHIN GROUP (ORDER BY total), mode() WITHIN GROUP (ORDER BY status) FROM orders

SELECT country, string_agg(name, ', ' ORDER BY name DESC), array_agg(DISTINCT name ORDER BY name), json_agg(name), jsonb_object_agg(id, name) FROM customers GROUP BY country

SELECT c.name, last.total FROM customers c LEFT JOIN LATERAL (SELECT total FROM orders o WHERE o.customer_id = c.id ORDER BY ordered_at DESC LIMIT 1) last ON true

SELECT c.name, t.tag FROM customers c CROSS JOIN LATERAL unnest(c.tags) AS t(tag)

SELECT * FROM customers, unnest(tags) WITH ORDINALITY AS u(tag, n)

WITH RECURSIVE tree AS (SELECT id, name, 1 AS depth FROM products WHERE parent_id IS NULL UNION ALL SELECT p.id, p.name, t.depth + 1 FROM products p JOIN tree t ON p.parent_id = t.id) SELECT * FROM tree ORDER BY depth

WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 10) SELECT sum(i) FROM n

WITH RECURSIVE t(id, parent) AS (SELECT id, parent_id FROM products WHERE id = 1 UNION ALL SELECT p.id, p.parent_id FROM products p JOIN t ON p.parent_id = t.id) SEARCH DEPTH FIRST BY id SET ordercol SELECT id FROM t ORDER BY ordercol

WITH a AS MATERIALIZED (SELECT * FROM orders), b AS NOT MATERIALIZED (SELECT * FROM a) SELECT count(*) FROM b

WITH monthly AS (SELECT date_trunc('month', ordered_at) m, sum(total) AS s FROM orders GROUP BY 1) SELECT m, s, s - lag(s) OVER (ORDER BY m) AS change, round(100.0 * (s / nullif(lag(s) OVER (ORDER BY m), 0) - 1), 2) AS pct FROM monthly

SELECT attributes ->> 'color', attributes -> 'sizes' -> 0, attributes #>> '{sizes,1}', attributes #> '{sizes}', attributes @> '{"color": "red"}', attributes ? 'color', attributes ?| array['a', 'color'], attributes ?& array['color'], attributes - 'color', attributes || '{"x": 1}' FROM products

SELECT attributes['color'], (attributes -> 'sizes' ->> 0)::int FROM products

SELECT jsonb_path_query_array(attributes, '$.sizes[*]'), jsonb_path_exists(attributes, '$.sizes[*] ? (@ > 1)'), attributes @? '$.color', attributes @@ '$.color == "red"' FROM products

SELECT key, value FROM products, jsonb_each_text(attributes)

SELECT p.id, s.value FROM products p, jsonb_array_elements(p.attributes -> 'sizes') AS s(value)

SELECT x.a, x.b FROM jsonb_to_recordset('[{"a": 1, "b": "x"}]') AS x(a int, b text)

SELECT * FROM json_to_record('{"a": 1}') AS (a int)

SELECT json_build_object('id', id, 'name', name), row_to_json(c), to_jsonb(c) FROM customers c

SELECT payload -> 'a' ->> 'b', json_array_length(payload -> 'l') FROM events

SELECT tags[1], tags[1:2], array_length(tags, 1), cardinality(tags), tags && ARRAY['a'], tags @> ARRAY['b'], tags <@ ARRAY['a', 'b'], 'a' = ANY (tags), tags || 'c'::text, array_to_string(tags, ','), array_position(tags, 'b') FROM customers

SELECT * FROM orders WHERE id = ANY (ARRAY[1, 2, 3]) OR id = ALL (SELECT 1) OR status IN ('new', 'paid') OR id NOT IN (SELECT order_id FROM order_items)

SELECT * FROM customers c WHERE EXISTS (SELECT 1 FROM orders o WHERE o.customer_id = c.id) AND NOT EXISTS (SELECT FROM orders WHERE false)

SELECT ARRAY(SELECT id FROM orders ORDER BY id LIMIT 3), (SELECT max(total) FROM orders)

SELECT to_tsvector('english', body) @@ to_tsquery('english', 'quick & fox'), ts_rank(to_tsvector('english', body), plainto_tsquery('fox')), ts_headline(body, websearch_to_tsquery('fox or dog')), phraseto_tsquery('quick brown') FROM events

SELECT id, ts_rank_cd(v, q) FROM events, to_tsvector(body) v, plainto_tsquery('english', 'fox') q WHERE v @@ q

SELECT country, status, sum(total) FROM customers c JOIN orders o ON o.customer_id = c.id GROUP BY GROUPING SETS ((country, status), (country), ()) ORDER BY grouping(country)

SELECT country, status, sum(total) FROM customers c JOIN orders o ON o.customer_id = c.id GROUP BY ROLLUP (country, status)

SELECT country, status, grouping(country, status), sum(total) FROM customers c JOIN orders o ON o.customer_id = c.id GROUP BY CUBE (country, status)

SELECT d::date, count(o.id) FROM generate_series('2024-01-01'::timestamptz, '2024-01-31', '1 day') AS d LEFT JOIN orders o ON o.ordered_at::date = d::date GROUP BY 1 ORDER BY 1

SELECT i, i * i FROM generate_series(1, 10, 2) AS g(i)

SELECT generate_series(1, 3), unnest(ARRAY['a', 'b', 'c'])

SELECT * FROM ROWS FROM (generate_series(1, 2), unnest(ARRAY['a', 'b'])) AS t(n, l)

SELECT * FROM orders TABLESAMPLE BERNOULLI (50)

SELECT * FROM orders TABLESAMPLE SYSTEM (50) REPEATABLE (42)

SELECT name ~ '^C', name ~* 'cust', name !~ 'x', name !~* 'x', name LIKE 'C%', name ILIKE 'c%', name NOT LIKE '%\_%' ESCAPE '\', name SIMILAR TO '(C|D)%' FROM customers

SELECT regexp_replace(name, '\d+', '#', 'g'), regexp_match(name, '(\d+)'), regexp_split_to_array(name, ' '), regexp_substr(name, '\d+'), regexp_count(name, 'o'), (regexp_match(name, '\d+'))[1] FROM customers

SELECT regexp_matches(name, '\d', 'g'), regexp_split_to_table(name, ' ') FROM customers

SELECT upper(name), lower(name), initcap(name), length(name), char_length(name), trim(both ' ' from name), ltrim(name), rtrim(name, 'x'), btrim(name), left(name, 2), right(name, 2), substring(name from 1 for 3), substr(name, 2), position('o' in name), strpos(name, 'o'), replace(name, 'a', 'b'), split_part(name, ' ', 1), lpad(name, 20, '*'), rpad(name, 20), repeat('x', 3), reverse(name), concat(name, '-', id), concat_ws(',', name, country), format('%s-%s', id, name), md5(name), overlay(name placing 'xx' from 1 for 2), translate(name, 'abc', 'xyz'), ascii(name), chr(65), quote_literal(name), encode(sha256(name::bytea), 'hex'), starts_with(name, 'C'), to_hex(id) FROM customers

SELECT name || ' ' || country AS label, 'it''s', E'a\tb\'c', $$dollar 'quoted'$$, $tag$ -- not a comment $tag$, '/* neither */', 'a; DROP TABLE x; --' FROM customers

SELECT abs(total), ceil(total), ceiling(total), floor(total), round(total, 1), trunc(total), mod(id, 3), id % 3, power(2, 3), 2 ^ 3, sqrt(total), |/ 25.0, cbrt(27), exp(1), ln(total), log(total), log(2, 8), sign(total), greatest(1, id), least(1, id), random(), pi(), degrees(1), radians(1), sin(1), cos(1), atan2(1, 2), width_bucket(total, 0, 1000, 10), div(7, 2), gcd(4, 6), lcm(4, 6), 5 & 3, 5 | 3, 5 # 3, ~5, 1 << 2, 8 >> 1, factorial(5) FROM orders

SELECT coalesce(name, 'none'), nullif(name, ''), CASE WHEN country = 'DE' THEN 1 WHEN country = 'FR' THEN 2 ELSE 0 END, CASE country WHEN 'DE' THEN 'x' END, cast(id AS text), id::text, cast('2024-01-01' AS date), '1'::int + 1, '{1,2}'::int[], true AND NOT false, NULL IS DISTINCT FROM 1, name IS NOT NULL, (name IS NULL) IS FALSE FROM customers

SELECT to_char(ordered_at, 'YYYY-MM'), to_char(total, 'FM999,990.00'), to_date('2024', 'YYYY'), to_timestamp(0), to_timestamp('2024', 'YYYY'), to_number('12', '99'), make_date(2024, 1, 2), make_interval(days => 3), make_timestamp(2024, 1, 2, 3, 4, 5), date_bin('15 minutes', ordered_at, '2001-01-01'), justify_days(interval '40 days'), isfinite(ordered_at), (ordered_at, interval '1 day') OVERLAPS (now(), now()) FROM orders

SELECT stddev(total), stddev_pop(total), stddev_samp(total), variance(total), var_pop(total), corr(total, id), covar_pop(total, id), regr_slope(total, id), regr_intercept(total, id), regr_r2(total, id), bool_and("delete"), bool_or("delete"), every("delete"), bit_and(id), count(DISTINCT customer_id), any_value(id) FROM orders

SELECT id FROM orders UNION SELECT id FROM products UNION ALL SELECT 1 EXCEPT SELECT 2 INTERSECT SELECT 3 ORDER BY 1 LIMIT 5

(SELECT id FROM orders ORDER BY id LIMIT 1) UNION ALL (SELECT id FROM products ORDER BY id DESC LIMIT 1)

((SELECT 1))

VALUES (1, 'a'), (2, 'b')

SELECT * FROM (VALUES (1, 'a'), (2, 'b')) AS v(id, label) WHERE v.id > 1

TABLE orders

TABLE crm.leads ORDER BY id LIMIT 1

EXPLAIN SELECT * FROM orders WHERE id = 1

EXPLAIN (FORMAT JSON, VERBOSE, COSTS OFF) SELECT count(*) FROM orders

EXPLAIN ANALYZE SELECT count(*) FROM orders

EXPLAIN (ANALYZE, BUFFERS, TIMING OFF) WITH a AS (SELECT 1) SELECT * FROM a

EXPLAIN VERBOSE VALUES (1)

SHOW server_version

SHOW search_path

SHOW TIME ZONE

SHOW ALL

SHOW transaction_isolation

SELECT version(), current_user, session_user, current_database(), current_schema(), current_schemas(true), current_role, user, pg_typeof(1), current_catalog, current_schema

SELECT table_name, column_name, data_type FROM information_schema.columns WHERE table_schema = 'public' ORDER BY 1, ordinal_position

SELECT c.relname, n.nspname, pg_get_userbyid(c.relowner), pg_size_pretty(pg_total_relation_size(c.oid)), obj_description(c.oid, 'pg_class') FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind = 'r' AND pg_catalog.pg_table_is_visible(c.oid)

SELECT a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod), pg_get_expr(d.adbin, d.adrelid), col_description(a.attrelid, a.attnum) FROM pg_attribute a LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum WHERE a.attrelid = 'orders'::regclass AND a.attnum > 0 AND NOT a.attisdropped

SELECT conname, pg_get_constraintdef(oid), conrelid::regclass FROM pg_constraint WHERE contype = 'f'

SELECT indexname, indexdef FROM pg_indexes WHERE tablename = 'orders'

SELECT relname, n_live_tup FROM pg_stat_user_tables

SELECT viewname, definition FROM pg_views WHERE schemaname = 'public'

SELECT enumlabel FROM pg_enum e JOIN pg_type t ON t.oid = e.enumtypid WHERE t.typname = 'mood'

SELECT attname, n_distinct, most_common_vals FROM pg_stats WHERE tablename = 'orders'

SELECT "update", "Weird Name" FROM customers WHERE "update" > '2024-01-01'

SELECT o."delete", o."select" AS "into" FROM orders AS o ORDER BY o."select"

SELECT "create", "drop", "insert", l.insert, l.email AS update, score AS delete FROM crm.leads l

SELECT 'DROP TABLE orders' AS drop, 'delete' AS delete, 1 AS truncate, 2 AS grant_, 3 AS copy, 4 AS call, 5 AS execute, 6 AS set

-- leading comment; DELETE FROM orders
SELECT 1 -- trailing; UPDATE

/* block; /* nested */ comment */ SELECT /* inner */ id /* ; */ FROM orders; -- end

SELECT id AS "semi;colon", name AS "quote""d" FROM customers

SELECT feeling::text, feeling = 'happy', enum_range(NULL::mood), 'sad'::mood FROM customers

SELECT lower(span), upper(span), span @> now(), span && tstzrange(now(), now() + interval '1 day'), int4range(1, 5) * int4range(2, 7), isempty(span), tstzrange(now(), NULL, '[)') FROM events

SELECT ip << '10.0.0.0/8', host(ip), family(ip), ip::text, masklen(ip), network(ip) FROM events

SELECT date '2024-01-31' + 1, interval '1 year 2 months', interval '90' minute, timestamp '2024-01-01 10:00' - timestamp '2023-01-01', '1 day'::interval * 3, time '10:00', now()::date, date_trunc('week', current_date)::date, extract(isodow from current_date), timestamptz '2024-01-01 00:00:00+02', date_trunc('day', now(), 'UTC')

SELECT ROW(1, 'a'), (1, 2) = (1, 2), (id, name) IN (SELECT 1, 'x'), ROW(id, name) < ROW(5, 'z'), (c).name, (ROW(1, 2)).f1 FROM customers c

SELECT c FROM customers c LIMIT 1

SELECT c.*, o.* FROM customers c FULL OUTER JOIN orders o USING (id)

SELECT * FROM customers NATURAL JOIN products

SELECT * FROM customers c RIGHT JOIN orders o ON c.id = o.customer_id CROSS JOIN products p INNER JOIN (order_items oi JOIN products p2 ON p2.id = oi.product_id) ON oi.order_id = o.id

SELECT * FROM orders FETCH FIRST 5 ROWS ONLY

SELECT * FROM orders ORDER BY total FETCH FIRST 5 ROWS WITH TIES

SELECT * FROM orders LIMIT ALL

SELECT * FROM ONLY orders

SELECT name COLLATE "C" FROM customers ORDER BY name COLLATE "C" DESC

SELECT JSON_OBJECT('a': 1), JSON_ARRAY(1, 2), JSON_VALUE(attributes, '$.color'), JSON_QUERY(attributes, '$.sizes'), JSON_EXISTS(attributes, '$.color') FROM products

SELECT jt.* FROM products, JSON_TABLE(attributes, '$.sizes[*]' COLUMNS (n FOR ORDINALITY, size int PATH '$')) AS jt

SELECT count(*) FROM big_orders WHERE total::int % 2 = 0

SELECT hashtext('a'), pg_column_size(1), num_nulls(1, NULL), gen_random_uuid(), clock_timestamp(), statement_timestamp(), transaction_timestamp(), inet_server_port(), pg_backend_pid(), txid_current_if_assigned()

SELECT has_table_privilege('orders', 'select'), pg_is_in_recovery(), to_regclass('public.orders'), pg_relation_size('orders'), pg_database_size(current_database())

SELECT trim(leading 'x' from 'xxa'), trim('  a '), trim(trailing from 'a '), substring('abc' from 'b.'), substring('abc', 1, 2), overlay('abc' placing 'z' from 2), normalize('a', NFC), 'a' IS NORMALIZED

SELECT id, total, total - avg(total) OVER () AS diff, sum(total) OVER (PARTITION BY date_trunc('month', ordered_at) ORDER BY ordered_at ROWS UNBOUNDED PRECEDING) FROM orders WHERE extract(dow FROM ordered_at) NOT IN (0, 6)

SELECT cohort, period, count(DISTINCT customer_id) FROM (SELECT customer_id, date_trunc('month', min(ordered_at) OVER (PARTITION BY customer_id)) AS cohort, floor(extract(epoch FROM ordered_at - min(ordered_at) OVER (PARTITION BY customer_id)) / 2592000)::int AS period FROM orders) s GROUP BY cohort, period ORDER BY 1, 2

WITH x AS (SELECT customer_id, total, ntile(10) OVER (ORDER BY total) AS decile FROM orders) SELECT decile, min(total), max(total), count(*), sum(total) / sum(sum(total)) OVER () AS share FROM x GROUP BY decile ORDER BY decile

SELECT s.i, (SELECT count(*) FROM orders o WHERE o.total > s.i) FROM (SELECT generate_series(0, 100, 10) AS i) s

SELECT operator.total OPERATOR(pg_catalog.+) 1 FROM orders AS operator

SELECT 1 /* /* */ ; DROP TABLE orders; -- */

SELECT 1 AS "Ärger", 'naïve 日本語 – “quotes”' AS größe

SELECT id, CASE WHEN total > 50 THEN 'high' ELSE 'low' END AS bucket FROM orders WHERE (status, total) IN (('new', 10), ('paid', 20)) ORDER BY bucket, id DESC NULLS FIRST

SELECT ARRAY[[1,2],[3,4]], ARRAY[1,2]::bigint[], array_fill_me.v FROM (SELECT 1 AS v) AS array_fill_me

SELECT information_schema._pg_expandarray(indkey) FROM pg_index LIMIT 1

SELECT k.n, k.x FROM pg_index i, information_schema._pg_expandarray(i.indkey) AS k(x, n)

SELECT setting FROM pg_settings WHERE name = 'server_version'

SELECT rolname FROM pg_roles

SELECT 1e3, 1.5E-3, .5, 5., 100000000000000000000, -1, +1, - - 1

SELECT GREATEST(a, b) FROM (SELECT 1 AS a, 2 AS b) AS values_

SELECT count(*) FROM orders WHERE status LIKE ANY (ARRAY['n%', 'p%'])

SELECT id::varchar(10), total::double precision, total::real, id::bigint, id::smallint, name::char(3), ordered_at::time, ordered_at::timestamp(0), ordered_at::timestamp with time zone, '101'::bit(3), name::bytea, '12'::money, '{}'::json, 'a'::name, 'c0ffee00-0000-0000-0000-000000000000'::uuid, '(1,2)'::point FROM orders JOIN customers USING (id)

SELECT point(1, 2) <-> point(3, 4), box(point(0,0), point(1,1))

SELECT DISTINCT date_trunc('month', o.ordered_at)::date AS month, first_value(c.name) OVER (PARTITION BY date_trunc('month', o.ordered_at) ORDER BY o.total DESC) FROM orders o JOIN customers c ON c.id = o.customer_id

SELECT jt.* FROM products, JSON_TABLE(attributes, '$.sizes[*]' COLUMNS (n FOR ORDINALITY, size int PATH '$' DEFAULT 0 ON EMPTY ERROR ON ERROR, has boolean EXISTS PATH '$.a')) AS jt

SELECT error.n FROM (SELECT 1 AS n) a JOIN (SELECT 1 AS n) error ON error.n = a.n
