"""SQLite: functions and PRAGMAs that only read.

Left out on purpose: `load_extension`, `fts3_tokenizer`, the shell's `readfile`, `writefile` and `edit`, FTS3's
`optimize`, and each PRAGMA that sets something or tells paths of the server.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from sqlchat.sql.guards import suggestions
from sqlchat.sql.guards.rules import KEYWORDS, TYPES, Inner, Rules, make_explain_reader, make_rest_error, split_words
from sqlchat.sql.lexer import PLACEHOLDER, Lexeme

FUNCTIONS = split_words(
    """
    abs acos acosh asin asinh atan atan2 atanh avg bm25 ceil ceiling changes char coalesce concat concat_ws cos
    cosh count cume_dist current_date current_time current_timestamp date datetime degrees dense_rank exp
    first_value floor format generate_series glob group_concat hex highlight if ifnull iif instr json json_array
    json_array_insert json_array_length json_each json_error_position json_extract json_group_array
    json_group_object json_insert json_object json_patch json_pretty json_quote json_remove json_replace
    json_set json_tree json_type json_valid jsonb jsonb_array jsonb_each jsonb_extract jsonb_group_array
    jsonb_group_object jsonb_insert jsonb_object jsonb_patch jsonb_remove jsonb_replace jsonb_set jsonb_tree
    julianday lag last_insert_rowid last_value lead length like likelihood likely ln log log10 log2 lower ltrim
    match matchinfo max median min mod nth_value ntile nullif octet_length offsets percent_rank percentile
    percentile_cont percentile_disc pi pow power printf quote radians random randomblob rank replace round
    row_number rtrim sign sin sinh snippet soundex sqlite_version sqrt strftime string_agg substr substring
    subtype sum tan tanh time timediff total total_changes trim trunc typeof unhex unicode unistr unistr_quote
    unixepoch unlikely upper zeroblob
    """
)
PRAGMAS = split_words(
    """
    application_id collation_list compile_options encoding freelist_count function_list page_count page_size
    schema_version table_list user_version
    """
)
PRAGMAS_OF_TABLE = split_words("table_info table_xinfo index_list index_info index_xinfo foreign_key_list")
HIDDEN_PATTERN = (
    rf"pragma_(?!(?:{'|'.join(sorted(PRAGMAS | PRAGMAS_OF_TABLE))})$).*|sqlite_dbpage|sqlite_dbdata|sqlite_stmt|fsdir"
)


def read_pragma(lexemes: Sequence[Lexeme]) -> str | Inner:
    """`PRAGMA [schema.]name` or `PRAGMA [schema.]name(table)`; `user_version(5)` would set it."""
    rest = lexemes[3:] if len(lexemes) > 3 and lexemes[2].text == "." else lexemes[1:]
    name, argument = (rest[0].value if rest else ""), rest[1:]
    if name in PRAGMAS | PRAGMAS_OF_TABLE and not argument:
        return "PRAGMA"
    signs = [lexeme.text for lexeme in argument]
    if name in PRAGMAS_OF_TABLE and len(signs) == 3 and (signs[0], signs[2]) == ("(", ")"):
        return "PRAGMA"
    raise make_rest_error(lexemes, "of the PRAGMAs only those that describe tables are")


RULES = Rules(
    engine="SQLite",
    instead=suggestions.SQLITE,
    others=re.compile(
        r"(fts[35]|rtree|geopoly|sqlite_|pragma_).*|load_extension|optimize|readfile|writefile|edit|fsdir|->>?"
    ),
    grammar=split_words("cast exists"),
    functions=FUNCTIONS | {f"pragma_{name}" for name in PRAGMAS_OF_TABLE},
    keywords=KEYWORDS
    | TYPES
    | split_words(
        """
        bigint by double escape glob indexed int integer is join like match materialized nvarchar real regexp smallint
        text tinyint
        """
    ),
    hidden=re.compile(HIDDEN_PATTERN),
    signs=PLACEHOLDER,
    sign_reason="Placeholders are not filled in here: put the value itself in their place.",
    starts=frozenset({"select", "with", "values"}),
    statements={"explain": make_explain_reader(frozenset(), split_words("query plan")), "pragma": read_pragma},
)
