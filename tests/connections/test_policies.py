"""Policies on data, against real databases: what must not come out does not, and honest queries still run."""

import sqlite3

import duckdb
import pytest
from policed import PolicedDatabase

from sqlchat.errors import PayloadError, QueryError, SqlchatError, SQLRefusedError, SQLSyntaxError
from sqlchat.sql.policies.policy import Policy

SECRET = "tell-nobody"
POLICY = {"deny_tables": ["salaries", "audit*"], "deny_columns": ["users.email", "*.ssn"]}
TABLES = f"""
CREATE TABLE users (id integer PRIMARY KEY, name text, email text, ssn text);
CREATE TABLE orders (id integer PRIMARY KEY, user_id integer, email text, total integer);
CREATE TABLE salaries (user_id integer, note text);
CREATE TABLE audit_log (note text);
CREATE VIEW names AS SELECT id, name FROM users;
CREATE VIEW everyone AS SELECT * FROM users;
CREATE VIEW renamed AS SELECT id, email AS contact FROM users;
CREATE VIEW nested AS SELECT contact FROM renamed;
CREATE VIEW pay AS SELECT u.name, s.note FROM users u JOIN salaries s ON s.user_id = u.id;
CREATE VIEW totals AS SELECT user_id, sum(total) AS total FROM orders GROUP BY user_id;
INSERT INTO users VALUES (1, 'Ann', '{SECRET}@x.org', '{SECRET}'), (2, 'Bob', '{SECRET}2@x.org', '{SECRET}2');
INSERT INTO orders VALUES (1, 1, 'shop@x.org', 10), (2, 2, 'shop@x.org', 20);
INSERT INTO salaries VALUES (1, '{SECRET}');
INSERT INTO audit_log VALUES ('{SECRET}');
"""
EVASIONS = [
    "SELECT * FROM users",
    "SELECT email FROM users",
    "SELECT EMAIL FROM USERS",
    'SELECT "email" FROM "users"',
    "SELECT u.email FROM users u",
    "SELECT users.email FROM users",
    "SELECT u.* FROM users u",
    "SELECT id, u.ssn FROM users AS u",
    "SELECT upper(email) FROM users",
    "SELECT id FROM users WHERE email LIKE 't%'",
    "SELECT id FROM users ORDER BY email",
    "SELECT id FROM users ORDER BY email || ''",
    "SELECT id AS email FROM users ORDER BY email || ''",
    "SELECT count(*) FROM users GROUP BY email",
    "SELECT count(*) FROM users HAVING max(email) > 'a'",
    "SELECT max(email) FROM users",
    "SELECT count(DISTINCT email) FROM users",
    "SELECT count(email) FILTER (WHERE email > 'a') FROM users",
    "SELECT id, row_number() OVER (ORDER BY email) FROM users",
    "SELECT id, row_number() OVER w FROM users WINDOW w AS (PARTITION BY email)",
    "SELECT * FROM (SELECT * FROM users) s",
    "SELECT s.email FROM (SELECT * FROM users) s",
    "SELECT s.x FROM (SELECT email AS x FROM users) s",
    "WITH c AS (SELECT * FROM users) SELECT name FROM c",
    "WITH c(a, b, c, d) AS (SELECT * FROM users) SELECT c FROM c",
    "WITH c AS (SELECT email FROM users) SELECT 1 FROM c",
    "WITH users AS (SELECT * FROM users) SELECT * FROM users",
    "WITH users AS (SELECT 1 AS id) SELECT id FROM users",
    "WITH RECURSIVE c(x) AS (SELECT email FROM users UNION SELECT x FROM c) SELECT x FROM c",
    "SELECT id FROM orders UNION SELECT email FROM users",
    "SELECT id, name FROM users UNION ALL SELECT id, ssn FROM users",
    "SELECT id FROM users UNION ALL SELECT * FROM users",
    "SELECT o.id FROM orders o JOIN users u ON u.email = o.email",
    "SELECT o.id FROM orders o JOIN users u USING (email)",
    "SELECT o.id FROM orders o NATURAL JOIN users u",
    "SELECT * FROM orders o, users u",
    "SELECT o.*, u.* FROM orders o, users u",
    "SELECT (SELECT email FROM users WHERE id = 1)",
    "SELECT (SELECT u.email) FROM users u",
    "SELECT id FROM orders WHERE EXISTS (SELECT 1 FROM users u WHERE u.email > 'a')",
    "SELECT id FROM orders WHERE email IN (SELECT email FROM users)",
    "SELECT j.email FROM (users CROSS JOIN orders o) AS j",
    "SELECT j.* FROM (users u CROSS JOIN orders o) AS j",
    "SELECT * FROM (users u CROSS JOIN orders o)",
    "SELECT u.c FROM users AS u(a, b, c, d)",
    "SELECT CASE WHEN ssn > 't' THEN 1 END FROM users",
    "VALUES ((SELECT email FROM users LIMIT 1))",
    "SELECT note FROM salaries",
    "SELECT 1 FROM salaries",
    "SELECT count(*) FROM SALARIES",
    "SELECT id FROM users WHERE id IN (SELECT user_id FROM salaries)",
    "WITH c AS (SELECT * FROM audit_log) SELECT 1",
    "SELECT * FROM audit_log",
    "SELECT * FROM everyone",
    "SELECT name FROM everyone",
    "SELECT contact FROM renamed",
    "SELECT contact FROM nested",
    "SELECT name FROM pay",
    "SELECT id FROM nowhere",
    "SELECT 1 /* FROM users */",
    "SELECT id -- x\n FROM users",
    "EXPLAIN SELECT id FROM users",
    "SELECT nope FROM users, nowhere",
    "SELECT u.nope FROM users u",
    "SELECT id FROM users; SELECT email FROM users",
]
ON_SQLITE = [
    "SELECT * FROM json_each((SELECT json_group_array(email) FROM users))",
    "SELECT email FROM users, json_each('[1]')",
    "SELECT value FROM users, json_each(json_array(email))",
    "SELECT [email] FROM users",
    "SELECT `email` FROM users",
    "SELECT u.'email' FROM users u",
    "SELECT 'u'.'email' FROM users u",
    "SELECT u.\"email\" FROM 'users' u",
    "SELECT email FROM main.users",
    "SELECT email FROM temp.users",
    "SELECT sql FROM sqlite_master",
    "SELECT sql FROM main.sqlite_schema",
    "SELECT name FROM pragma_table_info('users')",
    "SELECT name FROM pragma_table_list",
    "PRAGMA table_info(users)",
    "SELECT (1, 2) IN salaries",
    "SELECT ('tell-nobody') IN audit_log",
    "SELECT rowid FROM users",
    "SELECT id FROM users WHERE users MATCH 'x'",
    "SELECT users FROM users",
]
ON_POSTGRES = [
    "SELECT (NULL::salaries).*",
    "SELECT NULL::salaries",
    "SELECT CAST(NULL AS public.salaries)",
    'SELECT NULL::"salaries"[]',
    "SELECT json_populate_record(NULL::salaries, '{}')",
    "SELECT x FROM json_to_record('{}') AS j(x salaries)",
    "SELECT (NULL::users).email",
    "SELECT NULL::nobody",
    "SELECT j.v FROM users u, JSON_TABLE(to_jsonb(u), '$.email' COLUMNS (v text PATH '$')) AS j",
    "SELECT j.v FROM JSON_TABLE((SELECT jsonb_agg(note) FROM salaries), '$[*]' COLUMNS (v text PATH '$')) AS j",
    "SELECT x.email FROM users u, jsonb_to_record(to_jsonb(u)) AS x(email text)",
    "SELECT r.b FROM ROWS FROM (generate_series(1, 2), unnest((SELECT array_agg(note) FROM salaries))) AS r(a, b)",
    "SELECT r.b FROM users u, ROWS FROM (generate_series(1, 2), told()) AS r(a, b)",
    "SELECT told()",
    "SELECT x FROM indirect",
    "TABLE users",
    "TABLE salaries",
    "SELECT u FROM users u",
    "SELECT users FROM users",
    "SELECT (u).email FROM users u",
    "SELECT (u).* FROM users u",
    "SELECT (users.*).email FROM users",
    "SELECT u::text FROM users u",
    "SELECT row_to_json(u) FROM users u",
    "SELECT to_jsonb(u) ->> 'email' FROM users u",
    "SELECT u.to_json FROM users u",
    "SELECT json_agg(u) FROM users u",
    "SELECT count(u) FROM users u",
    "SELECT count(u.*) FROM users u",
    "SELECT row(u.*) FROM users u",
    "SELECT max(u::text) FROM users u",
    "SELECT id FROM users u ORDER BY u",
    "SELECT DISTINCT ON (u) id FROM users u",
    "SELECT id FROM users u GROUP BY id, u",
    "SELECT 1 FROM users u WHERE u IS NOT NULL",
    "SELECT 1 FROM users u, users v WHERE u < v",
    "SELECT s FROM (SELECT u FROM users u) s",
    "SELECT j FROM (users u CROSS JOIN orders o) AS j",
    "SELECT x FROM users u, LATERAL (SELECT u.email AS x) l",
    "SELECT x FROM users u CROSS JOIN LATERAL (VALUES (u.email)) AS l(x)",
    "SELECT x FROM users u, LATERAL unnest(ARRAY[u.email]) AS l(x)",
    "SELECT x.* FROM users u, LATERAL json_each_text(to_json(u)) x",
    f"SELECT {'x' * 64} FROM orders",
    'SELECT "émail" FROM users',
    'SELECT U&"\\0065mail" FROM users',
    "SELECT U&\"!0065mail\" UESCAPE '!' FROM users",
    'SELECT email FROM U&"\\0075sers"',
    "SELECT email FROM public.users",
    "SELECT public.users.email FROM public.users",
    "SELECT email FROM ONLY users",
    "SELECT id FROM users TABLESAMPLE SYSTEM (100) WHERE ssn > 'a'",
    "SELECT most_common_vals::text FROM pg_stats",
    "SELECT most_common_vals::text FROM pg_catalog.pg_stats WHERE tablename = 'users'",
    "SELECT attname FROM pg_attribute",
    "SELECT column_name FROM information_schema.columns",
    "SELECT 'salaries'::regclass::text",
    "SELECT 'salaries'::pg_catalog.regclass::text",
    "SELECT '{salaries}'::_regclass::text",
    "SELECT regclass('salaries')::text",
    "SELECT ('salaries'::text).regclass::text",
    "SELECT xmlserialize(content 'salaries'::xml AS regclass)::text",
    "SELECT ('salaries'::text).to_regclass::text",
    "SELECT ('renamed'::text).pg_get_viewdef",
    "SELECT ('salaries').pg_relation_size",
    "SELECT to_regclass('salaries')::text",
    "SELECT pg_relation_size('salaries')",
    "SELECT pg_get_viewdef('renamed')",
    "SELECT query_to_xml('SELECT email FROM users', true, true, '')",
    "SELECT table_to_xml('users', true, true, '')",
    "SHOW ALL",
    "WITH x AS (TABLE users) SELECT 1",
    "SELECT 1 WHERE (SELECT ROW(1, 'a', 'b', 'c')) IN (TABLE users)",
    "SELECT $$x$$, email FROM users",
    "SELECT 1 FROM users /* /* */ , salaries */",
]
ON_DUCKDB = [
    "SELECT told()",
    "SELECT x FROM indirect",
    "FROM users",
    "FROM users SELECT email",
    "SELECT COLUMNS('e.*') FROM users",
    "SELECT COLUMNS(c -> c LIKE 'e%') FROM users",
    "SELECT #3 FROM users",
    "SELECT * EXCLUDE (id) FROM users",
    "SELECT * REPLACE ('x' AS email) FROM users",
    "SELECT main.users FROM main.users",
    "SELECT unnest(u) FROM users u",
    "SELECT u['email'] FROM users u",
    "SELECT u.email[1] FROM users u",
    "SELECT struct_extract(u, 'email') FROM users u",
    "SELECT [x.email FOR x IN [u]] FROM users u",
    "SELECT u.card.number FROM users u",
    "SELECT card.number FROM users",
    "SELECT users.card['number'] FROM users",
    "SELECT * FROM users POSITIONAL JOIN orders",
    "SELECT o.id FROM orders o ASOF JOIN users u ON o.id >= u.id AND o.email = u.email",
    "PIVOT users ON name USING max(email)",
    "UNPIVOT users ON email INTO NAME n VALUE v",
    "SUMMARIZE users",
    "DESCRIBE salaries",
    "SHOW TABLES",
    "SELECT * FROM duckdb_tables()",
    "FROM query('SELECT email FROM users')",
    "FROM query_table('salaries')",
    "SELECT x FROM hr.orders",
    "SELECT x FROM data.hr.orders",
    "SELECT sql FROM sqlite_master",
    "SELECT u.struct_extract('email') FROM users u",
    "SELECT users.to_json() FROM users",
    "SELECT main.users.to_json() FROM users",
    "SELECT data.users.struct_values() FROM users",
    "SELECT \"U\".STRUCT_EXTRACT('ssn') FROM users u",
    "SELECT (u).to_json() FROM users u",
    "SELECT u.struct_insert(a := 1) FROM users u",
    "SELECT u.first() FROM users u",
    "SELECT u.any_value().name FROM users u",
    "SELECT id FROM users u WHERE u.struct_extract('email') LIKE 't%'",
    "SELECT id FROM users u ORDER BY u.hash()",
    "SELECT list_transform([1], lambda x: u.to_json()) FROM users u",
    "SELECT u.email.upper() FROM users u",
    "SELECT u.card.number.upper() FROM users u",
    "SELECT enum_range(NULL::grade)",
    "SELECT NULL::grade.enum_first()",
    "SELECT 'none'::grade",
    "SELECT CAST(1 AS grade)",
]
DUCK_HONEST = [
    ("SELECT name.upper() FROM users", 2),
    ("SELECT u.name.upper().lower() FROM users u", 2),
    ("SELECT users.name.length() FROM users", 2),
    ("SELECT o.email.upper(), u.name.upper() FROM orders o JOIN users u ON u.id = o.user_id", 2),
    ("SELECT o.to_json() FROM orders o", 2),
    ("SELECT [x.upper() FOR x IN [name]] FROM users", 2),
]
POSTGRES_HONEST = [
    ("SELECT '[1]'::jsonb @? '$[0]'::jsonpath", 1),
    ("SELECT to_tsvector('simple', name) @@ 'ann'::tsquery FROM users", 2),
    ("SELECT '(1,2),(3,4)'::box, '08:00:2b:01:02:03'::macaddr, 'a'::\"char\", '1'::pg_catalog.int4", 1),
    ("SELECT u.id, j.v FROM users u, JSON_TABLE(to_jsonb(ARRAY[u.id]), '$[*]' COLUMNS (v int PATH '$')) AS j", 2),
    ("SELECT r.nth FROM ROWS FROM (generate_series(1, 2), unnest(ARRAY['a'])) WITH ORDINALITY AS r(a, b, nth)", 2),
    ("SELECT x.a FROM users, jsonb_to_record(jsonb_build_object('a', name)) AS x(a text)", 2),
]
MYSQL_VIEWS = {
    "plain": "SELECT UPPER(name) AS n, DATE_FORMAT(NOW(), '%Y') AS y, CAST(id AS CHAR(5)) AS c FROM users",
    "grouped": "SELECT name, COUNT(*) AS n, GROUP_CONCAT(id ORDER BY id SEPARATOR ';') AS g FROM users GROUP BY name",
    "chosen": "SELECT CASE WHEN id > 1 THEN IFNULL(name, '?') ELSE TRIM(name) END AS n FROM users WHERE id LIKE '1%'",
    "ranked": "SELECT id, RANK() OVER (PARTITION BY name ORDER BY id) AS place FROM users",
    "joined": "SELECT u.name, YEAR('2024-01-01') + o.total AS t FROM users u LEFT JOIN orders o ON o.user_id = u.id",
    "combined": "SELECT id FROM users UNION ALL SELECT total FROM orders",
    "over_views": "SELECT n FROM plain WHERE EXISTS (SELECT 1 FROM joined)",
}
MYSQL_FUNCTION = [
    "CREATE FUNCTION told() RETURNS text READS SQL DATA RETURN (SELECT note FROM salaries LIMIT 1)",
    "CREATE VIEW indirect AS SELECT told() AS x",
]
ON_MYSQL = [
    "TABLE users",
    "TABLE salaries",
    "SELECT `email` FROM `users`",
    "SELECT policy.users.email FROM policy.users",
    "SELECT `users`.`email` FROM `policy`.`users`",
    "SELECT email FROM policy . users",
    "SELECT @e := email FROM users",
    "SELECT id FROM users WHERE email REGEXP '^t'",
    "SELECT GROUP_CONCAT(email) FROM users",
    "SELECT JSON_ARRAYAGG(email) FROM users",
    "SELECT email\nFROM users PROCEDURE ANALYSE()",
    "SELECT STRAIGHT_JOIN u.email FROM users u",
    "SELECT email FROM users FORCE INDEX (PRIMARY)",
    "SELECT email FROM users PARTITION (p0)",
    "SELECT id FROM users ORDER BY 3, email",
    "SELECT Émail FROM users",
    "SELECT told()",
    "SELECT x FROM indirect",
    "SELECT view_definition FROM information_schema.views",
    "SELECT column_name FROM information_schema.columns",
    "SELECT * FROM performance_schema.threads",
    "SHOW TABLES",
    "SHOW CREATE TABLE users",
    "SHOW COLUMNS FROM users",
    "DESCRIBE users",
    "DESC salaries",
    "SELECT 1 FROM users # , salaries",
    "SELECT id FROM users WHERE (1, 'a', 'b', 'c') IN (TABLE users)",
    "SELECT id FROM users WHERE (SELECT 1, 'A', 'b', 'c') = (TABLE users LIMIT 1)",
    "SELECT id FROM users HAVING email > 'a'",
    "SELECT JSON_TABLE(email, '$' COLUMNS (x text PATH '$')) FROM users",
    "SELECT x FROM users, JSON_TABLE(JSON_ARRAY(email), '$[*]' COLUMNS (x text PATH '$')) j",
    'SELECT "email" AS e, email FROM users',
]
HONEST = [
    ("SELECT id, name FROM users ORDER BY id", 2),
    ("SELECT u.name, sum(o.total) FROM users u JOIN orders o ON o.user_id = u.id GROUP BY u.name", 2),
    ("SELECT count(*) FROM users", 1),
    ("SELECT * FROM orders", 2),
    ("SELECT email FROM orders", 2),
    ("SELECT o.email, u.name FROM orders o JOIN users u ON u.id = o.user_id", 2),
    ("SELECT o.* FROM orders o JOIN users u ON u.id = o.user_id", 2),
    ("SELECT * FROM (SELECT id, name FROM users) s", 2),
    ("WITH c AS (SELECT id, name FROM users) SELECT * FROM c", 2),
    ("SELECT id FROM orders o WHERE EXISTS (SELECT * FROM users u WHERE u.id = o.user_id)", 2),
    ("SELECT id AS email FROM users", 2),
    ("SELECT 'email', 'salaries' FROM users", 2),
    ("SELECT name, rank() OVER (ORDER BY id) AS place FROM users", 2),
    ("SELECT * FROM names", 2),
    ("SELECT * FROM totals", 2),
    ("SELECT 1", 1),
    ("SELECT id FROM users UNION SELECT id FROM orders", 2),
]


@pytest.fixture(scope="module")
def sqlite(tmp_path_factory):
    folder = tmp_path_factory.mktemp("policy")
    with sqlite3.connect(folder / "data.db") as writer:
        writer.executescript(TABLES)
    writer.close()
    made = PolicedDatabase(folder, "sqlite", {"database": "data.db"}, POLICY)
    yield made
    made.close()


@pytest.fixture(scope="module")
def postgres(postgres_server, tmp_path_factory):
    config = postgres_server.fresh()
    tables = TABLES + f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {config['user']}; ANALYZE"
    postgres_server.execute(tables, config["database"])
    postgres_server.execute(
        "CREATE FUNCTION told() RETURNS text LANGUAGE sql AS 'SELECT note FROM salaries LIMIT 1';"
        "CREATE VIEW indirect AS SELECT told() AS x; GRANT SELECT ON indirect TO PUBLIC",
        config["database"],
    )
    made = PolicedDatabase(tmp_path_factory.mktemp("policy"), "postgres", config, POLICY)
    yield made
    made.close()
    postgres_server.drop(config)


@pytest.fixture(scope="module")
def duck(tmp_path_factory):
    folder = tmp_path_factory.mktemp("policy")
    with duckdb.connect(folder / "data.duckdb") as writer:
        writer.execute(TABLES)
        writer.execute(f"CREATE SCHEMA hr; CREATE TABLE hr.orders AS SELECT '{SECRET}' AS x")
        writer.execute("CREATE MACRO told() AS (SELECT note FROM salaries LIMIT 1)")
        writer.execute("CREATE VIEW indirect AS SELECT told() AS x")
        writer.execute(f"CREATE TYPE grade AS ENUM ('low', '{SECRET}')")
        writer.execute("ALTER TABLE users ADD COLUMN card STRUCT(number VARCHAR)")
        writer.execute(f"UPDATE users SET card = {{'number': '{SECRET}'}}")
    policy = {
        "deny_tables": [*POLICY["deny_tables"], "hr.*"],
        "deny_columns": [*POLICY["deny_columns"], "users.card"],
    }
    made = PolicedDatabase(folder, "duckdb", {"database": "data.duckdb"}, policy)
    yield made
    made.close()


@pytest.fixture(scope="module")
def mysql(mysql_server, tmp_path_factory):
    config = {"host": "127.0.0.1", "port": mysql_server.port, "database": "policy", "user": "policy"}
    with mysql_server() as raw, raw.cursor() as cursor:
        cursor.execute("CREATE DATABASE policy CHARACTER SET utf8mb4")
        cursor.execute("CREATE USER policy@'%' IDENTIFIED BY 'a-password'")
        cursor.execute("GRANT SELECT, SHOW VIEW, EXECUTE ON policy.* TO policy@'%'")
        cursor.execute("USE policy")
        views = [f"CREATE VIEW {name} AS {sql}" for name, sql in MYSQL_VIEWS.items()]
        for statement in [*filter(str.strip, TABLES.split(";")), *views, *MYSQL_FUNCTION]:
            cursor.execute(statement)
    made = PolicedDatabase(tmp_path_factory.mktemp("policy"), "mysql", config | {"password": "a-password"}, POLICY)
    yield made
    made.close()
    with mysql_server() as raw, raw.cursor() as cursor:
        cursor.execute("DROP DATABASE policy")
        cursor.execute("DROP USER policy@'%'")


@pytest.fixture(params=["sqlite", "postgres", "duck", pytest.param("mysql", marks=pytest.mark.mysql)])
def database(request):
    return request.getfixturevalue(request.param)


def refusal(run, sql):
    """The error that `sql` ends in."""
    try:
        found = run(sql)
    except SqlchatError as exc:
        return exc
    raise AssertionError(f"It ran, and gave {found}.")


def tried(database, sql):
    for run in (database.run, database.run_unguarded):
        refused = refusal(run, sql)
        assert SECRET not in refused.detail.replace(sql, "")
    assert isinstance(refused, SQLRefusedError | SQLSyntaxError | QueryError)


def test_what_is_denied_does_not_come_out(database, subtests):
    for sql in EVASIONS:
        with subtests.test(ascii(sql)):
            tried(database, sql)


@pytest.mark.mysql
@pytest.mark.parametrize("name", MYSQL_VIEWS)
def test_views_of_mysql_are_looked_through(mysql, name):
    assert mysql.run(f"SELECT * FROM {name}")


@pytest.mark.mysql
def test_views_that_mysql_does_not_show_are_refused(mysql, mysql_server):
    def change(statement):
        with mysql_server() as raw, raw.cursor() as cursor:
            cursor.execute(statement)
            cursor.execute("KILL USER policy")  # a session keeps the rights that it began with
        mysql.manager.open("me", "data").read_catalog()

    change("REVOKE SHOW VIEW ON policy.* FROM policy@'%'")
    try:
        assert isinstance(refusal(mysql.run, "SELECT id FROM names"), SQLRefusedError)
        assert mysql.run("SELECT id FROM users") == [[1], [2]]
    finally:
        change("GRANT SHOW VIEW ON policy.* TO policy@'%'")


@pytest.mark.mysql
def test_nor_by_the_ways_of_mysql(mysql, subtests):
    for sql in ON_MYSQL:
        with subtests.test(ascii(sql)):
            tried(mysql, sql)


def test_nor_by_the_ways_of_sqlite(sqlite, subtests):
    for sql in ON_SQLITE:
        with subtests.test(ascii(sql)):
            tried(sqlite, sql)


def test_nor_by_the_ways_of_postgres(postgres, subtests):
    for sql in ON_POSTGRES:
        with subtests.test(ascii(sql)):
            tried(postgres, sql)


def test_nor_by_the_ways_of_duckdb(duck, subtests):
    for sql in ON_DUCKDB:
        with subtests.test(ascii(sql)):
            tried(duck, sql)


def test_honest_queries_run(database, subtests):
    for sql, rows in HONEST:
        with subtests.test(ascii(sql)):
            found = database.run(sql)
            assert len(found) == rows
            assert SECRET not in str(found)


@pytest.mark.parametrize(("sql", "rows"), DUCK_HONEST)
def test_methods_of_columns_run_on_duckdb(duck, sql, rows):
    assert len(duck.run(sql)) == rows


@pytest.mark.parametrize(("sql", "rows"), POSTGRES_HONEST)
def test_functions_that_only_compute_stand_in_from_on_postgres(postgres, sql, rows):
    assert len(postgres.run(sql)) == rows


def test_a_refusal_names_what_is_denied(database):
    with pytest.raises(SQLRefusedError, match=r"'u\.email'"):
        database.run("SELECT u.email FROM users u")
    with pytest.raises(SQLRefusedError, match="'salaries'"):
        database.run("SELECT 1 FROM salaries")


def test_planning_is_refused_too(database):
    with pytest.raises(SQLRefusedError):
        database.open().examine("EXPLAIN SELECT email FROM users")


def test_the_catalog_tells_nothing_of_what_is_denied(database):
    catalog = database.manager.open("me", "data").catalog
    assert {table.name for table in catalog.tables} - MYSQL_VIEWS.keys() == {"users", "orders", "names", "totals"}
    assert [column.name for column in catalog.table("users").columns] == ["id", "name"]
    assert "salaries" not in repr(catalog)
    assert "ssn" not in repr(catalog)


def test_nothing_denied_is_profiled(database):
    profiles = database.manager.open("me", "data").read_profiles()
    denied = {
        ("users", "email"),
        ("users", "ssn"),
        ("salaries", "user_id"),
        ("salaries", "note"),
        ("audit_log", "note"),
    }
    assert SECRET not in repr(dict(profiles))
    assert denied.isdisjoint(path[1:] for path in profiles)
    assert ("users", "name") in {path[1:] for path in profiles}


def test_an_allow_list_lets_nothing_else_be_read(tmp_path):
    with sqlite3.connect(tmp_path / "data.db") as writer:
        writer.executescript(TABLES)
    writer.close()
    made = PolicedDatabase(tmp_path, "sqlite", {"database": "data.db"}, {"allow_tables": ["totals", "main.user*"]})
    try:
        assert made.run("SELECT * FROM totals")  # though not the orders that it adds up
        assert len(made.run("SELECT * FROM users")) == 2
        for sql in ("SELECT * FROM orders", "SELECT * FROM salaries", "SELECT name FROM sqlite_master"):
            with pytest.raises(SQLRefusedError):
                made.run(sql)
        assert {table.name for table in made.manager.open("me", "data").catalog.tables} == {"totals", "users"}
    finally:
        made.close()


def test_the_policy_is_kept_with_the_definition(sqlite):
    assert sqlite.store.connections.get("me", "data").policy == POLICY | {"allow_tables": []}
    assert sqlite.manager.describe("me", "data").policy == POLICY | {"allow_tables": []}


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"deny": ["x"]}, "deny"),
        ({"deny_tables": "users"}, "deny_tables"),
        ({"deny_tables": [1]}, "deny_tables"),
        ({"deny_tables": ["a.b.c"]}, "deny_tables"),
        ({"deny_columns": ["email"]}, "deny_columns"),
        ({"deny_columns": ['"users"."email"']}, "deny_columns"),
        ({"allow_tables": [""]}, "allow_tables"),
    ],
)
def test_a_policy_that_cannot_be_is_refused(fields, field):
    with pytest.raises(PayloadError) as refused:
        Policy.read(fields)
    assert field in refused.value.facts["errors"]["policy"]


@pytest.mark.parametrize("fields", [None, {}, {"deny_tables": []}])
def test_an_empty_policy_is_none(fields):
    assert Policy.read(fields) is None


def test_a_table_that_was_made_since_is_read_under_a_policy(tmp_path, postgres_database, executing):
    execute = executing(postgres_database)
    execute("CREATE TABLE shops (id int)")
    policed = PolicedDatabase(tmp_path, "postgres", postgres_database, {"deny_tables": ["secret_*"]})
    try:
        assert policed.run("SELECT count(*) FROM shops") == [[0]]
        execute("CREATE TABLE parts (id int); CREATE TABLE secret_parts (id int)")
        assert policed.run("SELECT count(*) FROM parts") == [[0]]
        execute("CREATE TABLE later (id int)")
        for name in ("secret_parts", "later", "nowhere"):  # the catalog was read just now
            with pytest.raises(SQLRefusedError, match=f"does not let SQL read the table '{name}'"):
                policed.run(f"SELECT count(*) FROM {name}")
    finally:
        policed.close()
