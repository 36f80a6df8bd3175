"""Forms of Postgres that sqlglot does not read: operators and words of the grammar, judged and resolved."""

import pytest

from sqlchat.errors import SQLRefusedError, SQLSyntaxError
from sqlchat.sql.catalog import Catalog, Column, Table
from sqlchat.sql.guard import check
from sqlchat.sql.lineage import lineage
from sqlchat.sql.names import find_unknown_names
from sqlchat.sql.postgres_forms import write_plainly

BINARY = (
    "<<= >>= <<| |>> &<| |&> <^ >^ ~= #- ~<~ ~<=~ ~>=~ ~>~ @@@ ?-| ?|| ?# ## -|- &< &> ^@ *< *= *<> *<= <% %>",
    "<<% %>> <<-> <->> <<<-> <->>> <#> <+> <~> <%> <=> @ &&& |=| <<->> ~~= <<@ @>> #=",
    "^~ ^<@ ^@> ?@> ?<@ ?~ ?@ ~> @? ?& ?| <->",
)
PREFIXES = "@ @@ @-@ # ?- ?| %% %# |/ ||/ !! ~"


def test_operators_between_values(subtests):
    for operator in " ".join(BINARY).split():
        with subtests.test(operator):
            sql = f"SELECT a FROM t WHERE t.b {operator} ('x' {operator} t.c) ORDER BY d {operator} '[1]' LIMIT 3"
            assert lineage(sql, "postgres").columns_used == ("a", "t.b", "t.c", "d")
            check(f"SELECT a FROM t WHERE b {operator} c AND 'x' {operator} d", "postgres")


@pytest.mark.parametrize("operator", PREFIXES.split())
def test_operators_before_a_value(operator):
    sql = f"SELECT {operator} a, ({operator} b), 1 + {operator} c FROM t WHERE {operator} d > 1"
    check(sql, "postgres")
    assert lineage(sql, "postgres").columns_used == ("a", "b", "c", "d")


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT box '((0,0),(1,1))' <@ circle '<(0,0),1>', path '((0,0))'",
        "SELECT v FROM XMLTABLE('/a' PASSING ('<a>1</a>'::xml) COLUMNS v text PATH '.') t",
        "SELECT substring('abc' FROM (1) FOR (2)), '1'::bit varying(3)",
        "SELECT substring('abc' SIMILAR 'a#\"b#\"c' ESCAPE '#')",
        "SELECT now() AT LOCAL, (a) AT LOCAL FROM t",
        "SELECT 'a'::national character(3), national char varying(3) 'b', 1_000, 2 * 10_000.5",
        "SELECT xmlserialize(DOCUMENT a AS text INDENT), xmlserialize(CONTENT a AS text NO INDENT) FROM t",
        "SELECT x FROM JSON_TABLE(j, '$[*] ? (@ > $m)' AS p PASSING 0 AS m, 1 AS \"K\" COLUMNS (x int PATH '$')) q",
        "SELECT x FROM JSON_TABLE(j, '$' COLUMNS (x int EXISTS PATH '$', y json PATH '$' WITH WRAPPER)) q",
        "SELECT xmlparse(content '<a/>'), xmlserialize(document x AS text), xmlexists('//b' PASSING x) FROM t",
        "SELECT xmlpi(name php, 'echo'), xmlroot(x, version '1.0') FROM t",
        "SELECT n FROM XMLTABLE('/a' PASSING x COLUMNS n FOR ORDINALITY, v text PATH '.') q",
        'SELECT content, name, passing, "document" FROM t',
        "SELECT '<@' || E'\\'#-', \"a<<=b\", $x$ <%> ' $x$ /* ~<~ /* #- */ */ FROM t -- <%>",
        "SELECT a FROM t ORDER BY a USING >, b USING OPERATOR(pg_catalog.<) NULLS LAST",
        "SELECT array_agg(a ORDER BY b USING ~<~) FROM t",
        'SELECT u.id, b FROM t JOIN s USING (id) AS u JOIN r USING (x, y) AS "V" WHERE u.id > 1',
        "SELECT OPERATOR(pg_catalog.-) a, 1 + OPERATOR(@) b FROM t",
        "SELECT collation for (a), collation FOR ('x' COLLATE \"C\") FROM t",
        "SELECT a IS JSON, b IS NOT JSON ARRAY, c IS JSON OBJECT WITH UNIQUE KEYS FROM ONLY (t)",
        "SELECT x.a FROM json_to_recordset('[]') AS x(a text COLLATE \"C\")",
        "SELECT xmlexists('//a' PASSING BY VALUE x) FROM t GROUP BY value, ref",
        "SELECT * FROM XMLTABLE('/a' PASSING BY REF '<a/>' COLUMNS v text PATH '.') q",
        "SELECT JSON_ARRAY(a, 2 ABSENT ON NULL), JSON_ARRAY(1 NULL ON NULL RETURNING jsonb) FROM t",
        "SELECT JSON_ARRAYAGG(a ORDER BY b NULL ON NULL RETURNING jsonb), JSON_ARRAY(SELECT a FROM t) FROM t",
        "SELECT JSON_VALUE(j, '$.a' PASSING 1 AS x, b AS y RETURNING numeric(3, 1) DEFAULT 0 ON EMPTY) FROM t",
        "SELECT JSON_QUERY(j, '$.a' RETURNING double precision WITH UNCONDITIONAL ARRAY WRAPPER) FROM t",
        "SELECT JSON_QUERY(j, '$.a' OMIT QUOTES ON SCALAR STRING EMPTY ARRAY ON EMPTY ERROR ON ERROR) FROM t",
        "SELECT JSON_EXISTS(j, '$.a' PASSING b AS x FALSE ON ERROR), JSON_SERIALIZE(j RETURNING text) FROM t",
        "SELECT JSON('1' WITH UNIQUE KEYS), JSON('1' FORMAT JSON) FROM t",
        "SELECT a -1, a*-1, a<-1, a=-1, 2*-3, count(*), t.*, a OPERATOR(pg_catalog.<<=) b FROM t",
    ],
)
def test_honest_forms_pass(sql):
    check(sql, "postgres")


def test_strings_names_and_comments_stay_as_they_are():
    sql = "SELECT '#-', E'\\'<%>', \"~<~\", $x$<<= '$x$, a <<= b /* #- */ -- #-"
    assert write_plainly(sql).text == sql.replace("a <<= b", "a &   b")


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT xmlparse(content pg_read_file('x'))",
        "SELECT xmlexists(pg_sleep(1) PASSING x) FROM t",
        "SELECT cube(1)",
        "SELECT a FROM t ORDER BY pg_sleep(1) USING >",
        "SELECT OPERATOR(pg_catalog.-) pg_sleep(1)",
        "SELECT OPERATOR(own.-) 1",
        "SELECT OPERATOR(SELECT a FROM t) 1",
        "SELECT collation for (pg_read_file('x'))",
        "SELECT a FROM t JOIN s USING (id) AS u WHERE (u.id).pg_sleep IS NULL",
        "SELECT u.pg_sleep FROM t JOIN s USING (id) AS u",
        "SELECT only(1)",
        "SELECT * FROM ONLY (pg_ls_dir('.'))",
        "SELECT xmlexists('//a' PASSING BY REF pg_read_file('x')) FROM t",
        "SELECT JSON_EXISTS(j, '$.a' PASSING pg_sleep(1) AS x) FROM t",
        "SELECT JSON_VALUE(j, '$.a' DEFAULT pg_read_file('x') ON EMPTY) FROM t",
        "SELECT JSON_VALUE(j, '$.a' RETURNING int DEFAULT pg_read_file('x') ON ERROR) FROM t",
        "SELECT json_valu_(1)",
        "SELECT a <<= pg_sleep(1) FROM t",
        "SELECT @ pg_read_file('x')",
        "SELECT 1 #- 2; DROP TABLE t",
        "SELECT 1 <% ",
        "SELECT a = ?",
    ],
)
def test_operators_hide_nothing(sql):
    with pytest.raises((SQLRefusedError, SQLSyntaxError)):
        check(sql, "postgres")


def test_operators_of_a_schema_need_a_well_known_extension():
    sql = "SELECT a OPERATOR(gis.&&) b FROM t"
    check(sql, "postgres", frozenset({"gis.&&"}))
    with pytest.raises(SQLRefusedError, match=r"The operator gis.&& is not allowed"):
        check(sql, "postgres", frozenset({"gis.&<"}))


@pytest.mark.parametrize(
    ("sql", "columns"),
    [
        ("SELECT xmlroot(version, version '1.0') FROM t", ("version",)),
        ("SELECT DISTINCT ON (x) at local FROM t", ("x", "at")),
        ("SELECT a AT LOCAL local FROM t", ("a",)),
        (
            "SELECT 1 FROM t, JSON_TABLE(a, '$' PASSING (SELECT max(b) FROM u) AS c, d AS e COLUMNS (x int)) q",
            ("a", "b", "d"),
        ),
        ("SELECT xmlserialize(CONTENT indent AS indent) FROM t", ("indent",)),
        ("SELECT a FROM XMLTABLE('/a' PASSING ordinality COLUMNS a FOR ORDINALITY) x, t", ("a", "ordinality")),
        ("SELECT xmlparse(content content) FROM t", ("content",)),
        ("SELECT at local FROM t", ("at",)),
        ("SELECT JSON_VALUE(j, '$' PASSING b AS x RETURNING int DEFAULT c ON EMPTY) FROM t", ("j", "b", "c")),
        ("SELECT JSON_ARRAY(SELECT a FROM t JOIN s ON empty)", ("a", "empty")),
        ("SELECT JSON_ARRAY(absent ABSENT ON NULL), JSON_ARRAY(omit, quotes) FROM t", ("absent", "omit", "quotes")),
        ("SELECT JSON_EXISTS(passing, '$' PASSING a AS b) FROM t", ("passing", "a")),
        ("SELECT t.id, u.id FROM t JOIN s USING (id) AS u", ("t.id", "id")),
    ],
)
def test_no_column_is_hidden_by_what_is_replaced(sql, columns):
    assert set(lineage(sql, "postgres").columns_used) == set(columns)


def test_the_alias_of_a_join_has_the_columns_of_its_using_alone():
    catalog = Catalog(
        tuple(Table(name, (Column("id", "integer"), Column(name, "text")), "public") for name in ("t", "s")),
        "postgres",
        "public",
    )
    sql = "SELECT u.id, u.s FROM t JOIN s USING (id) AS u"
    assert [each.name for each in find_unknown_names(sql, catalog)] == ["u.s"]
