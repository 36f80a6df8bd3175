SELECT 1

SELECT 1;

SELECT count(*) FROM orders

FROM orders

FROM orders SELECT id, total WHERE total > 10 LIMIT 5

SELECT o.id, c.name FROM orders o JOIN customers c ON c.id = o.customer_id WHERE c.country = 'DE' ORDER BY o.total DESC NULLS LAST LIMIT 10 OFFSET 5

SELECT country, count(*) AS n, sum(total), avg(total), min(total), max(total), median(total), mode(status), quantile_cont(total, 0.9), approx_count_distinct(customer_id), any_value(name), first(name), last(name), arg_max(name, total), max_by(name, total), min_by(name, total), stddev(total), list(name), string_agg(name, ', ' ORDER BY name), histogram(total), count_if(total > 5), bool_and(total > 1), product(o.id), entropy(status), skewness(total), kurtosis(total) FROM customers c JOIN orders o ON o.customer_id = c.id GROUP BY ALL ORDER BY ALL

SELECT country, count(*) FROM customers GROUP BY GROUPING SETS ((country), ()) HAVING grouping(country) >= 0

SELECT category, sum(price) FROM products GROUP BY ROLLUP (category)

SELECT category, sum(price) FROM products GROUP BY CUBE (category)

SELECT date_trunc('month', ordered_at) AS month, year(ordered_at), month(ordered_at), dayname(ordered_at), strftime(ordered_at, '%Y-%m'), extract('dow' FROM ordered_at), date_part('year', ordered_at), date_diff('day', ordered_at, now()::timestamp), ordered_at + INTERVAL 1 DAY, ordered_at::DATE, epoch(ordered_at), last_day(ordered_at), time_bucket(INTERVAL '1 week', ordered_at), strptime('2024-01-01', '%Y-%m-%d'), make_date(2024, 1, 1), current_date, today(), age(ordered_at) FROM orders

SELECT (ordered_at AT TIME ZONE 'UTC')::VARCHAR FROM orders

SELECT id, row_number() OVER (PARTITION BY customer_id ORDER BY total DESC) AS rn, sum(total) OVER w, lag(total IGNORE NULLS) OVER w, avg(total) OVER (ORDER BY ordered_at RANGE BETWEEN INTERVAL 7 DAYS PRECEDING AND CURRENT ROW) FROM orders WINDOW w AS (PARTITION BY customer_id ORDER BY ordered_at) QUALIFY rn = 1

SELECT * FROM orders QUALIFY row_number() OVER (PARTITION BY customer_id ORDER BY total DESC) <= 2

SELECT count(*) FILTER (WHERE status = 'paid'), percentile_cont(0.5) WITHIN GROUP (ORDER BY total) FROM orders

SELECT DISTINCT ON (customer_id) customer_id, total FROM orders ORDER BY customer_id, total DESC

WITH RECURSIVE tree AS (SELECT id, 1 AS depth FROM products WHERE parent_id = -1 UNION ALL SELECT p.id, t.depth + 1 FROM products p JOIN tree t ON p.parent_id = t.id) SELECT * FROM tree

WITH a AS MATERIALIZED (SELECT * FROM orders) SELECT count(*) FROM a

PIVOT products ON category USING sum(price)

PIVOT products ON category IN ('c1', 'c2') USING sum(price) GROUP BY parent_id

PIVOT (SELECT category, price FROM products) ON category IN ('c1', 'c2') USING avg(price) AS average

SELECT * FROM (PIVOT products ON category IN ('c1', 'c2') USING sum(price))

SELECT * FROM products PIVOT (sum(price) FOR category IN ('c1', 'c2'))

UNPIVOT monthly ON jan, feb, mar INTO NAME month VALUE sales

UNPIVOT monthly ON COLUMNS(* EXCLUDE category) INTO NAME month VALUE sales

SELECT * FROM monthly UNPIVOT (sales FOR month IN (jan, feb, mar))

SELECT * EXCLUDE (total) FROM orders

SELECT * REPLACE (total / 2 AS total) FROM orders

SELECT COLUMNS('.*_id') FROM orders

SELECT min(COLUMNS(*)) FROM orders

SELECT o.* FROM orders o SEMI JOIN customers c ON c.id = o.customer_id

SELECT o.* FROM orders o ANTI JOIN customers c ON c.id = o.customer_id

SELECT * FROM products p ASOF JOIN prices r ON p.id = r.product_id AND p.price >= r.price

SELECT * FROM orders POSITIONAL JOIN customers

SELECT * FROM customers c, LATERAL (SELECT max(total) AS m FROM orders o WHERE o.customer_id = c.id) x

SELECT * FROM customers LEFT JOIN LATERAL (SELECT 1 AS one) t ON true

SELECT unnest(tags) FROM customers

SELECT c.id, t.tag FROM customers c, unnest(c.tags) AS t(tag)

SELECT unnest([1, 2, 3]) AS i, generate_series(1, 3), range(5)

SELECT * FROM range(10) t(i)

SELECT * FROM generate_series(1, 10, 2) AS g(i)

SELECT d FROM generate_series(DATE '2024-01-01', DATE '2024-01-31', INTERVAL 1 DAY) AS t(d)

SELECT [x * 2 FOR x IN [1, 2, 3] IF x > 1], list_aggregate([1, 2], 'sum'), list_sort([2, 1]), len([1]), list_contains([1], 1), [1, 2][1], tags[1:2], array_length(tags), flatten([[1]]), list_distinct([1, 1]), list_sum([1, 2]), array_to_string(tags, ','), tags[-1] FROM customers

SELECT list_transform([1, 2], lambda x : x + 1), list_reduce([1, 2], lambda a, b : a + b)

SELECT info.city, info['zip'], struct_pack(a := 1), {'a': 1, 'b': 'x'}, row(1, 2), struct_extract(info, 'city'), m['a'], map_keys(m), MAP {'k': 1}, map([1], ['a']), element_at(m, 'a') FROM customers

SELECT attributes ->> 'color', attributes -> '$.sizes', json_extract(attributes, '$.sizes[0]'), json_extract_string(attributes, '$.color'), attributes -> 'sizes' ->> 0, json_array_length(attributes -> 'sizes'), to_json(id), json_object('a', 1), json_keys(attributes), attributes.color FROM products

SELECT 'hello'.upper().replace('L', 'x'), name.lower() FROM customers

SELECT upper(name), lower(name), length(name), trim(name), substring(name, 1, 3), name[1:3], split_part(name, ' ', 1), string_split(name, ' '), regexp_matches(name, '\d'), regexp_extract(name, '(\d+)', 1), regexp_replace(name, '\d', '', 'g'), replace(name, 'a', 'b'), starts_with(name, 'C'), contains(name, 'o'), concat(name, id), concat_ws(',', name, id), format('{} {}', name, id), printf('%d', id), levenshtein(name, 'x'), jaccard('ab', 'b'), md5(name), sha256(name), lpad(name, 20, ' '), reverse(name), left(name, 1), right(name, 1), position('o' IN name), strip_accents(name), name ILIKE 'c%', name LIKE 'C%', name SIMILAR TO 'C.*', name GLOB 'C*', name ~ 'C.*', ascii(name), chr(65) FROM customers

SELECT abs(total), round(total, 1), ceil(total), floor(total), sqrt(total), pow(2, 3), 2 ** 3, 7 // 2, id % 3, ln(3), log2(8), greatest(1, 2), least(1, 2), random(), pi(), 5 & 3, 5 | 3, xor(5, 3), 1 << 2, sign(total), isnan(1.0), hash(id), factorial(5), gcd(4, 6), setless FROM (SELECT *, 1 AS setless FROM orders)

SELECT coalesce(name, ''), ifnull(name, ''), nullif(name, ''), CASE WHEN id > 1 THEN 'a' END, if(id > 1, 2, 3), TRY_CAST('x' AS INTEGER), TRY(1 / 0), id::VARCHAR, CAST(id AS DECIMAL(10, 2)), '[1, 2]'::JSON, [1, 2]::BIGINT[], typeof(id), id IS DISTINCT FROM 1, 'happy'::mood, '1'::HUGEINT FROM customers

SELECT id FROM orders UNION SELECT id FROM products UNION ALL BY NAME SELECT id FROM customers EXCEPT SELECT 2 INTERSECT ALL SELECT 3

VALUES (1, 'a'), (2, 'b')

SELECT * FROM (VALUES (1, 'a')) v(id, label)

TABLE orders

EXPLAIN SELECT * FROM orders

EXPLAIN ANALYZE SELECT count(*) FROM orders

SHOW TABLES

SHOW ALL TABLES

SHOW orders

SHOW DATABASES

DESCRIBE orders

DESCRIBE crm.leads

DESCRIBE SELECT id, total FROM orders

DESCRIBE

SUMMARIZE orders

SUMMARIZE SELECT id FROM orders

PRAGMA table_info('orders')

PRAGMA show_tables

PRAGMA database_size

PRAGMA version

SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'main'

SELECT * FROM duckdb_tables()

SELECT * FROM duckdb_columns() WHERE table_name = 'orders'

SELECT * FROM pragma_table_info('orders')

SELECT name FROM sqlite_master

SELECT relname FROM pg_catalog.pg_class

SELECT * FROM orders TABLESAMPLE 10%

SELECT * FROM orders USING SAMPLE 5

SELECT * FROM orders USING SAMPLE reservoir(50 ROWS) REPEATABLE (100)

SELECT * FROM orders TABLESAMPLE bernoulli(10%)

SELECT "update", "Weird Name" FROM customers

SELECT o."delete", o."select" AS "into" FROM main.orders o

SELECT 'DROP TABLE orders' AS x, 'a; DELETE FROM orders; --', $$it's$$, 'it''s', E'a\'b'

SELECT 'COPY orders TO ''x.csv''' AS sql, 'read_csv(''/etc/passwd'')' AS text

-- leading comment; DELETE FROM orders
SELECT 1 -- trailing; UPDATE

/* block; */ SELECT id AS "semi;colon" FROM orders; -- end

SELECT 'naïve 日本語' AS größe

SELECT id, total AS t, t * 2 AS double_t FROM orders WHERE t > 10

SELECT count(*) FROM big_orders

SELECT * FROM orders WHERE id IN (1, 2) AND (status, total) = ('paid', 10) AND id NOT IN (SELECT id FROM products) AND EXISTS (FROM customers)

SELECT * FROM orders LIMIT 10%

SELECT bar(total, 0, 1000, 20), format_bytes(1000), version(), current_database(), current_schema(), gen_random_uuid(), uuid() FROM orders LIMIT 1

SELECT approx_quantile(total, 0.5), quantile_disc(total, [0.25, 0.5]), reservoir_quantile(total, 0.5), mad(total), corr(total, id), covar_pop(total, id), regr_slope(total, id), bit_xor(id), favg(total), fsum(total), sum(DISTINCT id), array_agg(id ORDER BY id DESC) FROM orders

SELECT id, count(*) FROM orders GROUP BY id ORDER BY #1

SELECT column_name, null_percentage FROM (SUMMARIZE orders)

SELECT d.column_name FROM (DESCRIBE SELECT id, total FROM orders) AS d
