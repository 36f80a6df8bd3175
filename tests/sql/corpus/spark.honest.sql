SELECT 1L, 1.5BD, 2e3D

SELECT 'it\'s', "a"

VALUES (1), (2)

SELECT * FROM orders o LEFT SEMI JOIN c ON o.id=c.a

SELECT o.id FROM a o JOIN b USING (id)

SELECT explode(array(1,2)) x

SELECT x FROM t LATERAL VIEW explode(a) e AS x

SELECT transform(a, x -> x + 1) FROM t

SELECT date_trunc('month', d), date_format(d,'yyyy-MM'), d - INTERVAL 7 DAYS FROM t WHERE d >= DATE '2024-01-01'

SELECT count_if(x > 1), percentile_approx(x, 0.5), sum(x) FILTER (WHERE y) FROM t GROUP BY ALL

SELECT a FROM t WHERE a RLIKE ('x') AND b NOT IN (1,2)

WITH x AS (SELECT 1 a) SELECT * FROM x

SELECT rank() OVER (PARTITION BY a ORDER BY b DESC NULLS LAST) FROM t

SELECT * FROM range(10)

SELECT s.a, m['k'], a[0] FROM t

SELECT CAST(a AS ARRAY<STRUCT<x: DECIMAL(10,2)>>), a::int, try_cast(b AS date) FROM t

EXPLAIN EXTENDED SELECT 1

EXPLAIN FORMATTED SELECT 1

SHOW TABLES

SHOW TABLES IN default LIKE 'a*'

SHOW COLUMNS IN orders

DESCRIBE orders

DESC TABLE EXTENDED a.b

DESCRIBE TABLE EXTENDED orders AS JSON

DESCRIBE QUERY SELECT 1

SELECT * FROM t PIVOT (sum(a) FOR b IN ('x','y'))

SELECT a FROM t SORT BY a

SELECT a, count(*) FROM t GROUP BY CUBE (a)

SELECT a FROM t TABLESAMPLE (10 ROWS)

SELECT * EXCEPT (a) FROM t

SELECT stack(2, 1, 2) AS (x)

SELECT a FROM x MINUS SELECT a FROM y

SELECT a <=> b, a DIV (b), !a FROM t

SELECT named_struct('a', 1).a

SELECT `a b`, `x``y` FROM `t 1`

SELECT get_json_object(a, '$.x'), from_json(a, 'x INT') FROM t

SELECT * FROM spark_catalog.default.orders

SELECT 1 -- c

SELECT /* a */ 1

SELECT listagg(a, ', ') WITHIN GROUP (ORDER BY a) FROM t

SELECT timestampdiff(DAY, a, b), datediff(a,b), extract(YEAR FROM a), position('a' IN b), substring(a FROM 1 FOR 2), trim(BOTH 'x' FROM a), overlay(a PLACING 'x' FROM 1) FROM t

SELECT float(a), decimal(b), date(c), string(d), left(a,1), if(a,1,2), any(a), some(b), every(c) FROM t

SELECT * FROM t, LATERAL (SELECT t.a) l

SELECT max_by(a,b), collect_list(a), array_join(collect_set(a), ',') FROM t

SELECT `update` FROM t WHERE x = 'a;b'

SELECT 1;

SELECT 1 AS `select`, 'a; b' AS t

SELECT count(DISTINCT country), approx_count_distinct(country) FROM orders

SELECT CASE WHEN a > 1 THEN 'x' ELSE 'y' END FROM t

SELECT a FROM t UNION ALL SELECT a FROM u ORDER BY 1 LIMIT 3 OFFSET 2

SELECT coalesce(a, 0), nullif(a, 0), nvl(a, 0) FROM t

SELECT sum(x) OVER (ORDER BY d ROWS BETWEEN 2 PRECEDING AND CURRENT ROW) FROM t

SELECT lag(x, 1) OVER (PARTITION BY a ORDER BY d) FROM t

SELECT o.`Weird Name` FROM orders o

SELECT round(a / b, 2), a % b, abs(-a) FROM t

SELECT a || 'x', upper(a), split(a, ','), regexp_extract(a, '(\\d+)', 1) FROM t

SELECT to_date(a, 'yyyy-MM-dd'), add_months(d, 1), last_day(d), unix_timestamp(d) FROM t

SELECT first(a), last(a), mode(a), median(b) FROM t

SELECT DISTINCT a FROM t WHERE EXISTS (SELECT 1 FROM u WHERE u.id = t.id)

SELECT date_format(d, 'yyyy-MM') AS m, sum(x) FROM t GROUP BY date_format(d, 'yyyy-MM')

SELECT a FROM t WHERE a ILIKE '%x%' AND b LIKE ANY ('a%', 'b%')

SELECT a FROM t QUALIFY row_number() OVER (ORDER BY a) = 1

SELECT count(*) FROM t GROUP BY window(ts, '7 days')

SELECT window(ts, '1 hour').start, sum(x) OVER w FROM t GROUP BY window(ts, '1 hour'), x WINDOW w AS (ORDER BY x)

SELECT a, b FROM t DISTRIBUTE BY a SORT BY b

SELECT a FROM t CLUSTER BY a

SELECT * FROM (SELECT 1 AS id, 10 AS q1) UNPIVOT INCLUDE NULLS (v FOR q IN (q1))

EXPLAIN COST SELECT 1

DESCRIBE TABLE EXTENDED orders id

DESCRIBE orders id
