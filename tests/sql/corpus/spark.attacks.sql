SELECT reflect('a','b')

SELECT `reflect`('a','b')

SELECT java_method('a','b')

SELECT try_reflect('a')

SELECT TRANSFORM(a) USING 'cat' FROM t

FROM t SELECT a

FROM t INSERT INTO u SELECT a

MAP a USING 'cat'

SELECT * FROM (MAP a USING 'cat' AS b FROM t)

INSERT INTO t VALUES (1)

WITH x AS (SELECT 1) INSERT INTO t SELECT * FROM x

CREATE TABLE x AS SELECT 1

DROP TABLE t

SET a=b

SET

RESET

ADD JAR x

CACHE TABLE t

REFRESH TABLE t

USE x

EXECUTE IMMEDIATE 'x'

BEGIN SELECT 1; END

DECLARE x = 1

SELECT 1; SELECT 2

SELECT * FROM parquet.`/x`

SELECT * FROM text.`/etc/passwd`

SELECT * FROM text.passwd

SELECT * FROM `text`.`x`

SELECT * FROM csv.`x`

SELECT * FROM IDENTIFIER('x')

SELECT identifier('x') FROM t

SELECT /*+ BROADCAST(t) */ 1 FROM t

SELECT ${x}

SELECT '${env:PATH}'

SELECT :x

SELECT ?

SELECT * FROM t |> LIMIT 1

SELECT 1 -- \
, reflect('a')

SELECT my_udf(1)

SELECT * FROM my_tvf(1)

SELECT db.udf(1)

SELECT * FROM read_files('/x')

SELECT secret('a','b')

SHOW CREATE TABLE t

SHOW TBLPROPERTIES t

DESCRIBE text.`/x`

DESCRIBE QUERY INSERT INTO t SELECT 1

EXPLAIN INSERT INTO t SELECT 1

EXPLAIN ANALYZE SELECT 1

MERGE INTO t USING s ON 1=1 WHEN MATCHED THEN DELETE

DELETE FROM t

UPDATE t SET a=1

TRUNCATE TABLE t

ANALYZE TABLE t COMPUTE STATISTICS

LOAD DATA INPATH 'x' INTO TABLE t

CALL x()

SELECT * FROM global_temp.x

GRANT SELECT ON t TO x

LIST JARS

MSCK REPAIR TABLE t

ALTER TABLE t ADD COLUMN x INT

INSERT OVERWRITE DIRECTORY '/x' SELECT 1

EXPORT TABLE t

COMMENT ON TABLE t IS 'x'

SELECT input_file_name() FROM t

SELECT * FROM python_worker_logs()

SELECT 1 /* 

SELECT system.builtin.reflect('a')

SELECT builtin.reflect('a','b')

SELECT * FROM t VERSION AS OF 1; DROP TABLE t

SELECT 'a\' , reflect('x') --'

SELECT r'a\' , reflect('x') --'

SELECT * FROM delta.`/x` VERSION AS OF 1

SHOW TABLE EXTENDED LIKE '*'

TABLE orders

SELECT * FROM default.my_function(1)

SELECT a FROM t CLUSTER BY reflect('a', 'b')

SELECT 'a' -- x \
, java_method('a', 'b')

VALUES (reflect('a', 'b'))

SELECT transform(a, x -> reflect('a', 'b')) FROM t

SELECT * FROM t LATERAL VIEW my_explode(a) e

SELECT * FROM t WHERE a IN (SELECT reflect('a', 'b'))

SELECT * FROM `csv`.`/etc/passwd`

SELECT * FROM org.apache.spark.sql.parquet.`/x`

SELECT * FROM `/etc/passwd`

SELECT * FROM t JOIN json.`s3a://x/y` ON true

SELECT * FROM iceberg.`x`.snapshots

SELECT /* /*+ */ BROADCAST */ reflect('a','b')

SELECT a FROM t; DROP TABLE t

DESCRIBE DATABASE EXTENDED x; DROP TABLE t

SHOW TABLES; DROP TABLE t

SELECT 1) ; DROP TABLE t -- 

WITH x AS (INSERT INTO t VALUES (1)) SELECT 1

SELECT * FROM (INSERT INTO t VALUES (1))

SELECT * FROM (DELETE FROM t)

EXPLAIN EXTENDED DROP TABLE t

EXPLAIN FORMATTED CREATE TABLE x AS SELECT 1

DESCRIBE QUERY SELECT reflect('a', 'b')

SELECT http_request('GET', 'x')

SELECT ai_query('a', 'b')

SELECT try_secret('a', 'b')

SELECT current_path()

SELECT xpath('<a/>', '/a')

SELECT from_avro(x, '{}', map('avroSchemaUrl', 'file:///etc/passwd')) FROM t

SELECT schema_of_avro('{}', map('avroSchemaUrl', 'file:///etc/passwd'))

SELECT from_protobuf(x, 'M', '/etc/passwd') FROM t

SELECT to_protobuf(struct(1), 'M', '/etc/passwd')

SELECT from_xml('<a/>', 'a INT', map('rowValidationXSDPath', '/etc/passwd'))

SELECT schema_of_xml('<a/>', map('rowValidationXSDPath', '/etc/passwd'))

SELECT count(*) FROM t GROUP BY window(reflect('a', 'b'), '1 day')

SELECT a FROM t DISTRIBUTE BY reflect('a', 'b')

SELECT nulls(1)

SHOW USER FUNCTIONS

DESCRIBE FUNCTION EXTENDED my_udf

SELECT _metadata.file_path FROM t

SELECT t.`_METADATA` FROM t
