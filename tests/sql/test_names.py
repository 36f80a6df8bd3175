"""Names that a database does not hold: every one is found, no honest one is flagged, the nearest ones are told."""

import pytest

from sqlchat.errors import SQLSyntaxError
from sqlchat.sql.catalog import Catalog, Column, Table
from sqlchat.sql.names import UnknownName, explain_unknown, find_nearest, find_unknown_names


def catalog(dialect: str, schema: str = "") -> Catalog:
    def table(name: str, *columns: str) -> Table:
        return Table(name, tuple(Column(column, "text") for column in columns), schema)

    return Catalog(
        tables=(
            table("riders", "id", "name", "team", "born"),
            table("races", "id", "title", "held_on", "details", "tags", "place"),
            table("results", "rider_id", "race_id", "seconds"),
        ),
        dialect=dialect,
        default_schema=schema,
    )


CATALOGS = {
    "postgres": catalog("postgres", "public"),
    "sqlite": catalog("sqlite"),
    "duckdb": catalog("duckdb", "main"),
    "mysql": catalog("mysql"),
}

HONEST = {
    "postgres": [
        "SELECT r.name, x.seconds FROM riders r JOIN results x ON x.rider_id = r.id",
        "SELECT public.riders.name FROM public.riders",
        "SELECT NAME FROM RIDERS",
        'SELECT "name" FROM "riders"',
        "SELECT name AS n FROM riders ORDER BY n",
        "SELECT team AS k, count(*) FROM riders GROUP BY k",
        "SELECT CASE WHEN seconds > 9 THEN 'slow' END AS pace FROM results GROUP BY pace",
        "SELECT team AS k FROM riders GROUP BY ROLLUP (k)",
        "SELECT DISTINCT ON (k) team AS k, name FROM riders ORDER BY k, name",
        "SELECT count FROM (SELECT count(*) FROM riders) s",
        "SELECT r FROM riders r",
        "SELECT row_to_json(r) FROM riders r",
        "SELECT ctid, xmin, tableoid FROM races",
        "SELECT name FROM riders r WHERE EXISTS (SELECT 1 FROM results WHERE rider_id = r.id AND team = 'x')",
        "SELECT (SELECT min(seconds) FROM results WHERE rider_id = riders.id) FROM riders",
        "SELECT g, g.g FROM generate_series(1, 10) g",
        "SELECT i, title FROM races, generate_series(1, id) AS s(i)",
        "SELECT generate_series FROM generate_series(1, 2)",
        "SELECT r.details ->> 'x', (r.place).city, r.tags[1] FROM races r",
        "SELECT e.key, value FROM races r, jsonb_each(r.details) e",
        "SELECT t.tag, t.n FROM races r CROSS JOIN LATERAL unnest(r.tags) WITH ORDINALITY AS t(tag, n)",
        "SELECT l.best FROM riders r, LATERAL (SELECT min(seconds) AS best FROM results WHERE rider_id = r.id) l",
        "SELECT a FROM json_to_recordset('[]') AS x(a int, b text)",
        "WITH RECURSIVE d AS (SELECT id, 1 AS n FROM riders UNION ALL SELECT id, n + 1 FROM d) SELECT n FROM d",
        "WITH RECURSIVE d(n) AS (VALUES (1) UNION ALL SELECT n + 1 FROM d) SELECT n FROM d",
        "WITH riders AS (SELECT seconds AS s FROM results) SELECT s FROM riders",
        "SELECT rank() OVER w FROM results WINDOW w AS (PARTITION BY race_id ORDER BY seconds)",
        "SELECT v.a, b FROM (VALUES (1, 2)) v(a, b)",
        "SELECT column1 FROM (VALUES (1)) v",
        "SELECT x.i, x.team FROM riders AS x(i, n)",
        "SELECT id FROM riders JOIN races USING (id)",
        "SELECT id FROM riders NATURAL JOIN races",
        "SELECT id FROM riders UNION SELECT rider_id FROM results ORDER BY id",
        "SELECT current_date, current_user, user, now()",
        "SELECT table_name FROM information_schema.tables",
        "SELECT relname FROM pg_class",
        "SELECT j.name FROM (riders a JOIN results b ON a.id = b.rider_id) j",
        'SELECT name COLLATE "C" FROM riders ORDER BY name COLLATE "C"',
        "SELECT s.twice, s.seconds FROM (SELECT *, seconds * 2 AS twice FROM results) s WHERE twice > 1",
        "INSERT INTO riders (id, name) VALUES (1, 'x') ON CONFLICT (id) DO UPDATE SET name = excluded.name",
        "UPDATE riders SET name = DEFAULT FROM results x WHERE x.rider_id = riders.id",
        "WITH gone AS (DELETE FROM races RETURNING *) SELECT title FROM gone",
        "SELECT pg_catalog.lower(name), name::text, CAST(id AS own.kind) FROM riders",
    ],
    "duckdb": [
        "SELECT seconds AS s, s * 2 AS twice FROM results WHERE twice > 1",
        "SELECT team AS k, count(*) AS n FROM riders GROUP BY k HAVING n > 1",
        "SELECT * EXCLUDE (born) REPLACE (upper(name) AS name) FROM riders",
        "SELECT COLUMNS('na.*') FROM riders",
        "FROM riders SELECT name WHERE id = 1",
        "SELECT place.city, details.a.b, r.place.city, place.* FROM races r",
        "SELECT list_transform(tags, x -> x + id), [t || 'x' for t in tags if t > 'a'] FROM races",
        "PIVOT results ON race_id USING min(seconds) GROUP BY rider_id",
        "SELECT p.whatever, other FROM (PIVOT results ON race_id USING min(seconds)) p",
        "UNPIVOT results ON seconds, race_id INTO NAME n VALUE v",
        "SELECT rowid FROM races",
        "SELECT u FROM races, unnest(tags) AS x(u)",
        "SELECT stable.main.riders.name FROM stable.main.riders",
        "SELECT b.best FROM riders r, (SELECT min(seconds) AS best FROM results WHERE rider_id = r.id) b",
        "SELECT s.seconds FROM (SELECT id FROM riders UNION ALL BY NAME SELECT seconds FROM results) s",
        "SELECT name FROM riders GROUP BY ALL ORDER BY ALL",
    ],
    "sqlite": [
        'SELECT name FROM riders WHERE team = "Red"',
        "SELECT rowid, _rowid_, oid FROM riders",
        "SELECT name AS n FROM riders WHERE n = 'x' GROUP BY n HAVING n > 'a' ORDER BY n",
        "SELECT value FROM races, json_each(details)",
        "SELECT T1.NAME FROM RIDERS AS T1 JOIN RESULTS AS T2 ON t1.ID = t2.RIDER_ID",
        "SELECT main.riders.name FROM main.riders",
        "SELECT [name], `team` FROM [riders]",
        "SELECT name FROM sqlite_master",
        "WITH c AS (SELECT 1 AS x UNION ALL SELECT x + 1 FROM c WHERE x < 3) SELECT x FROM c",
        "SELECT name FROM riders INTERSECT SELECT tags FROM races ORDER BY tags",
        "SELECT riders FROM riders WHERE riders MATCH 'x'",
    ],
    "mysql": [
        "SELECT team AS k, COUNT(*) AS n FROM riders GROUP BY k HAVING n > 1",
        "SELECT `r`.`name` FROM `cycling`.`riders` `r`",
        "SELECT TIMESTAMPDIFF(MONTH, held_on, NOW()) FROM races",
        "SELECT @x := seconds, @@version FROM results",
        'SELECT name FROM riders WHERE team = "Red"',
        "SELECT j.a FROM races, JSON_TABLE(details, '$[*]' COLUMNS (a INT PATH '$.a')) j",
        "SELECT 1 FROM dual",
    ],
}

UNKNOWN = [
    ("postgres", "SELECT nam FROM riders", ["nam"]),
    ("postgres", "SELECT r.nam, r.team FROM riders r", ["r.nam"]),
    ("postgres", "SELECT id FROM rider", ["rider"]),
    ("postgres", "SELECT id, whatever FROM rider", ["rider"]),
    ("postgres", "SELECT seconds FROM times.results", ["times.results"]),
    ("postgres", "SELECT x.name FROM riders r", ["x.name"]),
    ("postgres", "SELECT x.* FROM riders r", ["x.*"]),
    ("postgres", 'SELECT "Name" FROM riders', ["Name"]),
    ("postgres", 'SELECT id FROM "Riders"', ["Riders"]),
    ("postgres", "SELECT nam, tem FROM riders", ["nam", "tem"]),
    ("postgres", "SELECT s.team FROM (SELECT name FROM riders) s", ["s.team"]),
    ("postgres", "WITH c AS (SELECT id FROM riders) SELECT team FROM c", ["team"]),
    ("postgres", "SELECT name AS n FROM riders WHERE n = 'x'", ["n"]),
    ("postgres", "SELECT team AS k FROM riders GROUP BY 1 HAVING k > 'a'", ["k"]),
    ("postgres", "SELECT name AS n FROM riders ORDER BY lower(n)", ["n"]),
    ("postgres", "SELECT 1 FROM riders r WHERE EXISTS (SELECT 1 FROM results x WHERE x.rider_id = r.key)", ["r.key"]),
    ("postgres", "SELECT 1 FROM riders r, (SELECT 1 FROM results WHERE rider_id = q.id) s", ["q.id"]),
    ("postgres", "SELECT id FROM riders JOIN results USING (id)", ["id"]),
    ("postgres", "SELECT id FROM riders UNION SELECT race_id FROM results ORDER BY team", ["team"]),
    ("postgres", "SELECT sum(time) OVER (PARTITION BY rider) FROM results", ["time", "rider"]),
    ("postgres", "WITH RECURSIVE d(n) AS (SELECT 1 UNION ALL SELECT m + 1 FROM d) SELECT d.k FROM d", ["m", "d.k"]),
    ("postgres", "SELECT a, c FROM (VALUES (1, 2)) v(a, b)", ["c"]),
    ("postgres", "SELECT e.value FROM races r, jsonb_each(r.detail) e", ["r.detail"]),
    ("postgres", "SELECT rowid FROM riders", ["rowid"]),
    ("duckdb", "SELECT seconds AS s, t * 2 AS twice FROM results", ["t"]),
    ("duckdb", "SELECT [x for x in tag] FROM races", ["tag"]),
    ("duckdb", "SELECT list_transform(tags, x -> x + idd) FROM races", ["idd"]),
    ("duckdb", "PIVOT results ON race USING min(seconds)", ["race"]),
    ("duckdb", "SELECT * EXCLUDE (age) FROM riders", ["age"]),
    ("sqlite", "SELECT T1.nam FROM riders AS T1", ["T1.nam"]),
    ("sqlite", "SELECT T2.name FROM riders AS T1", ["T2.name"]),
    ("mysql", "SELECT `nam` FROM riders", ["nam"]),
]


def test_honest_queries_are_not_flagged(subtests):
    for dialect, texts in HONEST.items():
        for sql in texts:
            with subtests.test(ascii(sql)):
                assert find_unknown_names(sql, CATALOGS[dialect].mentioned_in(sql)) == ()


def test_unknown_names_are_found(subtests):
    for dialect, sql, expected in UNKNOWN:
        with subtests.test(ascii(sql)):
            found = find_unknown_names(sql, CATALOGS[dialect].mentioned_in(sql))
            assert [unknown.name for unknown in found] == expected


def test_what_is_told_of_an_unknown_name():
    sql = "SELECT r.nam FROM riders r JOIN race ON true"
    assert find_unknown_names(sql, CATALOGS["postgres"].mentioned_in(sql)) == (
        UnknownName("column", "r.nam", ("riders",)),
        UnknownName("table", "race", ()),
    )


def test_sql_that_does_not_parse_is_a_syntax_error():
    with pytest.raises(SQLSyntaxError):
        find_unknown_names("SELECT FROM (", CATALOGS["postgres"])


@pytest.mark.parametrize(
    ("unknown", "best"),
    [
        (UnknownName("table", "rider", ()), "riders"),
        (UnknownName("table", "public.race_results", ()), "results"),
        (UnknownName("column", "r.rider_name", ("riders",)), "riders.name"),
        (UnknownName("column", "second", ("results",)), "results.seconds"),
        (UnknownName("column", "riderID", ("results",)), "results.rider_id"),
        (UnknownName("column", "title", ("riders", "results")), "races.title"),
    ],
)
def test_the_nearest_name_comes_first(unknown, best):
    assert find_nearest(unknown, CATALOGS["postgres"])[0] == best


def test_columns_of_the_tables_involved_come_before_others():
    assert find_nearest(UnknownName("column", "ids", ("races",)), CATALOGS["postgres"], limit=2) == [
        "races.id",
        "riders.id",
    ]


def test_no_name_is_near_to_nonsense():
    assert find_nearest(UnknownName("column", "zzzqqq", ("riders",)), CATALOGS["postgres"]) == []


def test_nearest_names_are_spelled_as_the_dialect_needs_them():
    columns = (Column("SoldOn", "date"), Column("unit price", "numeric"))
    store = Catalog((Table("Sales", columns, "ledger"),), "postgres", "public")
    assert find_nearest(UnknownName("table", "sales", ()), store) == ['ledger."Sales"']
    assert find_nearest(UnknownName("column", "soldon", ("sales",)), store) == ['ledger."Sales"."SoldOn"']
    assert find_nearest(UnknownName("column", "unit_price", ("sales",)), store)[0] == 'ledger."Sales"."unit price"'


def test_unknown_names_come_with_their_tables_and_the_nearest_ones():
    catalog = Catalog(
        (Table("customers", (Column("name", "text"),)), Table("orders", (Column("id", "int"),))), dialect="sqlite"
    )
    sql = "SELECT c.nmae FROM customers AS c JOIN orderz"
    fault = explain_unknown(find_unknown_names(sql, catalog), catalog)
    assert fault is not None
    assert fault.detail == (
        "There is no column 'c.nmae' in customers (nearest: customers.name); there is no table 'orderz' "
        "(nearest: orders)."
    )
    assert fault.facts == {"unknown_names": ["c.nmae", "orderz"]}
    assert explain_unknown((), catalog) is None


@pytest.mark.parametrize("count", [2, 12, 300])
def test_names_among_many_sources_are_those_among_few(count):
    sources = ", ".join(f"riders r{n}" for n in range(count))
    known = "SELECT r1.name, r0.ctid, title, s.x, g.key FROM " + sources
    honest = f"{known}, races, (SELECT team AS x FROM riders) s, jsonb_each('{{}}') g WHERE g.value IS NULL"
    assert find_unknown_names(honest, CATALOGS["postgres"]) == ()
    wrong = f"SELECT nme, nme, r1.titel, (SELECT y FROM races WHERE r0.z = 1) FROM {sources}"
    found = find_unknown_names(wrong, CATALOGS["postgres"])
    assert [(each.name, each.tables) for each in found] == [
        ("nme", ("riders",)),
        ("r1.titel", ("riders",)),
        ("y", ("races", "riders")),
        ("r0.z", ("riders",)),
    ]
