"""Postgres' operators: read, judged, and resolved, those of extensions too."""

import pytest

from sqlchat.errors import SQLRefusedError, SQLSyntaxError
from sqlchat.sql.guard import check
from sqlchat.sql.lineage import lineage
from sqlchat.sql.operators import write_plainly

BINARY = (
    "<<= >>= <<| |>> &<| |&> <^ >^ ~= #- ~<~ ~<=~ ~>=~ ~>~ @@@ ?-| ?|| ?# ## -|- &< &> ^@ *< *= *<> *<= <% %>",
    "<<% %>> <<-> <->> <<<-> <->>> <#> <+> <~> <%> <=> @ &&& |=| <<->> ~~= <<@ @>> #=",
    "^~ ^<@ ^@> ?@> ?<@ ?~ ?@ ~> @? ?& ?| <->",
)
PREFIXES = "@ @@ @-@ # ?- ?| %% %# |/ ||/ !! ~"


@pytest.mark.parametrize("operator", " ".join(BINARY).split())
def test_operators_between_values(operator):
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
        "SELECT xmlparse(content '<a/>'), xmlserialize(document x AS text), xmlexists('//b' PASSING x) FROM t",
        "SELECT xmlpi(name php, 'echo'), xmlroot(x, version '1.0') FROM t",
        "SELECT n FROM XMLTABLE('/a' PASSING x COLUMNS n FOR ORDINALITY, v text PATH '.') q",
        'SELECT content, name, passing, "document" FROM t',
        "SELECT '<@' || E'\\'#-', \"a<<=b\", $x$ <%> ' $x$ /* ~<~ /* #- */ */ FROM t -- <%>",
        "SELECT a -1, a*-1, a<-1, a=-1, 2*-3, count(*), t.*, a OPERATOR(pg_catalog.<<=) b FROM t",
    ],
)
def test_honest_forms_pass(sql):
    check(sql, "postgres")


def test_strings_names_and_comments_stay_as_they_are():
    sql = "SELECT '#-', E'\\'<%>', \"~<~\", $x$<<= '$x$, a <<= b /* #- */ -- #-"
    assert write_plainly(sql) == sql.replace("a <<= b", "a &   b")


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT xmlparse(content pg_read_file('x'))",
        "SELECT xmlexists(pg_sleep(1) PASSING x) FROM t",
        "SELECT cube(1)",
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
