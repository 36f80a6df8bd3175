INSERT INTO customers (id) VALUES (99)

UPDATE orders SET total = 0

DELETE FROM orders

REPLACE INTO customers (id) VALUES (1)

DROP TABLE orders

CREATE TABLE evil (a)

CREATE TEMP TABLE evil AS SELECT 1

CREATE TRIGGER t AFTER INSERT ON orders BEGIN DELETE FROM orders; END

CREATE VIRTUAL TABLE evil USING fts5(a)

ALTER TABLE orders RENAME TO evil

ATTACH 'evil.db' AS evil

ATTACH DATABASE '/etc/passwd' AS p

DETACH main

VACUUM

VACUUM INTO '/tmp/copy.db'

ANALYZE

REINDEX

BEGIN

COMMIT

ROLLBACK

SAVEPOINT a

RELEASE a

WITH a AS (SELECT 1) DELETE FROM orders

WITH a AS (SELECT 1) INSERT INTO customers SELECT 99, 'x', 'y', 'z', 'w'

WITH a AS (SELECT 1) UPDATE orders SET total = 0

SELECT 1; DELETE FROM orders

SELECT 1;;DROP TABLE orders

SELECT '\'; DELETE FROM orders; --'

SELECT 1 /* /* */ ; DELETE FROM orders --*/

SELECT "a"";"; DELETE FROM orders

SELECT [a;]; DELETE FROM orders

SELECT `a``;`; DELETE FROM orders

EXPLAIN DELETE FROM orders

EXPLAIN QUERY PLAN DELETE FROM orders

EXPLAIN PRAGMA journal_mode = DELETE

EXPLAIN EXPLAIN SELECT 1

PRAGMA journal_mode = WAL

PRAGMA journal_mode(DELETE)

PRAGMA writable_schema = 1

PRAGMA query_only = 0

PRAGMA user_version = 5

PRAGMA user_version(5)

PRAGMA main.user_version(5)

PRAGMA table_info(orders); DELETE FROM orders

PRAGMA table_info = orders

PRAGMA database_list

PRAGMA temp_store_directory = '/tmp'

PRAGMA wal_checkpoint(TRUNCATE)

PRAGMA incremental_vacuum(1)

PRAGMA optimize

PRAGMA shrink_memory

PRAGMA schema_version = 1

PRAGMA mmap_size = 1

PRAGMA case_sensitive_like = 1

PRAGMA trusted_schema = 1

SELECT * FROM pragma_wal_checkpoint

SELECT * FROM pragma_journal_mode('delete')

SELECT * FROM pragma_optimize

SELECT * FROM pragma_database_list

SELECT * FROM pragma_incremental_vacuum(1)

SELECT load_extension('/tmp/evil.so')

SELECT LOAD_EXTENSION ('/tmp/evil.so', 'x')

SELECT "load_extension"('/tmp/evil.so')

SELECT [load_extension]('/tmp/evil.so')

SELECT `load_extension` ('/tmp/evil.so')

SELECT load_extension/* */('/tmp/evil.so')

SELECT 1 WHERE load_extension('/tmp/evil.so') IS NULL

SELECT count(*) FILTER (WHERE load_extension('x')) FROM orders

WITH load_extension(a) AS (SELECT 1) SELECT load_extension('x') FROM load_extension

SELECT fts3_tokenizer('simple')

SELECT fts3_tokenizer('evil', x'4141414141414141')

SELECT writefile('/tmp/x', 'y')

SELECT readfile('/etc/passwd')

SELECT edit('x', 'vim')

SELECT * FROM fsdir('/')

SELECT optimize(documents) FROM documents

SELECT fts5(1)

SELECT sqlite_log(1, 'x')

SELECT sqlite_compileoption_get(0)

SELECT rtreecheck('x')

SELECT eval('DELETE FROM orders')

SELECT my_function(1)

SELECT * FROM sqlite_dbpage

SELECT * INTO evil FROM orders

SELECT * FROM orders FOR UPDATE

SELECT ?

SELECT ?1, :a, @b, $c

orders

1 + 1

SELECT * FROM (DELETE FROM orders RETURNING id)

SELECT (DELETE FROM orders RETURNING id)

WITH d AS (DELETE FROM orders RETURNING id) SELECT * FROM d

VALUES (load_extension('x'))

SELECT {# x #} 1

SELECT * FROM 'pragma_database_list'

SELECT * FROM 'sqlite_dbpage'

SELECT * FROM main.'sqlite_dbpage'

SELECT * FROM "pragma_database_list"

SELECT 'load_extension'('x')

SELECT * FROM 'fsdir'('/')

SELECT "filter"(1)

SELECT filter(1)

PRAGMA 'journal_mode'='delete'

PRAGMA [journal_mode](delete)

PRAGMA table_info ( "x" ); PRAGMA user_version=3

PRAGMA main . journal_mode = wal

PRAGMA user_version/**/=/**/3

PRAGMA (user_version)

EXPLAIN ATTACH 'x' AS y

EXPLAIN QUERY PLAN ATTACH 'x' AS y

EXPLAIN VACUUM

EXPLAIN QUERY DELETE FROM orders

SELECT * FROM orders; ATTACH 'x' AS y

SELECT 1 /* ; */; VACUUM

SELECT 1 /*

VALUES (1); VACUUM

VALUES (writefile('x','y'))

WITH x AS (SELECT load_extension('x')) SELECT * FROM x

SELECT * FROM orders WHERE id IN load_extension('x')

SELECT * FROM orders WHERE id IN pragma_database_list

SELECT (SELECT * FROM pragma_database_list)

SELECT * FROM orders JOIN pragma_database_list

SELECT * FROM json_each(readfile('/etc/passwd'))

SELECT 1 WHERE x MATCH load_extension('x')

SELECT 1 LIMIT load_extension('x')

SELECT 1 ORDER BY load_extension('x') COLLATE NOCASE

SELECT CASE WHEN load_extension('x') THEN 1 END

SELECT group_concat(x, load_extension('x')) FROM t

SELECT x FROM t WINDOW w AS (ORDER BY load_extension('x'))

SELECT load_extension(DISTINCT 'x')

SELECT LOAD_EXTENSION(*) 

SELECT -load_extension('x')

SELECT ~load_extension('x')

INSERT INTO t SELECT 1 RETURNING *

SELECT RAISE(ABORT, 'x')

TABLE orders

SELECT sql FROM sqlite_stmt
