"""Names in our own SQL mean Postgres' own objects, whatever the search path."""

import re

import pytest

from sqlchat.connections.postgres import catalog, definitions, own_functions, own_objects, profile, rls
from sqlchat.connections.postgres.qualification import qualify


@pytest.mark.parametrize(
    ("sql", "qualified"),
    [
        ("SELECT lower(a.b::text[]) FROM pg_class a", "SELECT PG.lower(a.b::PG.text[]) FROM PG.pg_class a"),
        ("coalesce(nullif(x, 0), count(*))", "coalesce(nullif(x, 0), PG.count(*))"),
        ("pg_get_viewdef(r.oid), r.pg_class, pg_roles.oid", "PG.pg_get_viewdef(r.oid), r.pg_class, pg_roles.oid"),
        ("a = 'pg_proc'::regclass AND b IN ('pg_x', 'lower(', 'a::b')",
         "a = 'PG.pg_proc'::PG.regclass AND b IN ('pg_x', 'lower(', 'a::b')"),
        ("unnest(k) WITH ORDINALITY AS u (a, b)", "PG.unnest(k) WITH ORDINALITY AS u (a, b)"),
        ("EXISTS (SELECT FROM t) AND x IN (1)", "EXISTS (SELECT FROM t) AND x IN (1)"),
    ],
    ids=["types", "grammar", "relations", "constants", "aliases", "keywords"],
)  # fmt: skip
def test_relations_functions_and_types_are_qualified(sql, qualified):
    expected = qualified.replace("PG.", "pg_catalog.")
    assert qualify(sql) == expected
    assert qualify(expected) == expected


@pytest.mark.parametrize(
    "question",
    [
        *(catalog.TABLES, own_objects.FUNCTIONS, own_objects.VOLATILE_OWN, catalog.SEARCH_PATH, catalog.UNUSABLE),
        *(
            catalog.TYPES,
            catalog.RIGHTS,
            definitions.VERSION,
            own_functions.FUNCTIONS,
            profile.STATISTICS,
            rls.RIGHTS,
        ),
    ],
    ids=lambda question: f"of_{len(question)}_characters",
)
def test_no_question_leaves_a_name_to_the_search_path(question):
    outside_constants = re.sub(r"'[^']*'", "''", question)
    calls = set(re.findall(r"(?<!pg_catalog\.)\b[a-z]\w*(?=\()", outside_constants))
    assert calls <= {"coalesce", "nullif"}
    assert not re.search(r"::(?!pg_catalog\.)|(?<![\w.])pg_(?!catalog\.|roles\.)", outside_constants)
