"""The forms of statements that sqlglot does not read, each with one that it reads and that touches the same tables.

`PREPARE p AS SELECT a FROM t` becomes `SELECT a FROM t`, `ALTER TABLE p ATTACH PARTITION q ...` becomes
`DROP TABLE p, q`. The patterns meet texts whose strings and comments are blank. For `commands.py`.
"""

from __future__ import annotations

import re

FLAGS = re.IGNORECASE | re.DOTALL

NAME = r"""(?:"[^"]*"|`[^`]*`|\[[^\]]*\]|[\w$#]+)"""
TABLE = rf"{NAME}(?:\s*\.\s*{NAME})*"
LIST = rf"{TABLE}(?:\s*,\s*{TABLE})*"
T, U, L, Q = rf"(?P<t>{TABLE})", rf"(?P<u>{TABLE})", rf"(?P<t>{LIST})", "(?P<q>.+)"
IF = r"(?:IF (?:NOT )?EXISTS )?"
OR_REPLACE = "(?:OR REPLACE )?"
KIND = "(?:(?:FOREIGN )?TABLE|(?:MATERIALIZED )?VIEW)"
ALTER = rf"ALTER {KIND} (?!ALL IN\b){IF}(?:ONLY )?{T}[\s*]+"
RENAMED = rf"{TABLE} TO {TABLE}"
LOCKED = rf"{TABLE}(?: (?:AS )?(?!READ\b|WRITE\b|LOW_){NAME})? (?:READ(?: LOCAL)?|(?:LOW_PRIORITY )?WRITE)"
VACUUM = r"VACUUM (?:(?:FULL|FREEZE|VERBOSE|ANALYZE) |\([^()]*\)\s*)*"
PUBLICATION = rf"(?:ONLY )?{L}(?: WITH\s*\(.*\))?"
NO_TABLE = (
    r"(?:DATABASE|SCHEMA|FUNCTION|PROCEDURE|ROUTINE|SEQUENCE|LANGUAGE|TYPE|DOMAIN|FOREIGN|TABLESPACE|"
    r"LARGE OBJECT|PARAMETER|ALL (?:SEQUENCES|FUNCTIONS|PROCEDURES|ROUTINES))"
)


def compile_form(form: str) -> re.Pattern[str]:
    """A pattern in which each blank of `form` stands for any blanks and line breaks."""
    return re.compile(form.replace(" ", r"\s+"), FLAGS)


def compile_forms(*forms: str) -> tuple[re.Pattern[str], ...]:
    return tuple(map(compile_form, forms))


CHANGING = (
    "REFRESH MATERIALIZED VIEW (?:CONCURRENTLY )?" + T + "(?: WITH .*)?",
    f"(?:OPTIMIZE|MSCK REPAIR|UNDROP|REFRESH) TABLE {L}(?: [^,]*)?",
    f"OPTIMIZE {T}(?: (?:WHERE|ZORDER) .*)?",
    rf"EXCHANGE TABLES {T} AND {U}(?: .*)?",
    ALTER + r".*?(?:(?:ATTACH|DETACH) PARTITION|(?:NO )?INHERIT|RENAME TO|SWITCH (?:PARTITION \d+ )?TO|"
    rf"EXCHANGE PARTITION .*?WITH TABLE) {U}.*",
    ALTER + ".+",
    rf"(?:ALTER|DROP) (?:TRIGGER|RULE|POLICY) {IF}{NAME} ON {T}(?!.*\b(?:USING|CHECK)\b).*",
    f"DROP FOREIGN TABLE {IF}{L}.*",
    f"CLUSTER (?:VERBOSE )?{T}(?: USING {NAME})?",
    rf"REINDEX (?:\([^()]*\)\s*)?TABLE (?:CONCURRENTLY )?{T}",
    f"{VACUUM}{L}(?: RETAIN .*| DRY RUN)?",
    f"SECURITY LABEL (?:FOR {NAME} )?ON {KIND} {T} IS .*",
    f"COMMENT ON (?:{KIND}|(?:TRIGGER|RULE|POLICY|CONSTRAINT) {NAME} ON) {T} .*",
    rf"(?:GRANT|REVOKE) (?:(?!\bON\b).)*\bON (?:TABLE )?(?!ALL |{NO_TABLE} ){L} (?:TO|FROM) .*",
    f"(?:OPTIMIZE|CHECK|REPAIR) (?:LOCAL )?TABLES? {L}",
    f"LOAD DATA .* INTO TABLE {T}.*",
    f"BULK INSERT {T} FROM .*",
)
"""Statements that change or define the tables `t` and `u`, and read none."""

READING = (
    f"CREATE PUBLICATION {NAME} FOR TABLE {PUBLICATION}",
    f"ALTER PUBLICATION {NAME} (?:ADD|SET|DROP) TABLE {PUBLICATION}",
    f"LOCK (?:TABLE )?(?:ONLY )?{L}(?: IN .*MODE)?(?: NOWAIT)?",
    f"HANDLER {T} (?:OPEN|READ|CLOSE)\\b.*",
    f"CREATE {OR_REPLACE}STREAM {IF}{TABLE} ON (?:TABLE|VIEW) {T}.*",
    rf"DESC(?:RIBE)? (?:TABLE )?(?:EXTENDED )?{T} (?:{TABLE}|'\s*')",
    f"SHOW CREATE (?:TABLE|VIEW) {T}",
    f"SHOW (?:FULL )?(?:COLUMNS|FIELDS|INDEX|INDEXES|KEYS) (?:FROM|IN) {T}(?: (?:FROM|IN) {NAME})?"
    "(?: (?:LIKE|WHERE) .*)?",
)
"""Statements that read the tables `t`, or keep others from changing them."""

OTHERS = (
    (
        r"EXPLAIN(?: (?:ANALYZE|VERBOSE|PARTITIONS|QUERY PLAN|COST|EXTENDED|FORMATTED|\((?!\s*SELECT)[^()]*\)))* "
        rf"(?=\w|\(){Q}",
        "{q}",
    ),
    (r"DESC(?:RIBE)? (?:QUERY )?(?P<q>(?:\(|SELECT\b|VALUES\b|WITH\b).+)", "{q}"),
    (r"REPLACE (?P<q>INTO .+)", "INSERT {q}"),
    (rf"PREPARE {NAME}\s*(?:\([^()]*\)\s*)?AS {Q}", "{q}"),
    (rf"DECLARE {NAME} (?:\w+ )*?CURSOR (?:WITH(?:OUT)? HOLD )?FOR {Q}", "{q}"),
    (r"EXPORT DATA .*?\bAS (?P<q>(?:\(|SELECT\b|WITH\b|FROM\b).+)", "{q}"),
    (rf"(?:CALL|EXEC(?:UTE)?) (?P<q>{TABLE}\s*\(.*\))", "SELECT {q}"),
    (rf"CREATE {OR_REPLACE}(?:TASK|PIPE) {IF}{TABLE} .*?\bAS {Q}", "{q}"),
    (
        rf"(?P<a>UPDATE .+?) OUTPUT .+? INTO {T}(?P<b>(?: (?:FROM|WHERE) .*)?)",
        "{a} {b}; INSERT INTO {t} DEFAULT VALUES",
    ),
    (r"(?P<a>UPDATE .+?) OUTPUT .+?(?P<b>(?: (?:FROM|WHERE) .*)?)", "{a} {b}"),
    (rf"{VACUUM}{T}\s*\((?P<c>[^()]*)\)(?:\s*,\s*{Q})?", "DELETE FROM {t} RETURNING {c}; VACUUM {q}"),
    (rf"COMMENT ON COLUMN {T}\s*\.\s*(?P<c>{NAME}) IS .*", "ALTER TABLE {t} ADD COLUMN {c} INT"),
    (rf"CREATE STATISTICS .*? ON (?P<c>.+) FROM {T}", "DELETE FROM {t} RETURNING {c}"),
    (rf"DELETE FROM {T} FROM {Q}", "DELETE {t} FROM {q}"),  # noqa: S608 - a pattern
    (rf"RENAME TABLE (?P<pairs>{RENAMED}(?:\s*,\s*{RENAMED})*)", "DROP TABLE {pairs}"),
    (rf"LOCK TABLES? (?P<pairs>{LOCKED}(?:\s*,\s*{LOCKED})*)", "SELECT 1 FROM {pairs}"),
)
"""Statements by their form -> others that touch the same tables. `q` is a statement, `t` and `c` are a table's name
and columns, and `pairs` has a word of BEHIND_NAMES behind each name."""
BEHIND_NAMES = compile_form(r" (?:TO|READ(?: LOCAL)?|(?:LOW_PRIORITY )?WRITE)\b")

REWRITTEN = tuple(
    (compile_form(form), instead)
    for form, instead in (
        *OTHERS,
        *((form, "DROP TABLE {t}") for form in CHANGING),
        *((form, "SELECT 1 FROM {t}") for form in READING),
    )
)

OF_NO_TABLE = compile_forms(
    f"SAVEPOINT {NAME}|RELEASE (?:SAVEPOINT )?{NAME}",
    rf"(?:UN)?LISTEN (?:{NAME}|\*)|NOTIFY {NAME}(?:\s*,\s*'.*')?",
    "DISCARD (?:ALL|PLANS|SEQUENCES|TEMP|TEMPORARY)",
    r"DESCRIBE|CHECKPOINT|ABORT|SHUTDOWN|VACUUM|ANALYZE|CLUSTER|VACUUM\s*\([^()]*\)|UNLOCK \w+",
    "LOCK INSTANCE FOR BACKUP",
    f"(?:DEALLOCATE|CLOSE) (?:PREPARE )?{NAME}",
    rf"(?:FETCH|MOVE) (?:[\w+-]+ ){{0,3}}(?:FROM |IN )?{NAME}(?<!\bSQL)",
    r"(?:START TRANSACTION|BEGIN|COMMIT|ROLLBACK|END)\b(?:\s*,?\s*(?:WORK|TRANSACTION|TRAN|AND|NO|CHAIN|"
    "ISOLATION|LEVEL|READ|WRITE|ONLY|COMMITTED|UNCOMMITTED|REPEATABLE|SERIALIZABLE|NOT|DEFERRABLE|DEFERRED|"
    "IMMEDIATE|EXCLUSIVE|CONSISTENT|WITH|SNAPSHOT))*",
    "(?:COMMIT|ROLLBACK) PREPARED '.*'|PREPARE TRANSACTION '.*'",
    rf"SET (?:SESSION |LOCAL )?(?:{TABLE}\s*(?:=|\bTO\b)|CONSTRAINTS|SESSION|ROLE|TRANSACTION|TIME ZONE|NAMES|"
    r"AUTHORIZATION|CHARACTERISTICS)\b(?!.*\bSELECT\b).*",
    f"RESET (?:{TABLE}|SESSION AUTHORIZATION|TIME ZONE)",
    f"SHOW (?:{TABLE}|TIME ZONE|SESSION AUTHORIZATION|TRANSACTION ISOLATION LEVEL)",
    "SHOW (?:FULL |ALL )?(?:TABLES|DATABASES|SCHEMAS|VIEWS|FUNCTIONS|VARIABLES|STATUS|PROCESSLIST|GRANTS)"
    r"\b.*",
    r"(?:LOAD|INSTALL) (?:'.*'|\w+)",
    f"(?:CREATE|ALTER|DROP) {OR_REPLACE}(?:TRUSTED )?(?:ROLE|USER|GROUP|SCHEMA|DATABASE|EXTENSION|TYPE|DOMAIN|"
    "SEQUENCE|SERVER|AGGREGATE|OPERATOR|CAST|COLLATION|CONVERSION|(?:PROCEDURAL )?LANGUAGE|TEXT SEARCH|"
    "TABLESPACE|EVENT TRIGGER|FOREIGN DATA WRAPPER|ACCESS METHOD|SUBSCRIPTION|SECRET|WAREHOUSE|STAGE|"
    r"TRANSFORM|LARGE OBJECT)\b(?!.*\b(?:SELECT|CREATE)\b).*",
    "ALTER (?:SYSTEM|DEFAULT PRIVILEGES|FUNCTION|PROCEDURE|ROUTINE|INDEX|STATISTICS) .*",
    "DROP (?:INDEX|(?:TABLE )?FUNCTION|PROCEDURE|ROUTINE|AGGREGATE|OWNED|STATISTICS|PUBLICATION|MACRO|EVENT"
    "|TASK|PIPE|STREAM) .*",
    "REASSIGN OWNED BY .*",
    r"(?:CREATE|ALTER) PUBLICATION (?!.*\bTABLES?\b).*",
    r"(?:GRANT|REVOKE) (?!.*\sON\s).*\s(?:TO|FROM) .*",
    f"(?:GRANT|REVOKE) .* ON {NO_TABLE} .*",
    "COMMENT ON (?:ROLE|SCHEMA|DATABASE|EXTENSION|TYPE|DOMAIN|SEQUENCE|SERVER|AGGREGATE|OPERATOR|CAST|"
    "FUNCTION|PROCEDURE|INDEX|LANGUAGE|TABLESPACE|EVENT|COLLATION|LARGE) .*",
)
"""Statements that touch no table."""

CLAUSES = compile_forms(
    r"\bON COMMIT (?:DROP|(?:DELETE|PRESERVE) ROWS)\b",
    r"\bWITH (?:NO )?DATA\s*$",
    r"\bWITH (?:(?:LOCAL|CASCADED) )?CHECK OPTION\s*$",
    r"\bOVERRIDING (?:SYSTEM|USER) VALUE\b",
    rf"\bWHERE CURRENT OF {NAME}",
    r"(?<=CREATE) (?:FOREIGN|SNAPSHOT)(?=\s+TABLE\b)",
    r"(?<=UPDATE) OR (?:IGNORE|REPLACE|ABORT|FAIL|ROLLBACK)\b",
    rf"(?<=\))\s*SERVER {NAME}(?: OPTIONS\s*\([^()]*\))?",
    rf"\b(?:TABLESPACE|USING) {NAME}(?=\s+(?:AS|WITH|TABLESPACE)\b)",
    r"\bWITH\s*\([^()]*\)(?=\s*AS\b)",
    r"\b(?:BUILD (?:IMMEDIATE|DEFERRED)|REFRESH (?:FAST|COMPLETE|FORCE|ON (?:COMMIT|DEMAND)))\b(?=.*\bAS\b)",
    r"\bON (?:COMMIT|DEMAND)(?=\s+AS\b)|\b(?:EN|DIS)ABLE QUERY REWRITE\b",
    r"\bINTO (?:OUTFILE|DUMPFILE) '\s*'(?!.*\bFROM\b).*|\bINTO (?:OUTFILE|DUMPFILE) '\s*'",
    r"\bINTO @\w+(?:\s*,\s*@\w+)*\s*$",
)
"""Parts of statements that name no table and that sqlglot trips over."""

TRIGGER = compile_form(
    rf"CREATE {OR_REPLACE}(?:(?:CONSTRAINT|TEMP|TEMPORARY) )?TRIGGER {IF}{TABLE} (?:(?!\bON\b).)*\bON {T}(?P<rest>.*)"
)
TRIGGER_CALL = compile_form(r"\bEXECUTE (?:FUNCTION|PROCEDURE)\b")
TRIGGER_CONDITION = compile_form(r"\bWHEN\b(.*?)(?=\bBEGIN\b|\bEXECUTE (?:FUNCTION|PROCEDURE)\b)")
TRIGGER_BODY = compile_form(r"\bBEGIN\b|\bFOR EACH ROW (?!WHEN\b|EXECUTE\b|BEGIN\b)|\bAS\b")
RULE = compile_form(
    rf"CREATE {OR_REPLACE}RULE {NAME} AS ON \w+ TO {T}\s*(?:WHERE (?P<condition>.*?)\s*)?"
    rf"\bDO (?:ALSO |INSTEAD )?{Q}"
)
POLICY = compile_form(rf"(?:CREATE|ALTER) POLICY {IF}{NAME} ON {T}\b(?P<rest>.*)")
RECURSIVE_VIEW = compile_form(
    rf"CREATE {OR_REPLACE}(?:TEMP |TEMPORARY )?RECURSIVE VIEW {T}\s*\((?P<c>[^()]*)\)\s*AS {Q}"
)
ROUTINE = compile_form(rf"CREATE {OR_REPLACE}(?:FUNCTION|PROCEDURE) {TABLE}\s*(?P<parameters>\(.*)")
EVENT = compile_form(rf"CREATE {OR_REPLACE}(?:DEFINER\s*=\s*\S+ )?EVENT {IF}{TABLE} ON SCHEDULE .*?\bDO {Q}")
EXECUTE = compile_form(rf"(?:EXPLAIN (?:ANALYZE )?)?EXECUTE (?P<name>{NAME})\s*(?P<rest>\(.*\))?")
"""EXECUTE of what a PREPARE in the same text holds."""
TEXT_OF_STATEMENT = compile_form(rf"(?:PREPARE {NAME} FROM|EXECUTE IMMEDIATE|UNLOAD\s*\()\s*(?P<text>'\s*').*")
"""Statements that hold another as a string."""
