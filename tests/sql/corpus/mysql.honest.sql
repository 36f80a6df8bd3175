SELECT 1

SELECT 1;

SELECT 1 FROM dual

SELECT COUNT(*) FROM orders

SELECT o.id, c.name FROM orders o JOIN customers c ON c.id = o.customer_id WHERE c.country = 'DE' ORDER BY o.total DESC LIMIT 10 OFFSET 5

SELECT id FROM orders LIMIT 5, 10

SELECT `id`, "a string", 'it''s', 'it\'s', "say \"hi\"", 'back\\slash' FROM `orders`

SELECT DISTINCT country FROM customers WHERE country IS NOT NULL AND country <> '' AND name != 'x' AND country <=> 'DE'

SELECT country, COUNT(DISTINCT c.id) AS n, SUM(total), AVG(total), MIN(total), MAX(total), GROUP_CONCAT(DISTINCT name ORDER BY name DESC SEPARATOR '; '), STDDEV(total), VARIANCE(total), STD(total), BIT_OR(o.id) FROM customers c JOIN orders o ON o.customer_id = c.id GROUP BY country HAVING n > 1

SELECT country, SUM(id) FROM customers GROUP BY country WITH ROLLUP

SELECT DATE_FORMAT(ordered_at, '%Y-%m') AS month, YEAR(ordered_at), MONTH(ordered_at), DAY(ordered_at), QUARTER(ordered_at), WEEK(ordered_at), DAYOFWEEK(ordered_at), DAYNAME(ordered_at), MONTHNAME(ordered_at), HOUR(ordered_at), DATEDIFF(NOW(), ordered_at), TIMESTAMPDIFF(MONTH, ordered_at, NOW()), DATE_ADD(ordered_at, INTERVAL 1 DAY), DATE_SUB(ordered_at, INTERVAL 1 MONTH), ordered_at + INTERVAL 1 WEEK, CURDATE(), CURRENT_DATE, CURRENT_TIMESTAMP(), UNIX_TIMESTAMP(ordered_at), FROM_UNIXTIME(0), LAST_DAY(ordered_at), STR_TO_DATE('2024', '%Y'), EXTRACT(YEAR_MONTH FROM ordered_at), DATE(ordered_at), TIME(ordered_at), MAKEDATE(2024, 1), TO_DAYS(ordered_at), UTC_TIMESTAMP(), CONVERT_TZ(ordered_at, '+00:00', '+01:00'), YEARWEEK(ordered_at), ADDDATE(ordered_at, 1), TIMESTAMPADD(DAY, 1, ordered_at), SEC_TO_TIME(60), SYSDATE() FROM orders

SELECT id, ROW_NUMBER() OVER (PARTITION BY customer_id ORDER BY total DESC) AS rn, RANK() OVER w, DENSE_RANK() OVER w, LAG(total, 1) OVER w, LEAD(total) OVER w, NTILE(4) OVER w, FIRST_VALUE(total) OVER w, NTH_VALUE(total, 2) OVER w, PERCENT_RANK() OVER w, CUME_DIST() OVER w FROM orders WINDOW w AS (PARTITION BY customer_id ORDER BY ordered_at)

SELECT id, SUM(total) OVER (ORDER BY id ROWS BETWEEN 6 PRECEDING AND CURRENT ROW) FROM orders

WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10) SELECT SUM(i) FROM n

WITH monthly AS (SELECT DATE_FORMAT(ordered_at, '%Y-%m') m, SUM(total) AS s FROM orders GROUP BY 1) SELECT m, s, s - LAG(s) OVER (ORDER BY m) AS delta FROM monthly

SELECT JSON_EXTRACT(attributes, '$.color'), JSON_UNQUOTE(JSON_EXTRACT(attributes, '$.color')), JSON_CONTAINS(attributes, '1', '$.sizes'), JSON_LENGTH(attributes), JSON_OBJECT('a', 1), JSON_ARRAY(1, 2), JSON_KEYS(attributes), JSON_VALUE(attributes, '$.color'), JSON_ARRAYAGG(id), JSON_OBJECTAGG(id, name), JSON_VALID('{}'), JSON_TYPE(attributes), JSON_SEARCH(attributes, 'one', 'red') FROM products

SELECT p.id, jt.size FROM products p, JSON_TABLE(p.attributes, '$.sizes[*]' COLUMNS (size INT PATH '$')) AS jt

SELECT * FROM orders WHERE status IN ('new', 'paid') AND id NOT IN (SELECT order_id FROM order_items WHERE quantity > 3) AND total BETWEEN 1 AND 500

SELECT * FROM customers c WHERE EXISTS (SELECT 1 FROM orders o WHERE o.customer_id = c.id) AND NOT EXISTS (SELECT 1 FROM orders WHERE 0)

SELECT name LIKE 'C%', name NOT LIKE '%x%', name REGEXP '^C', name RLIKE 'C', name NOT REGEXP 'x', name LIKE BINARY 'C%' FROM customers

SELECT UPPER(name), LOWER(name), LENGTH(name), CHAR_LENGTH(name), TRIM(name), TRIM(BOTH 'x' FROM name), LTRIM(name), RTRIM(name), SUBSTRING(name, 1, 3), SUBSTR(name, 2), SUBSTRING(name FROM 2 FOR 3), LEFT(name, 2), RIGHT(name, 2), INSTR(name, 'o'), LOCATE('o', name), POSITION('o' IN name), REPLACE(name, 'a', 'b'), REPEAT('x', 3), REVERSE(name), LPAD(name, 20, ' '), RPAD(name, 20, ' '), CONCAT(name, '-', id), CONCAT_WS(',', name, country), SUBSTRING_INDEX(name, ' ', 1), FORMAT(id, 2), HEX(name), MD5(name), SHA2(name, 256), ASCII(name), CHAR(65), FIELD('a', 'b', 'a'), FIND_IN_SET('a', 'b,a'), ELT(1, 'a'), STRCMP('a', 'b'), REGEXP_REPLACE(name, '[0-9]', ''), REGEXP_SUBSTR(name, '[0-9]+'), SOUNDEX(name), SPACE(2), UCASE(name), QUOTE(name), CONVERT(name USING utf8mb4) FROM customers

SELECT ABS(total), ROUND(total, 1), CEIL(total), FLOOR(total), TRUNCATE(total, 1), MOD(id, 3), id % 3, 7 DIV 2, POW(2, 3), SQRT(total), LN(3), LOG(2, 8), LOG10(100), EXP(1), SIGN(total), GREATEST(1, id), LEAST(1, id), RAND(), PI(), 5 & 3, 5 | 3, 5 ^ 3, ~5, 1 << 2, CONV('a', 16, 2), CRC32('x'), 1 XOR 0, !0 FROM orders

SELECT COALESCE(name, 'none'), IFNULL(name, ''), NULLIF(name, ''), IF(id > 5, 'a', 'b'), ISNULL(name), CASE WHEN country = 'DE' THEN 1 ELSE 0 END, CAST(id AS CHAR), CAST('1' AS SIGNED), CAST('1' AS UNSIGNED), CAST('1.5' AS DECIMAL(10, 2)), CAST('2024-01-01' AS DATE), CONVERT('1', SIGNED), DATE '2024-01-01', TIMESTAMP '2024-01-01 00:00:00', BINARY 'a' = 'A' FROM customers

SELECT id FROM orders UNION SELECT id FROM products UNION ALL SELECT 1 ORDER BY 1 LIMIT 5

SELECT id FROM orders EXCEPT SELECT 2 INTERSECT SELECT 3

(SELECT id FROM orders ORDER BY id LIMIT 1) UNION ALL (SELECT id FROM products ORDER BY id DESC LIMIT 1)

EXPLAIN SELECT * FROM orders WHERE total > 5

EXPLAIN FORMAT=JSON SELECT * FROM orders

EXPLAIN EXTENDED SELECT 1

SHOW TABLES

SHOW FULL TABLES LIKE 'o%'

SHOW DATABASES

SHOW COLUMNS FROM orders

SHOW FULL COLUMNS FROM orders LIKE 't%'

SHOW CREATE TABLE orders

SHOW INDEX FROM orders

SHOW TABLE STATUS

SHOW VARIABLES LIKE 'version%'

SHOW WARNINGS

DESCRIBE orders

DESC orders

EXPLAIN orders

SELECT table_name, column_name, data_type FROM information_schema.columns WHERE table_schema = DATABASE() ORDER BY ordinal_position

SELECT `update`, `Weird Name` FROM customers

SELECT o.`delete`, o.`select` AS `into` FROM orders AS o ORDER BY o.`select`

SELECT 'DROP TABLE orders' AS dropped, 'a; DELETE FROM orders; --', '/*! no */', "/*+ no */", '@@version' AS v, 'me@example.com'

-- leading comment; DELETE FROM orders
SELECT 1 -- trailing; UPDATE

# hash comment; DELETE
SELECT 1 # trailing

/* block ; */ SELECT /* inner */ id FROM orders; -- end

SELECT MATCH (body) AGAINST ('fox' IN NATURAL LANGUAGE MODE) FROM customers

SELECT id FROM customers WHERE MATCH (body) AGAINST ('+fox -dog' IN BOOLEAN MODE)

SELECT * FROM orders LEFT OUTER JOIN customers USING (id) CROSS JOIN products LIMIT 3

SELECT * FROM orders RIGHT JOIN customers ON orders.id = customers.id

SELECT * FROM orders STRAIGHT_JOIN customers

SELECT * FROM customers NATURAL JOIN products

SELECT * FROM orders FORCE INDEX (by_total) WHERE total > 5

SELECT * FROM orders USE INDEX (by_total) IGNORE INDEX FOR ORDER BY (by_total) WHERE total > 5

SELECT (SELECT MAX(total) FROM orders), (1, 2) = (1, 2), ROW(1, 2) = ROW(1, 2), id IN (1, 2, 3) FROM customers

SELECT CONVERT(name USING utf8mb4) COLLATE utf8mb4_bin AS n FROM customers ORDER BY n DESC

SELECT _utf8mb4'x', N'y', X'41', 0x41, b'01', 1e3, 1.5E-3, .5, -1, TRUE, FALSE, NULL

SELECT VERSION(), DATABASE(), CURRENT_USER(), USER(), CONNECTION_ID(), UUID(), SCHEMA(), CURRENT_USER

SELECT 'naïve 日本語 – “quotes”' AS größe

SELECT SQL_NO_CACHE id FROM orders

SELECT id, total AS t FROM orders WHERE total > 10 && id < 5 || id = 7 ORDER BY RAND() LIMIT 3

SELECT c.name FROM customers c, (SELECT customer_id, COUNT(*) n FROM orders GROUP BY customer_id) o WHERE o.customer_id = c.id AND o.n > ALL (SELECT 1) AND c.id = ANY (SELECT 1 UNION SELECT 2)

SELECT IF(a = 1, 'one', 'other') AS `case`, INTERVAL(5, 1, 10) FROM (SELECT 1 AS a) AS t

SELECT COUNT(*) AS count, SUM(total) AS sum, MIN(ordered_at) AS date, status AS user FROM orders GROUP BY status

SELECT p.id, jt.* FROM products p, JSON_TABLE(p.attributes, '$.sizes[*]' COLUMNS (n FOR ORDINALITY, size INT PATH '$' DEFAULT '0' ON EMPTY NULL ON ERROR, has INT EXISTS PATH '$.a')) AS jt

SELECT GROUP_CONCAT(DISTINCT status ORDER BY status SEPARATOR '; ' LIMIT 3) FROM orders

SELECT INSERT(status, 1, 1, 'x') FROM orders
