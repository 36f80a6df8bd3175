INSERT INTO customers (id, name) VALUES (99, 'x')

UPDATE orders SET total = 0

DELETE FROM orders

DELETE FROM orders USING customers WHERE true RETURNING orders.id

TRUNCATE orders

DROP TABLE orders CASCADE

CREATE TABLE evil (a int)

CREATE TABLE evil AS SELECT * FROM orders

CREATE TEMP TABLE evil AS SELECT 1

ALTER TABLE orders ADD COLUMN x int

MERGE INTO orders o USING customers c ON o.id = c.id WHEN MATCHED THEN DELETE

GRANT ALL ON orders TO PUBLIC

CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'DELETE FROM orders; SELECT 1'

CREATE EXTENSION dblink

DO $$ BEGIN DELETE FROM orders; END $$

CALL some_procedure()

COPY orders TO '/tmp/x.csv'

COPY (SELECT 1) TO PROGRAM 'touch /tmp/owned'

COPY orders FROM '/etc/passwd'

VACUUM FULL orders

ANALYZE orders

REINDEX TABLE orders

CLUSTER orders

REFRESH MATERIALIZED VIEW big_orders

LOCK TABLE orders IN ACCESS EXCLUSIVE MODE

LISTEN channel

UNLISTEN *

NOTIFY channel, 'payload'

DISCARD ALL

CHECKPOINT

SAVEPOINT a

RELEASE SAVEPOINT a

BEGIN

COMMIT

ROLLBACK

END

ABORT

PREPARE p AS DELETE FROM orders

EXECUTE p

DEALLOCATE ALL

DECLARE c CURSOR FOR SELECT 1

FETCH ALL FROM c

MOVE c

CLOSE c

SET statement_timeout = 0

SET ROLE postgres

SET SESSION AUTHORIZATION postgres

SET TRANSACTION READ WRITE

SET LOCAL search_path = evil

RESET ALL

RESET ROLE

SECURITY LABEL ON TABLE orders IS 'x'

COMMENT ON TABLE orders IS 'x'

REASSIGN OWNED BY a TO b

LOAD 'auto_explain'

IMPORT FOREIGN SCHEMA a FROM SERVER b INTO c

SHOW request.jwt.claims

EXPLAIN ANALYZE DELETE FROM orders

EXPLAIN (ANALYZE) UPDATE orders SET total = 1

EXPLAIN ANALYZE CREATE TABLE evil AS SELECT 1

EXPLAIN DELETE FROM orders

EXPLAIN ANALYZE EXECUTE p

EXPLAIN ANALYZE SELECT * INTO evil FROM orders

EXPLAIN (ANALYZE true, FORMAT json) SELECT pg_sleep(10)

EXPLAIN EXPLAIN SELECT 1

EXPLAIN (ANALYZE) DECLARE c CURSOR FOR SELECT 1

EXPLAIN

SELECT * INTO evil FROM orders

SELECT 1 INTO TEMP evil

SELECT 1 AS a INTO evil

WITH a AS (SELECT 1) SELECT * INTO evil FROM a

SELECT * FROM orders FOR UPDATE

SELECT * FROM orders FOR NO KEY UPDATE

SELECT * FROM orders FOR SHARE SKIP LOCKED

SELECT * FROM orders FOR KEY SHARE NOWAIT

SELECT * FROM (SELECT * FROM orders FOR UPDATE) x

SELECT (SELECT id FROM orders LIMIT 1 FOR UPDATE)

(SELECT * FROM orders) FOR UPDATE

TABLE orders FOR UPDATE

WITH d AS (DELETE FROM orders RETURNING *) SELECT * FROM d

WITH d AS MATERIALIZED (DELETE FROM orders RETURNING *) SELECT 1

WITH i AS (INSERT INTO customers (id, name) VALUES (77, 'x') RETURNING id) SELECT * FROM i

WITH u AS (UPDATE orders SET total = 0 RETURNING id) SELECT count(*) FROM u

WITH m AS (MERGE INTO orders o USING customers c ON false WHEN NOT MATCHED THEN INSERT VALUES (1) RETURNING 1) SELECT 1

WITH a AS (SELECT 1), b AS (WITH c AS (DELETE FROM orders RETURNING 1) SELECT * FROM c) SELECT * FROM b

WITH a AS (SELECT 1) DELETE FROM orders

WITH a AS (SELECT 1) INSERT INTO customers SELECT 1, 'x'

WITH a AS (SELECT 1) UPDATE orders SET total = 0

SELECT * FROM (WITH d AS (DELETE FROM orders RETURNING *) SELECT * FROM d) x

SELECT 1; DROP TABLE orders

SELECT 1; SELECT 2

SELECT 1;;DELETE FROM orders

SELECT 1 /* ; */ ; /* */ DELETE FROM orders

; DELETE FROM orders

SELECT $$a$$; DROP TABLE orders; --$$

SELECT E'\''; DROP TABLE orders; --'

SELECT '\'; DROP TABLE orders; --'

SELECT 'a' -- '
; DROP TABLE orders; --'

SELECT 1 /* /* */ */ ; DROP TABLE orders; -- */

SELECT E'a'
'\'; DROP TABLE orders; --'

SELECT U&"\0070g_sleep"(1)

SELECT u&"d\0061t!+000061" UESCAPE '!'

SELECT pg_sleep(10)

SELECT PG_SLEEP (10)

SELECT pg_catalog.pg_sleep(10)

SELECT "pg_sleep"(10)

SELECT pg_catalog . /* x */ "pg_sleep" /* y */ (10)

SELECT pg_sleep
(10)

SELECT pg_sleep--
(10)

SELECT * FROM pg_sleep(10)

SELECT * FROM orders, LATERAL pg_sleep(1)

SELECT * FROM orders JOIN pg_sleep(1) ON true

SELECT * FROM ROWS FROM (pg_sleep(1))

SELECT 1 FROM orders ORDER BY pg_sleep(1)

SELECT CASE WHEN true THEN pg_sleep(1)::text END

SELECT 1 WHERE pg_sleep(1) IS NULL

SELECT count(*) FILTER (WHERE pg_sleep(1) IS NOT NULL) FROM orders

SELECT sum(1) OVER (PARTITION BY pg_sleep(1)) FROM orders

SELECT 1 LIMIT (SELECT 1 FROM pg_sleep(1))

VALUES (pg_sleep(1))

SELECT ARRAY[pg_sleep(1)]

SELECT (pg_sleep(1))::text

SELECT coalesce(pg_sleep(1)::text, '')

WITH pg_sleep(a) AS (SELECT 1) SELECT pg_sleep(10) FROM pg_sleep

SELECT * FROM (SELECT 1) AS pg_sleep(a) WHERE pg_sleep(1) IS NULL

SELECT pg_read_file('/etc/passwd')

SELECT * FROM pg_read_file('/etc/passwd')

SELECT pg_read_binary_file('/etc/passwd')

SELECT pg_ls_dir('/')

SELECT pg_stat_file('/etc/passwd')

SELECT lo_import('/etc/passwd')

SELECT lo_export(1, '/tmp/x')

SELECT lo_from_bytea(0, 'x')

SELECT lo_create(0), lo_unlink(1)

SELECT loread(1, 1), lowrite(1, 'x')

SELECT dblink('host=evil', 'select 1')

SELECT * FROM dblink('host=evil', 'select 1') AS t(a int)

SELECT query_to_xml('DELETE FROM orders', true, true, '')

SELECT table_to_xml('orders', true, true, '')

SELECT database_to_xml(true, true, '')

SELECT cursor_to_xml('c', 1, true, true, '')

SELECT * FROM ts_stat('SELECT pg_sleep(1)')

SELECT ts_rewrite('a'::tsquery, 'SELECT 1')

SELECT set_config('default_transaction_read_only', 'off', false)

SELECT pg_catalog.set_config('role', 'postgres', false)

SELECT current_setting('request.jwt.claims')

SELECT pg_terminate_backend(1), pg_cancel_backend(1)

SELECT pg_reload_conf()

SELECT pg_rotate_logfile()

SELECT pg_switch_wal()

SELECT pg_create_restore_point('x')

SELECT pg_create_physical_replication_slot('x')

SELECT pg_drop_replication_slot('x')

SELECT pg_logical_emit_message(true, 'a', 'b')

SELECT pg_logical_slot_get_changes('x', NULL, NULL)

SELECT pg_advisory_lock(1)

SELECT pg_try_advisory_xact_lock(1)

SELECT pg_notify('c', 'x')

SELECT nextval('s'), setval('s', 1), currval('s'), lastval()

SELECT setseed(0.5)

SELECT pg_stat_reset()

SELECT pg_promote()

SELECT pg_export_snapshot()

SELECT pg_import_system_collations('pg_catalog')

SELECT brin_summarize_new_values('i')

SELECT gin_clean_pending_list('i')

SELECT txid_current()

SELECT pg_current_xact_id()

SELECT array_fill(1, ARRAY[100000, 100000])

SELECT pg_hba_file_rules()

SELECT pg_show_all_settings()

SELECT crosstab('DELETE FROM orders')

SELECT http_get('http://169.254.169.254/')

SELECT net.http_get('http://169.254.169.254/')

SELECT xpath_table('id', 'x', 'orders', '/', 'true')

SELECT public.dangerous()

SELECT my_function(1)

SELECT crm.do_it()

SELECT approx_distinct(id) FROM orders

SELECT (SELECT evil.lower('x'))

SELECT 1 OPERATOR(evil.+) 2

SELECT * FROM pg_authid

SELECT * FROM pg_catalog.pg_authid

SELECT passwd FROM "pg_shadow"

TABLE pg_shadow

SELECT setconfig FROM pg_db_role_setting

SELECT * FROM pg_user_mapping

SELECT umoptions FROM pg_user_mappings

SELECT * FROM information_schema.user_mapping_options

SELECT srvoptions FROM pg_foreign_server

SELECT * FROM information_schema.foreign_server_options

SELECT foreign_server_options FROM information_schema._pg_foreign_servers

SELECT data FROM pg_largeobject

SELECT * FROM pg_hba_file_rules

SELECT * FROM vault.decrypted_secrets

SELECT a.rolpassword FROM orders, LATERAL (SELECT * FROM PG_AUTHID) a

1 + 1

orders

(orders)

SELECT {# hidden #} 1

SELECT /*+ SeqScan(orders) */ pg_sleep(1)

SELECT :name

SELECT $1

XX SELECT 1

SELECT * FROM orders WHERE id = (DELETE FROM orders RETURNING id)

SELECT * FROM (DELETE FROM orders RETURNING id) x

SELECT EXISTS (DELETE FROM orders)

SELECT * FROM LATERAL (UPDATE orders SET total = 1 RETURNING 1) x

VALUES (1) INTO evil

CREATE OR REPLACE VIEW big_orders AS SELECT 1

CREATE RULE r AS ON SELECT TO orders DO INSTEAD SELECT 1

START TRANSACTION READ WRITE

SELECT pg_file_write('/tmp/x', 'y', false)

SELECT plpgsql_validator(1)

SELECT binary_upgrade_set_record_init_privs(true)

ALTER SYSTEM SET work_mem = '1GB'

ALTER ROLE postgres PASSWORD 'x'

SELECT "system"('id')

SELECT system('id')

SELECT "coalesce"(1)

SELECT "operator"(1)

SELECT operator(1)

SELECT 1 FROM orders TABLESAMPLE system_time(100000)

SELECT filter(1)

SELECT sets(1)

SELECT year(now())

SELECT * FROM orders o, LATERAL o.fn()

SELECT public.text('x')

SELECT (SELECT pg_sleep FROM pg_sleep(1))

SELECT * FROM (VALUES (1)) pg_sleep(a), pg_sleep(5)

WITH x(a) AS (SELECT 1), pg_sleep AS (SELECT 2) SELECT pg_sleep(1)

SELECT a.b.c.pg_sleep(1)

SELECT pg_catalog.pg_catalog.lower('x')

SELECT 'x'::pg_authid

SELECT NULL::pg_shadow

SELECT row_to_json(a) FROM pg_authid a

SELECT $$ $$ $$ $$

SELECT N'a'; DROP TABLE x

SELECT B'1'; DROP TABLE x

SELECT 1 FOR UPDATE OF orders

SELECT 1 AS for update

SELECT * FROM orders for/**/update

SELECT * FROM orders FOR-- x

SELECT 1 INTO/**/x

SELECT 1 "x" INTO x

SELECT 1,2 INTO UNLOGGED x

WITH t AS (TABLE orders) DELETE FROM orders

WITH t AS (SELECT 1) MERGE INTO orders USING t ON true WHEN MATCHED THEN DELETE

WITH t AS NOT MATERIALIZED (INSERT INTO customers(id,name) VALUES(1,'a') RETURNING id) TABLE t

EXPLAIN (ANALYZE) (DELETE FROM orders)

EXPLAIN (ANALYZE, FORMAT 'json') WITH t AS (DELETE FROM orders RETURNING 1) SELECT 1

EXPLAIN (ANALYZE (1)) SELECT 1

EXPLAIN ANALYZE VERBOSE SELECT pg_sleep(1)

EXPLAIN (SELECT 1) INTO x

EXPLAIN ANALYZE SELECT 1 INTO x

EXPLAIN ANALYZE CREATE MATERIALIZED VIEW x AS SELECT 1

EXPLAIN ANALYZE REFRESH MATERIALIZED VIEW x

SHOW "a.b"

SHOW a b

SHOW search_path; DROP TABLE x

TABLE pg_catalog.pg_authid

TABLE orders; TABLE customers

VALUES (1), (nextval('s'))

VALUES ((SELECT set_config('a','b',false)))

SELECT CAST(pg_sleep(1) AS text)

SELECT pg_sleep(1)::text

SELECT xmltable('/x' PASSING xmlparse(DOCUMENT 'x') COLUMNS a int)

SELECT * FROM xmltable('/' PASSING query_to_xml('select 1',true,true,'') COLUMNS a text)

SELECT JSON_VALUE(jsonb '{}', '$' DEFAULT pg_sleep(1) ON ERROR)

SELECT JSON_OBJECT('a' VALUE pg_sleep(1))

SELECT extract(epoch FROM pg_sleep(1))

SELECT interval(pg_sleep(1))

SELECT INTERVAL '1' DAY, pg_sleep(1)

SELECT x.y FROM (SELECT 1) AS x(y) ORDER BY pg_sleep(1) USING <

SELECT pg_sleep(1) UNION SELECT pg_sleep(2)

SELECT ALL pg_sleep(1)

SELECT DISTINCT ON (pg_sleep(1)) 1

SELECT 1 GROUP BY GROUPING SETS ((pg_sleep(1)))

SELECT 1 LIMIT pg_sleep(1)::text::int

SELECT 1 OFFSET (SELECT length(pg_read_file('x')))

SELECT 1 FETCH FIRST (SELECT pg_sleep(1)) ROWS ONLY

SELECT first(1)

SELECT * FROM next(1)

SELECT (VARIADIC pg_sleep(1))

SELECT concat(VARIADIC ARRAY[pg_read_file('x')])

SELECT make_interval(secs => pg_sleep(1))

SELECT lower(a => pg_read_file('x'))

SELECT pg_catalog."PG_SLEEP"(1)

SELECT PG_CATALOG.PG_SLEEP(1)

SELECT ｐｇ_sleep(1)

SELECT pg_ſleep(1)

SELECT pg_sleep​(1)

select pg_terminate_backend(pid) from pg_stat_activity

SELECT lo_get(1)

SELECT pg_logical_slot_peek_changes('x',null,null)

SELECT pg_stat_get_backend_activity(1)

COPY (SELECT 1) TO STDOUT

SELECT 1;
COPY x FROM PROGRAM 'id'

BEGIN; SELECT 1; COMMIT

DO LANGUAGE plpgsql 'BEGIN END'

SET x.y TO 'z'

\copy x to y

\! id

SELECT #1

'a'

NULL

(SELECT 1

SELECT 1)

)SELECT 1(

WITH RECURSIVE a AS (SELECT 1) CYCLE x SET y USING z DELETE FROM orders

FROM orders

PIVOT orders ON x

SELECT TREAT(1::float8 AS pg_sleep)

SELECT treat('PG_VERSION'::text AS pg_read_file)

SELECT id FROM orders WHERE TREAT(id::bigint AS pg_advisory_lock) IS NULL
