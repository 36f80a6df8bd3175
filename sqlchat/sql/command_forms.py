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
IF = r"(?:IF\s+(?:NOT\s+)?EXISTS\s+)?"
TABLE_KIND = r"(?:(?:FOREIGN\s+)?TABLE|(?:MATERIALIZED\s+)?VIEW)"
OTHERS = (
    r"(?:(?:ATTACH|DETACH)\s+PARTITION|(?:NO\s+)?INHERIT|RENAME\s+TO|"
    r"SWITCH\s+(?:PARTITION\s+\d+\s+)?TO|EXCHANGE\s+PARTITION\s+.*?WITH\s+TABLE)"
)

TEMPLATES = (
    (
        r"EXPLAIN(?:\s+(?:ANALYZE|VERBOSE|PARTITIONS|QUERY\s+PLAN|COST|EXTENDED|FORMATTED|\((?!\s*SELECT)[^()]*\)))*\s+(?=\w|\()(?P<q>.+)",
        "{q}",
    ),
    (r"REPLACE\s+(?P<q>INTO\s.+)", "INSERT {q}"),
    (rf"PREPARE\s+{NAME}\s*(?:\([^()]*\)\s*)?AS\s+(?P<q>.+)", "{q}"),
    (rf"DECLARE\s+{NAME}\s+(?:\w+\s+)*?CURSOR\s+(?:WITH(?:OUT)?\s+HOLD\s+)?FOR\s+(?P<q>.+)", "{q}"),
    (r"EXPORT\s+DATA\s.*?\bAS\s+(?P<q>(?:\(|SELECT\b|WITH\b|FROM\b).+)", "{q}"),
    (rf"(?:CALL|EXEC(?:UTE)?)\s+(?P<q>{TABLE}\s*\(.*\))", "SELECT {q}"),
    (rf"REFRESH\s+MATERIALIZED\s+VIEW\s+(?:CONCURRENTLY\s+)?(?P<t>{TABLE})(?:\s+WITH\s.*)?", "DROP TABLE {t}"),
    (rf"(?:OPTIMIZE|MSCK\s+REPAIR|UNDROP)\s+TABLE\s+(?P<t>{LIST})(?:\s+[^,]*)?", "DROP TABLE {t}"),
    (rf"EXCHANGE\s+TABLES\s+(?P<t>{TABLE})\s+AND\s+(?P<u>{TABLE})(?:\s.*)?", "DROP TABLE {t}, {u}"),
    (
        rf"(?P<a>UPDATE\s.+?)\s+OUTPUT\s.+?\sINTO\s+(?P<t>{TABLE})(?P<b>(?:\s+(?:FROM|WHERE)\s.*)?)",
        "{a} {b}; INSERT INTO {t} DEFAULT VALUES",
    ),
    (r"(?P<a>UPDATE\s.+?)\s+OUTPUT\s.+?(?P<b>(?:\s+(?:FROM|WHERE)\s.*)?)", "{a} {b}"),
    (rf"RENAME\s+TABLE\s+(?P<t>{TABLE})\s+TO\s+(?P<u>{TABLE})", "DROP TABLE {t}, {u}"),
    (
        rf"ALTER\s+{TABLE_KIND}\s+(?!ALL\s+IN\b){IF}(?:ONLY\s+)?(?P<t>{TABLE})[\s*]+.*?{OTHERS}\s+(?P<u>{TABLE}).*",
        "DROP TABLE {t}, {u}",
    ),
    (rf"ALTER\s+{TABLE_KIND}\s+(?!ALL\s+IN\b){IF}(?:ONLY\s+)?(?P<t>{TABLE})[\s*]+.+", "DROP TABLE {t}"),
    (
        rf"(?:ALTER|DROP)\s+(?:TRIGGER|RULE|POLICY)\s+{IF}{NAME}\s+ON\s+(?P<t>{TABLE})(?!.*\b(?:USING|CHECK)\b).*",
        "DROP TABLE {t}",
    ),
    (rf"DROP\s+FOREIGN\s+TABLE\s+{IF}(?P<t>{LIST}).*", "DROP TABLE {t}"),
    (rf"CLUSTER\s+(?:VERBOSE\s+)?(?P<t>{TABLE})(?:\s+USING\s+{NAME})?", "DROP TABLE {t}"),
    (rf"REINDEX\s+(?:\([^()]*\)\s*)?TABLE\s+(?:CONCURRENTLY\s+)?(?P<t>{TABLE})", "DROP TABLE {t}"),
    (rf"VACUUM\s+(?:(?:FULL|FREEZE|VERBOSE|ANALYZE)\s+|\([^()]*\)\s*)*(?P<t>{LIST})", "DROP TABLE {t}"),
    (
        rf"VACUUM\s+(?:(?:FULL|FREEZE|VERBOSE|ANALYZE)\s+|\([^()]*\)\s*)*(?P<t>{TABLE})\s*\((?P<c>[^()]*)\)(?:\s*,\s*"
        rf"(?P<q>.+))?",
        "DELETE FROM {t} RETURNING {c}; VACUUM {q}",
    ),
    (
        rf"CREATE\s+PUBLICATION\s+{NAME}\s+FOR\s+TABLE\s+(?:ONLY\s+)?(?P<t>{LIST})(?:\s+WITH\s*\(.*\))?",
        "SELECT 1 FROM {t}",
    ),
    (
        rf"ALTER\s+PUBLICATION\s+{NAME}\s+(?:ADD|SET|DROP)\s+TABLE\s+(?:ONLY\s+)?(?P<t>{LIST})(?:\s+WITH\s*\(.*\))?",
        "SELECT 1 FROM {t}",
    ),
    (rf"SECURITY\s+LABEL\s+(?:FOR\s+{NAME}\s+)?ON\s+{TABLE_KIND}\s+(?P<t>{TABLE})\s+IS\s.*", "DROP TABLE {t}"),
    (rf"LOCK\s+(?:TABLE\s+)?(?:ONLY\s+)?(?P<t>{LIST})(?:\s+IN\s.*MODE)?(?:\s+NOWAIT)?", "SELECT 1 FROM {t}"),
    (rf"COMMENT\s+ON\s+{TABLE_KIND}\s+(?P<t>{TABLE})\s+IS\s.*", "DROP TABLE {t}"),
    (rf"COMMENT\s+ON\s+(?:TRIGGER|RULE|POLICY|CONSTRAINT)\s+{NAME}\s+ON\s+(?P<t>{TABLE})\s.*", "DROP TABLE {t}"),
    (
        rf"COMMENT\s+ON\s+COLUMN\s+(?P<t>{TABLE})\s*\.\s*(?P<c>{NAME})\s+IS\s.*",
        "ALTER TABLE {t} ADD COLUMN {c} INT",
    ),
    (
        rf"(?:GRANT|REVOKE)\s(?:(?!\bON\b).)*\sON\s+(?:TABLE\s+)?(?!(?:ALL|DATABASE|SCHEMA|FUNCTION|PROCEDURE|ROUTINE|"
        rf"SEQUENCE|LANGUAGE|TYPE|DOMAIN|FOREIGN|TABLESPACE|LARGE|PARAMETER)\s)(?P<t>{LIST})\s+(?:TO|FROM)\s.*",
        "DROP TABLE {t}",
    ),
    (rf"CREATE\s+STATISTICS\s+.*?\sON\s+(?P<c>.+)\sFROM\s+(?P<t>{TABLE})", "DELETE FROM {t} RETURNING {c}"),
    (rf"DELETE\s+FROM\s+(?P<t>{TABLE})\s+FROM\s+(?P<q>.+)", "DELETE {t} FROM {q}"),
    (rf"(?:OPTIMIZE|CHECK|REPAIR)\s+(?:LOCAL\s+)?TABLES?\s+(?P<t>{LIST})", "DROP TABLE {t}"),
    (rf"LOAD\s+DATA\s.*\sINTO\s+TABLE\s+(?P<t>{TABLE}).*", "DROP TABLE {t}"),
    (
        rf"CREATE\s+(?:OR\s+REPLACE\s+)?STREAM\s+{IF}{TABLE}\s+ON\s+(?:TABLE|VIEW)\s+(?P<t>{TABLE}).*",
        "SELECT 1 FROM {t}",
    ),
    (rf"CREATE\s+(?:OR\s+REPLACE\s+)?TASK\s+{IF}{TABLE}\s.*?\bAS\s+(?P<q>.+)", "{q}"),
    (r"DESC(?:RIBE)?\s+(?:QUERY\s+)?(?P<q>(?:\(|SELECT\b|VALUES\b|WITH\b).+)", "{q}"),
    (
        rf"DESC(?:RIBE)?\s+(?:TABLE\s+)?(?:EXTENDED\s+)?(?P<t>{TABLE})\s+(?:{TABLE}|'\s*')",
        "SELECT 1 FROM {t}",
    ),
    (rf"SHOW\s+CREATE\s+(?:TABLE|VIEW)\s+(?P<t>{TABLE})", "SELECT 1 FROM {t}"),
    (
        rf"SHOW\s+(?:FULL\s+)?(?:COLUMNS|FIELDS|INDEX|INDEXES|KEYS)\s+(?:FROM|IN)\s+(?P<t>{TABLE})"
        rf"(?:\s+(?:FROM|IN)\s+{NAME})?(?:\s+(?:LIKE|WHERE)\s.*)?",
        "SELECT 1 FROM {t}",
    ),
)
"""Statements by their form -> one that touches the same tables. `q` is a statement, `t` and `u` are tables."""

OF_NO_TABLE = (
    rf"SAVEPOINT\s+{NAME}",
    rf"RELEASE\s+(?:SAVEPOINT\s+)?{NAME}",
    rf"(?:UN)?LISTEN\s+(?:{NAME}|\*)",
    rf"NOTIFY\s+{NAME}(?:\s*,\s*'.*')?",
    r"DISCARD\s+(?:ALL|PLANS|SEQUENCES|TEMP|TEMPORARY)",
    r"DESCRIBE|CHECKPOINT|ABORT|SHUTDOWN|VACUUM|ANALYZE|CLUSTER|VACUUM\s*\([^()]*\)|LOCK\s+INSTANCE\s+FOR\s+BACKUP|UNLOCK\s+\w+",
    rf"(?:DEALLOCATE|CLOSE)\s+(?:PREPARE\s+)?{NAME}",
    rf"(?:FETCH|MOVE)\s+(?:[\w+-]+\s+){{0,3}}(?:FROM\s+|IN\s+)?{NAME}(?<!\bSQL)",
    r"(?:START\s+TRANSACTION|BEGIN|COMMIT|ROLLBACK|END)\b(?:\s*,?\s*(?:WORK|TRANSACTION|TRAN|AND|NO|CHAIN|ISOLATION|LEVEL|READ|WRITE"
    r"|ONLY|COMMITTED|UNCOMMITTED|REPEATABLE|SERIALIZABLE|NOT|DEFERRABLE|DEFERRED|IMMEDIATE|EXCLUSIVE|CONSISTENT|WITH"
    r"|SNAPSHOT))*",
    r"(?:COMMIT|ROLLBACK)\s+PREPARED\s+'.*'|PREPARE\s+TRANSACTION\s+'.*'",
    rf"SET\s+(?:SESSION\s+|LOCAL\s+)?(?:{TABLE}\s*(?:=|\bTO\b)|CONSTRAINTS|SESSION|ROLE|TRANSACTION|TIME\s+ZONE|NAMES|"
    r"AUTHORIZATION|CHARACTERISTICS)\b(?!.*\bSELECT\b).*",
    rf"RESET\s+(?:{TABLE}|SESSION\s+AUTHORIZATION|TIME\s+ZONE)",
    rf"SHOW\s+(?:{TABLE}|TIME\s+ZONE|SESSION\s+AUTHORIZATION|TRANSACTION\s+ISOLATION\s+LEVEL)",
    r"SHOW\s+(?:FULL\s+|ALL\s+)?(?:TABLES|DATABASES|SCHEMAS|VIEWS|FUNCTIONS|VARIABLES|STATUS|PROCESSLIST|GRANTS)\b.*",
    r"(?:LOAD|INSTALL)\s+(?:'.*'|\w+)",
    r"(?:CREATE|ALTER|DROP)\s+(?:OR\s+REPLACE\s+)?(?:TRUSTED\s+)?(?:ROLE|USER|GROUP|SCHEMA|DATABASE|EXTENSION|TYPE|DOMAIN|"
    r"SEQUENCE|SERVER|AGGREGATE|OPERATOR|CAST|COLLATION|CONVERSION|(?:PROCEDURAL\s+)?LANGUAGE|TEXT\s+SEARCH|TABLESPACE|"
    r"EVENT\s+TRIGGER|FOREIGN\s+DATA\s+WRAPPER|ACCESS\s+METHOD|SUBSCRIPTION|SECRET|WAREHOUSE|STAGE|TRANSFORM|LARGE\s+OBJECT)"
    r"\b(?!.*\b(?:SELECT|CREATE)\b).*",
    r"ALTER\s+(?:SYSTEM|DEFAULT\s+PRIVILEGES|FUNCTION|PROCEDURE|ROUTINE|INDEX|STATISTICS)\s.*",
    r"DROP\s+(?:INDEX|FUNCTION|PROCEDURE|ROUTINE|AGGREGATE|OWNED|STATISTICS|PUBLICATION|MACRO)\s.*",
    r"REASSIGN\s+OWNED\s+BY\s.*",
    r"(?:CREATE|ALTER)\s+PUBLICATION\s+(?!.*\bTABLES?\b).*",
    r"(?:GRANT|REVOKE)\s(?!.*\sON\s).*\s(?:TO|FROM)\s.*",
    r"(?:GRANT|REVOKE)\s.*\sON\s+(?:DATABASE|SCHEMA|FUNCTION|PROCEDURE|ROUTINE|SEQUENCE|LANGUAGE|TYPE|DOMAIN|FOREIGN|"
    r"TABLESPACE|LARGE\s+OBJECT|PARAMETER|ALL\s+(?:SEQUENCES|FUNCTIONS|PROCEDURES|ROUTINES))\s.*",
    r"COMMENT\s+ON\s+(?:ROLE|SCHEMA|DATABASE|EXTENSION|TYPE|DOMAIN|SEQUENCE|SERVER|AGGREGATE|OPERATOR|CAST|FUNCTION|"
    r"PROCEDURE|INDEX|LANGUAGE|TABLESPACE|EVENT|COLLATION|LARGE)\s.*",
)
"""Statements that touch no table."""

CLAUSES = (
    r"\bON\s+COMMIT\s+(?:DROP|(?:DELETE|PRESERVE)\s+ROWS)\b",
    r"\bWITH\s+(?:NO\s+)?DATA\s*$",
    r"\bWITH\s+(?:(?:LOCAL|CASCADED)\s+)?CHECK\s+OPTION\s*$",
    r"\bOVERRIDING\s+(?:SYSTEM|USER)\s+VALUE\b",
    rf"\bWHERE\s+CURRENT\s+OF\s+{NAME}",
    r"(?<=CREATE)\s+FOREIGN(?=\s+TABLE\b)",
    rf"(?<=\))\s*SERVER\s+{NAME}(?:\s+OPTIONS\s*\([^()]*\))?",
    rf"\b(?:TABLESPACE|USING)\s+{NAME}(?=\s+(?:AS|WITH|TABLESPACE)\b)",
    r"\bWITH\s*\([^()]*\)(?=\s*AS\b)",
    r"\bINTO\s+(?:OUTFILE|DUMPFILE)\s+'\s*'(?!.*\bFROM\b).*|\bINTO\s+(?:OUTFILE|DUMPFILE)\s+'\s*'",
    r"\bINTO\s+@\w+(?:\s*,\s*@\w+)*\s*$",
)
"""Parts of statements that name no table and that sqlglot trips over."""

TRIGGER = re.compile(
    rf"CREATE\s+(?:OR\s+REPLACE\s+)?(?:(?:CONSTRAINT|TEMP|TEMPORARY)\s+)?TRIGGER\s+{IF}{TABLE}\s"
    rf"(?:(?!\bON\b).)*\bON\s+(?P<t>{TABLE})(?P<rest>.*)",
    FLAGS,
)
TRIGGER_CALL = re.compile(r"\bEXECUTE\s+(?:FUNCTION|PROCEDURE)\b", FLAGS)
TRIGGER_BODY = re.compile(r"\bBEGIN\b|\bFOR\s+EACH\s+ROW\s+(?!WHEN\b|EXECUTE\b|BEGIN\b)|\bAS\b", FLAGS)
RULE = re.compile(
    rf"CREATE\s+(?:OR\s+REPLACE\s+)?RULE\s+{NAME}\s+AS\s+ON\s+\w+\s+TO\s+(?P<t>{TABLE})\s*"
    r"(?:WHERE\s+(?P<condition>.*?)\s*)?\bDO\s+(?:ALSO\s+|INSTEAD\s+)?(?P<q>.+)",
    FLAGS,
)
POLICY = re.compile(rf"(?:CREATE|ALTER)\s+POLICY\s+{IF}{NAME}\s+ON\s+(?P<t>{TABLE})\b(?P<rest>.*)", FLAGS)
RECURSIVE_VIEW = re.compile(
    rf"CREATE\s+(?:OR\s+REPLACE\s+)?(?:TEMP\s+|TEMPORARY\s+)?RECURSIVE\s+VIEW\s+(?P<t>{TABLE})\s*"
    r"\((?P<c>[^()]*)\)\s*AS\s+(?P<q>.+)",
    FLAGS,
)
ROUTINE = re.compile(rf"CREATE\s+(?:OR\s+REPLACE\s+)?(?:FUNCTION|PROCEDURE)\s+{TABLE}\s*(?P<parameters>\(.*)", FLAGS)
EXECUTE = re.compile(rf"(?:EXPLAIN\s+(?:ANALYZE\s+)?)?EXECUTE\s+(?P<name>{NAME})\s*(?P<rest>\(.*\))?", FLAGS)
"""EXECUTE of what a PREPARE in the same text holds."""
TEXT_OF_STATEMENT = re.compile(
    rf"(?:PREPARE\s+{NAME}\s+FROM|EXECUTE\s+IMMEDIATE|UNLOAD\s*\()\s*(?P<text>'\s*').*", FLAGS
)
"""Statements that hold another as a string."""
