"""What a Postgres tells of its columns: by its statistics, and by samples where it has none."""

import contextlib
import time

import psycopg2
import pytest

from sqlchat.connections.postgres.profile import read_profiles
from sqlchat.connections.profiling import order_tables

FACTS = """
CREATE TYPE mood AS ENUM ('sad', 'glad');
CREATE DOMAIN label AS varchar(20);
CREATE TABLE "Odd ""name" (id int, few int, city text, state mood, tag label, "select" char(3), price numeric(9, 2),
    ratio float8, born date, at timestamptz, written text, prose text, doc json, yes boolean, gone text)
    WITH (autovacuum_enabled = false);
INSERT INTO "Odd ""name" SELECT n, n % 3, (ARRAY['Rome', 'Oslo', 'Rome', ''])[1 + n % 4],
    (CASE WHEN n % 3 > 0 THEN 'sad' ELSE 'glad' END)::mood, 'x', (ARRAY['a', 'b'])[1 + n % 2], n / 4.0,
    CASE WHEN n = 7 THEN 'NaN' WHEN n = 8 THEN 'Infinity' ELSE n / 8.0 END, date '2024-01-01' + n,
    CASE WHEN n = 5 THEN 'infinity' ELSE timestamptz '2024-01-01 00:00+00' + n * interval '1 day' END,
    to_char(date '2024-01-01' + n, 'YYYY-MM-DD'), repeat('y', 2000) || n, '{}', n % 2 = 0, NULL
    FROM generate_series(1, 100) AS n;
CREATE VIEW seen AS SELECT city FROM "Odd ""name";
CREATE TABLE nothing (a int, b text);
"""


def profiles(postgres, table, schema="public"):
    """Of the columns of one table, by name."""
    found = postgres.profiles(postgres.catalog(), 100.0)
    return {column: profile for (inside, name, column), profile in found.items() if (inside, name) == (schema, table)}


@pytest.mark.parametrize("analyzed", [True, False])
def test_columns_are_profiled_by_statistics_or_a_sample(postgres, execute, analyzed):
    execute(FACTS)
    if analyzed:
        execute('ANALYZE "Odd ""name"')
    found = profiles(postgres, 'Odd "name')
    city = found["city"]
    assert (set(city.values), city.values[0], city.complete) == ({"Rome", "Oslo", ""}, "Rome", True)
    assert (city.kind, city.distinct, city.exact, city.unique) == ("text", 3, True, False)
    assert (found["id"].least, found["id"].most, found["id"].unique) == ("1", "100", True)
    assert (sorted(found["few"].values), found["few"].complete) == (["0", "1", "2"], True)
    assert (found["state"].values, found["tag"].values) == (("sad", "glad"), ("x",))
    assert set(found["select"].values) == {"a", "b"}
    assert (float(found["price"].least), float(found["price"].most)) == (0.25, 25)
    born, written = found["born"], found["written"]
    assert (born.kind, born.least, born.most) == ("time", "2024-01-02", "2024-04-10")
    assert (written.kind, written.least, written.most) == ("text", "2024-01-02", "2024-04-10")
    assert found["at"].least.startswith("2024-01-02")
    assert (found["prose"].values, found["prose"].complete) == ((), False)
    assert (found["doc"].kind, found["yes"].kind) == ("other", "other")
    assert found["gone"].null_share == 1
    assert set(profiles(postgres, "seen")["city"].values) == {"Rome", "Oslo", ""}
    assert profiles(postgres, "nothing")["b"].values == ()


def test_one_query_reads_the_statistics_of_all_tables(postgres, execute, postgres_database):
    execute(
        "".join(f"CREATE TABLE t{n} AS SELECT 1 AS a, 'x'::text AS b FROM generate_series(1, 9);" for n in range(50))
    )
    execute("ANALYZE")
    fields, asked = dict(postgres_database), []
    with contextlib.closing(psycopg2.connect(dbname=fields.pop("database"), **fields)) as raw, raw.cursor() as cursor:

        def ask(question, parameters, seconds):
            asked.append(question)
            cursor.execute(f"SELECT ({question})::text", parameters)
            return cursor.fetchone()[0]

        found = read_profiles(ask, postgres.catalog(), 100.0)
    assert (len(found), len(asked)) == (100, 1)
    assert all(profile.values for path, profile in found.items() if path[2] == "b")


def test_statistics_that_are_older_than_the_rows_prove_nothing(postgres, execute):
    execute("CREATE TABLE t (v text) WITH (autovacuum_enabled = false)")
    execute("INSERT INTO t SELECT 'ab'::text FROM generate_series(1, 9)")
    execute("ANALYZE t")
    assert profiles(postgres, "t")["v"].complete
    execute("INSERT INTO t VALUES ('new')")
    until = time.monotonic() + 120
    while (found := profiles(postgres, "t")["v"]).complete and time.monotonic() < until:
        time.sleep(0.3)
        execute("SELECT 1")  # by which the session tells what it changed
    assert (found.values, found.complete, found.exact) == (("ab",), False, False)


def test_statistics_of_a_partitioned_table_prove_nothing(postgres, execute):
    execute("CREATE TABLE t (v text) PARTITION BY LIST (v)")
    execute("CREATE TABLE t_all PARTITION OF t DEFAULT WITH (autovacuum_enabled = false)")
    execute("INSERT INTO t SELECT 'ab' FROM generate_series(1, 9)")
    execute("ANALYZE t")
    execute("INSERT INTO t VALUES ('new')")
    found = profiles(postgres, "t")["v"]
    assert (found.values, found.complete, found.exact) == (("ab",), False, False)


def test_of_many_texts_a_part_is_kept(postgres, execute):
    execute("CREATE TABLE many AS SELECT 'v' || n AS v, n AS id FROM generate_series(1, 5000) n")
    for _ in range(2):
        v = profiles(postgres, "many")["v"]
        assert (len(v.values), v.complete, v.distinct) == (1000, False, 5000)
        execute("ANALYZE many")


@pytest.mark.parametrize("rows", [5000, 40_000])
def test_what_is_no_number_is_told_apart_among_texts_that_are(postgres, execute, rows):
    """By a sample, and by statistics of a table that is too large for one."""
    execute(f"""CREATE TABLE prices AS SELECT CASE WHEN n % 9 = 0 THEN 'n/a' ELSE (n / 4.0)::text END AS price,
        CASE WHEN n % 2 = 0 THEN 'x' || n ELSE n::text END AS mixed FROM generate_series(1, {rows}) n;
        ANALYZE prices""")
    found = profiles(postgres, "prices")
    assert (found["price"].strays, found["price"].values) == (("n/a",), ("n/a",))
    assert all(map(float, found["price"].examples))
    assert (len(found["price"].examples), found["mixed"].strays) == (6, ())


def test_a_large_table_that_was_never_analyzed(postgres, execute):
    execute("CREATE TABLE log (at int, kind text) WITH (autovacuum_enabled = false)")
    execute("INSERT INTO log SELECT n AS at, 'k' || n % 5 AS kind FROM generate_series(1, 60000) n")
    found = profiles(postgres, "log")
    assert (len(found["kind"].values), found["kind"].complete, found["kind"].exact) == (5, False, False)
    assert (found["at"].least, found["at"].most) == ("", "")  # the first rows are the oldest


def test_a_partitioned_table(postgres, execute):
    execute("""CREATE TABLE events (at date, kind text) PARTITION BY RANGE (at);
        CREATE TABLE e1 PARTITION OF events FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
        INSERT INTO events SELECT date '2024-01-01' + n, 'k' || n % 2 FROM generate_series(0, 99) n""")
    for _ in range(2):
        assert set(profiles(postgres, "events")["kind"].values) == {"k0", "k1"}
        execute("ANALYZE events")


@pytest.mark.parametrize("analyzed", [True, False])
def test_what_the_role_may_not_read_is_not_profiled(postgres, postgres_server, postgres_database, analyzed):
    postgres_server.execute(
        "CREATE TABLE hidden (v text); CREATE TABLE half (open text, shut text); INSERT INTO hidden VALUES ('a'); "
        "INSERT INTO half SELECT 'a', 'b' FROM generate_series(1, 9); GRANT SELECT (open) ON half TO PUBLIC",
        postgres_database["database"],
    )
    if analyzed:
        postgres_server.execute("ANALYZE", postgres_database["database"])
    found = postgres.profiles(postgres.catalog(), 100.0)
    assert {path[1:] for path in found} == {("half", "open")}
    assert found["public", "half", "open"].values == ("a",)


def test_a_table_that_is_locked_costs_no_other_its_profile(postgres, execute, postgres_database):
    execute("CREATE TABLE held (v text); CREATE TABLE free (v text); INSERT INTO free VALUES ('x')")
    catalog, fields = postgres.catalog(), dict(postgres_database)
    with contextlib.closing(psycopg2.connect(dbname=fields.pop("database"), **fields)) as other:
        other.cursor().execute("LOCK TABLE held")
        found = postgres.profiles(catalog, 100.0)
    assert found["public", "free", "v"].values == ("x",)
    assert ("public", "held", "v") not in found


def test_reading_ends_in_time(postgres, execute):
    execute("".join(f"CREATE TABLE t{n} (a int, b text);" for n in range(300)))
    catalog, took = postgres.catalog(), []
    for _ in range(3):  # another program may keep the machine busy meanwhile
        started = time.monotonic()
        postgres.profiles(catalog, 0.3)
        took.append(time.monotonic() - started)
    assert min(took) < 5


def test_our_own_questions_are_not_compiled_by_the_server_and_those_of_users_as_it_has_it(postgres, execute):
    execute("SET jit = on")
    execute("CREATE VIEW compiling AS SELECT setting FROM pg_settings WHERE name = 'jit'")
    execute("ALTER ROLE CURRENT_USER SET jit = on")
    assert postgres.profiles(postgres.catalog(), 100.0)["public", "compiling", "setting"].values == ("off",)
    assert postgres.run("SELECT setting FROM compiling", max_rows=1, timeout=100).rows == b'[["on"]]'


def test_empty_tables_do_not_keep_those_with_rows_waiting(postgres, execute):
    execute("DO $$ BEGIN FOR i IN 1..30 LOOP EXECUTE format('CREATE TABLE empty_%s (a text)', i); END LOOP; END $$")
    execute("CREATE TABLE full_one (a text); INSERT INTO full_one VALUES ('x'), ('y'); ANALYZE")
    assert order_tables(postgres.catalog().tables)[0].name == "full_one"
