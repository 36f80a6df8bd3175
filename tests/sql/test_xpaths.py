"""XPath in Postgres: what costs no more than its document is read, what no timeout would end is refused."""

import itertools

import pytest

from sqlchat.errors import SQLRefusedError
from sqlchat.sql.guard import check

PLAIN = [
    "/a/text()",
    '//item[@id="1"]/price',
    "//town[text() = 'Toronto']",
    "/r/x[position() < 3]",
    '//a[b/c = "x//y"]',
    "count(//a)",
    "//a | //b",
    "/r//b",
    "/a/b[last()]/c",
    "../@id",
    "../../x",
    "/my:a/text()",
    '//a[contains(text(), "x")]',
    '/r/*[local-name() = "b"]',
    'concat(size[@unit != "km"], " ", size[@unit != "km"]/@unit)',
]
COSTLY = [
    "//a[count(//a) > 0]",
    "//a[//b]",
    "//a[/r/a]",
    "//a[count( /r/a)]",
    "//a[1 = /r/a]",
    "//a[b[//c]]",
    "//a[b[1] = //c]",
    "//a[b or/r/a]",
    "//a[2 */r/a]",
    "//a[../a]",
    '//a[id("x")]',
    "//a//a",
    "//a/..",
    "//a/preceding::a",
    "//a/following-sibling :: a",
    "/r/a/ancestor-or-self::*",
]
PLACES = [
    "SELECT xpath({}, x) FROM t",
    "SELECT pg_catalog.xpath_exists({}, x) FROM t",
    "SELECT id FROM t WHERE XMLEXISTS({} PASSING BY VALUE x)",
    "SELECT n FROM t, XMLTABLE({} PASSING x COLUMNS n int PATH '@n') v",
    "SELECT n FROM t, XMLTABLE('/a' PASSING x COLUMNS o FOR ORDINALITY, n text PATH {} DEFAULT 'x' NOT NULL) v",
    "SELECT n FROM t, XMLTABLE(XMLNAMESPACES('http://x' AS my), {} PASSING x COLUMNS n int) v",
]


def quote(path):
    return "'" + path.replace("'", "''") + "'"


def test_plain_paths_pass(subtests):
    for place, path in itertools.product(PLACES, PLAIN):
        with subtests.test(str((place, path))):
            assert check(place.format(quote(path)), "postgres").kind == "SELECT"


def test_paths_that_look_at_all_nodes_for_each_node_are_refused(subtests):
    for place, path in itertools.product(PLACES, COSTLY):
        with subtests.test(str((place, path))), pytest.raises(SQLRefusedError, match="XPath"):
            check(place.format(quote(path)), "postgres")


@pytest.mark.parametrize(
    "argument",
    ["name", "'/' || '/a'", "'//a' '[//a]'", "E'//a[\\x2f\\x2fa]'", "U&'//a[\\002f/a]'", "(SELECT '/a')"],
)
def test_paths_that_are_no_plain_literal_are_refused(argument):
    with pytest.raises(SQLRefusedError):
        check(f"SELECT xpath({argument}, x) FROM t", "postgres")


def test_dollar_quotes_hide_no_path():
    with pytest.raises(SQLRefusedError, match="XPath"):
        check("SELECT xpath($q$//a[//a]$q$, x) FROM t", "postgres")
