"""SQLite: functions and PRAGMAs that only read.

Left out on purpose: `load_extension`, `fts3_tokenizer`, the shell's `readfile`, `writefile` and `edit`, FTS3's
`optimize`, and each PRAGMA that sets something or tells paths of the server.
"""

from __future__ import annotations

import re

from sqlchat.sql.guards import suggestions
from sqlchat.sql.guards.rules import KEYWORDS, TYPES, Rules, make_explain_reader, make_pragma_reader, split_words
from sqlchat.sql.lexer import PLACEHOLDER

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
    statements={
        "explain": make_explain_reader(frozenset(), split_words("query plan")),
        "pragma": make_pragma_reader(PRAGMAS | PRAGMAS_OF_TABLE, PRAGMAS_OF_TABLE),
    },
)
