SELECT 1

SELECT 1;

SELECT count(*) FROM orders

SELECT o.id, c.name FROM orders o JOIN customers c ON c.id = o.customer_id WHERE c.country = 'DE' ORDER BY o.total DESC NULLS LAST LIMIT 10 OFFSET 5

SELECT id FROM orders ORDER BY id LIMIT 5, 10

SELECT DISTINCT country FROM customers WHERE country IS NOT NULL AND country <> '' AND name != 'x' AND id == 3

SELECT country, count(*) AS n, sum(total), avg(total), total(total), min(total), max(total) FROM customers JOIN orders ON orders.customer_id = customers.id GROUP BY country HAVING count(*) > 1

SELECT strftime('%Y-%m', ordered_at) AS month, sum(total) FROM orders GROUP BY 1 ORDER BY 1

SELECT date('now', '-7 days'), datetime('now', 'localtime'), time('now'), julianday('now') - julianday(ordered_at), unixepoch(ordered_at), date(ordered_at, 'start of month', '+1 month', '-1 day'), CURRENT_DATE, current_timestamp, current_time FROM orders

SELECT id, row_number() OVER (PARTITION BY customer_id ORDER BY total DESC) AS rn, rank() OVER w, dense_rank() OVER w, lag(total, 1, 0) OVER w, lead(total) OVER w, ntile(4) OVER w, first_value(total) OVER w, last_value(total) OVER w, nth_value(total, 2) OVER w, percent_rank() OVER w, cume_dist() OVER w FROM orders WINDOW w AS (PARTITION BY customer_id ORDER BY ordered_at)

SELECT id, sum(total) OVER (ORDER BY id ROWS BETWEEN 6 PRECEDING AND CURRENT ROW), sum(total) OVER (ORDER BY id GROUPS BETWEEN 1 PRECEDING AND 1 FOLLOWING EXCLUDE TIES) FROM orders

SELECT count(*) FILTER (WHERE status = 'paid') AS paid, group_concat(DISTINCT status), group_concat(id, ';') FROM orders

WITH RECURSIVE tree AS (SELECT id, name, 1 AS depth FROM products WHERE parent_id = 0 UNION ALL SELECT p.id, p.name, t.depth + 1 FROM products p JOIN tree t ON p.parent_id = t.id) SELECT * FROM tree ORDER BY depth

WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 10) SELECT sum(i) FROM n

WITH a AS MATERIALIZED (SELECT * FROM orders), b AS NOT MATERIALIZED (SELECT * FROM a) SELECT count(*) FROM b

WITH monthly AS (SELECT substr(ordered_at, 1, 7) m, sum(total) AS s FROM orders GROUP BY 1) SELECT m, s, s - lag(s) OVER (ORDER BY m) AS change FROM monthly

SELECT attributes ->> '$.color', attributes -> '$.sizes', json_extract(attributes, '$.sizes[0]'), json_array_length(attributes, '$.sizes'), json_type(attributes), json_valid(attributes), json_object('a', 1), json_array(1, 2), json_group_array(name), json_group_object(id, name), json_set('{}', '$.a', 1), json_quote('a'), json_patch('{}', '{}'), json_remove('{"a":1}', '$.a') FROM products

SELECT p.id, e.key, e.value, e.type FROM products p, json_each(p.attributes) AS e

SELECT value FROM json_each('[1, 2, 3]') WHERE value > 1

SELECT key, fullkey FROM json_tree('{"a": {"b": 1}}')

SELECT * FROM orders WHERE status IN ('new', 'paid') AND id NOT IN (SELECT order_id FROM order_items WHERE quantity > 3) AND total BETWEEN 1 AND 500

SELECT * FROM customers c WHERE EXISTS (SELECT 1 FROM orders o WHERE o.customer_id = c.id) AND NOT EXISTS (SELECT 1 FROM orders WHERE 0)

SELECT name LIKE 'C%', name NOT LIKE '%\_%' ESCAPE '\', name GLOB 'C*', glob('C*', name), like('C%', name), name || ' ' || country FROM customers

SELECT upper(name), lower(name), length(name), trim(name), ltrim(name), rtrim(name, 'x'), substr(name, 2), substring(name, 1, 3), instr(name, 'o'), replace(name, 'a', 'b'), printf('%05.2f', id), format('%s', name), hex(name), quote(name), char(65, 66), unicode(name), typeof(name), soundex_free FROM (SELECT *, 1 AS soundex_free FROM customers)

SELECT abs(total), round(total, 1), ceil(total), floor(total), trunc(total), sqrt(total), power(2, 3), pow(2, 3), mod(id, 3), id % 3, exp(1), ln(total), log(total), log2(8), log10(100), sign(total), max(1, id), min(1, id), random() IS NOT NULL, abs(random()) % 10 < 10, pi(), radians(1), degrees(1), sin(1), cos(1), atan2(1, 2), 5 & 3, 5 | 3, ~5, 1 << 2, 8 >> 1, -id, +id FROM orders

SELECT coalesce(name, 'none'), ifnull(name, ''), nullif(name, ''), iif(id > 5, 'a', 'b'), CASE WHEN country = 'DE' THEN 1 ELSE 0 END, CASE country WHEN 'DE' THEN 'x' END, CAST(id AS TEXT), CAST('1.5' AS REAL), cast(id as integer), name IS NULL, name ISNULL, name NOTNULL, NULL IS NOT 1, id IS NOT DISTINCT FROM 1 FROM customers

SELECT id FROM orders UNION SELECT id FROM products UNION ALL SELECT 1 EXCEPT SELECT 2 ORDER BY 1 LIMIT 5

SELECT id FROM orders INTERSECT SELECT id FROM products

VALUES (1, 'a'), (2, 'b')

SELECT * FROM (VALUES (1, 'a'), (2, 'b')) AS v

SELECT column1 FROM (VALUES (1), (2))

EXPLAIN QUERY PLAN SELECT * FROM orders WHERE total > 5

EXPLAIN SELECT 1

PRAGMA table_info(orders)

PRAGMA table_info('orders')

PRAGMA main.table_info("orders");

PRAGMA table_xinfo(orders)

PRAGMA table_list

PRAGMA index_list(orders)

PRAGMA index_info(orders_total)

PRAGMA foreign_key_list(orders)

PRAGMA user_version

SELECT name, sql FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'

SELECT name FROM sqlite_schema

SELECT m.name, p.name, p.type FROM sqlite_master m, pragma_table_info(m.name) p WHERE m.type = 'table'

SELECT * FROM pragma_foreign_key_list('orders')

SELECT "update", "Weird Name", [Weird Name], `Weird Name` FROM customers

SELECT o."delete", o."select" AS "into" FROM orders AS o ORDER BY o.[select]

SELECT 'DROP TABLE orders' AS dropped, 'a; DELETE FROM orders; --', '/* no */', 'it''s' AS it

-- leading comment; DELETE FROM orders
SELECT 1 -- trailing; UPDATE

/* block ; */ SELECT /* inner */ id FROM orders; -- end

SELECT title, snippet(documents, 1, '[', ']', '...', 5), highlight(documents, 1, '<b>', '</b>'), bm25(documents) FROM documents WHERE documents MATCH 'fox' ORDER BY rank

SELECT * FROM orders LEFT OUTER JOIN customers USING (id) CROSS JOIN products NATURAL JOIN order_items LIMIT 3

SELECT * FROM orders RIGHT JOIN customers ON orders.id = customers.id

SELECT * FROM orders FULL OUTER JOIN customers ON orders.id = customers.id

SELECT * FROM orders INDEXED BY orders_total WHERE total > 5

SELECT * FROM orders NOT INDEXED WHERE total > 5

SELECT (SELECT max(total) FROM orders), (1, 2) = (1, 2), id IN (1, 2, 3) FROM customers

SELECT name COLLATE NOCASE FROM customers ORDER BY name COLLATE NOCASE DESC

SELECT count(*) FROM main.orders

SELECT x'CAFE', 1e3, 1.5E-3, .5, 0x1F, -1

SELECT sqlite_version(), changes(), last_insert_rowid(), rowid, oid, _rowid_ FROM orders

SELECT 'naïve 日本語 – “quotes”' AS größe

SELECT T1.name, COUNT(*) FROM customers AS T1 JOIN orders AS T2 ON T1.id = T2.customer_id GROUP BY T1.id ORDER BY COUNT(*) DESC LIMIT 1

SELECT CASE WHEN (a BETWEEN 1 AND 2) AND NOT b THEN 'x' END FROM (SELECT 1 AS a, 0 AS b)

SELECT TRUE, FALSE, NULL, name IS TRUE FROM customers

SELECT key FROM (SELECT 1 AS key, 2 AS action, 3 AS "desc", 4 AS "order", 5 AS "group")
