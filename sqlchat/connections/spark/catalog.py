"""Reads the catalog of a Spark server by one query a schema and one a table: it has no information_schema."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

from sqlchat.connections.spark.session import SparkError, quote_name
from sqlchat.sql.catalog import Catalog, Column, Table

Ask = Callable[[str], list[tuple[Any, ...]]]
"""SQL -> rows. Raises SparkError. Called from several threads."""

log = logging.getLogger(__name__)
MOST_TABLES = 10_000
THREADS = 8
TIME = 50.0
"""Seconds for describing tables; later ones are left out."""
SYSTEM = frozenset({"information_schema", "global_temp", "sys"})
ANY_SCHEMA = "?"
"""The schema of a view if the server does not name it: its unqualified names may mean a table of any schema."""
SQL_NAMES = {"timestamp_ltz": "timestamp", "integer": "int", "long": "bigint", "short": "smallint", "byte": "tinyint"}
"""SQL's names of types by their names in Spark's JSON."""
FACTS = {
    "Comment": "comment",
    "Type": "type",
    "View Catalog and Namespace": "view_catalog_and_namespace",
    "View Text": "view_text",
}
"""Names in Spark's JSON by the labels of rows."""


def read_catalog(ask: Ask, paths: Mapping[str, Sequence[tuple[str, Any]]], database: str) -> Catalog:
    """Read the tables of the session's catalog, or of `database` if it is named, and add those of `paths`.

    `paths` has the names of the connection's files, and their columns: name and pyspark's DataType.
    """
    until = time.monotonic() + TIME
    ((catalog, current),) = ask("SELECT current_catalog(), current_schema()")
    schemas = [database] if database else [row[0] for row in ask("SHOW SCHEMAS") if row[0].lower() not in SYSTEM]
    hidden = {(current, name.lower()) for name in paths}  # a named path hides a table
    listed = [pair for schema in schemas for pair in _list_tables(ask, schema)]
    names = [(schema, name) for schema, name in listed if (schema, name.lower()) not in hidden]
    if len(names) > MOST_TABLES:
        log.warning("more tables than are read", extra={"tables": len(names), "read": MOST_TABLES})
    tables = Describer(ask, catalog, current, until).describe_all(names[:MOST_TABLES])
    if len(tables) < len(names):  # a policy cannot judge views over unknown tables
        tables = [replace(table, definition="", definition_schema="") for table in tables]
    files = [
        Table(name=name, columns=tuple(Column(column, kind.simpleString()) for column, kind in columns))
        for name, columns in paths.items()
    ]
    return Catalog(
        tables=(*files, *tables), dialect="spark", default_schema=current, search_path=("", current), database=catalog
    )


def _list_tables(ask: Ask, schema: str) -> list[tuple[str, str]]:
    """Return schema and name of its tables and views, without temporary ones."""
    try:
        rows = ask(f"SHOW TABLES IN {quote_name(schema)}")
    except SparkError as exc:
        if exc.is_of_session:
            raise
        return []  # the user may not list it
    return [(schema, row[1]) for row in rows if not row[2]]


class Describer:
    """Describes many tables at once, as JSON if the server can write it, else as rows of labels and values."""

    def __init__(self, ask: Ask, catalog: str, current: str, until: float) -> None:
        self._ask, self._catalog, self._current, self._until = ask, catalog, current, until
        self._writes_json = True

    def describe_all(self, names: Sequence[tuple[str, str]]) -> list[Table]:
        """Describe tables in order; leave out failed and late ones. Raises SparkError of a lost session."""
        if not names:
            return []
        first = self._describe(*names[0])  # finds out whether the server writes JSON
        with ThreadPoolExecutor(THREADS, thread_name_prefix="catalog") as pool:
            rest = list(pool.map(lambda pair: self._describe(*pair), names[1:]))
        tables = [table for table in (first, *rest) if table is not None]
        if len(tables) < len(names):
            log.warning("tables could not be described", extra={"tables": len(names) - len(tables)})
        return tables

    def _describe(self, schema: str, name: str) -> Table | None:
        if time.monotonic() > self._until:
            return None
        place = f"{quote_name(schema)}.{quote_name(name)}"
        try:
            if self._writes_json:
                try:
                    ((text,),) = self._ask(f"DESCRIBE TABLE EXTENDED {place} AS JSON")
                    return self._make_table(schema, name, *_read_json(json.loads(text)))
                except SparkError as exc:
                    if "JSON" not in exc.message:
                        raise
                    self._writes_json = False
            rows = self._ask(f"DESCRIBE TABLE EXTENDED {place}")
            return self._make_table(schema, name, *_read_rows(rows))
        except SparkError as exc:
            if exc.is_of_session:
                raise
            return None  # the user may not describe it, or it was dropped

    def _make_table(self, schema: str, name: str, columns: Sequence[Column], facts: Mapping[str, Any]) -> Table:
        made_in = facts.get("view_catalog_and_namespace") or ""
        definition = facts.get("view_text") or ""
        catalog, _, namespace = made_in.replace("`", "").partition(".")
        if not made_in:
            namespace = ANY_SCHEMA if definition else ""
        elif catalog != self._catalog:
            definition = ""
        return Table(
            name=name,
            columns=tuple(columns),
            schema=schema,
            kind="view" if "VIEW" in (facts.get("type") or "").upper() else "table",
            comment=facts.get("comment") or "",
            row_estimate=facts.get("num_rows"),
            definition=definition,
            definition_schema="" if namespace == self._current else namespace,
        )


def _read_json(described: Mapping[str, Any]) -> tuple[list[Column], dict[str, Any]]:
    """Return the columns, and facts by their names in Spark's JSON."""
    columns = [
        Column(column["name"], type_name(column["type"]), column.get("nullable", True), column.get("comment") or "")
        for column in described.get("columns", ())
    ]
    return columns, {**described, **(described.get("statistics") or {})}


def _read_rows(rows: Iterable[Sequence[Any]]) -> tuple[list[Column], dict[str, Any]]:
    """Return the same from rows: one for each column, then others, such as `Statistics | 300 bytes, 20 rows`."""
    columns: list[Column] = []
    facts: dict[str, Any] = {}
    in_columns = True
    for label, value, comment in rows:
        in_columns = in_columns and bool(label) and not label.startswith("#")
        if in_columns:
            columns.append(Column(label, value, True, comment or ""))
        else:
            facts.setdefault(FACTS.get(label, label), value)
    count = (facts.get("Statistics") or "").rpartition(", ")[2].removesuffix(" rows")
    return columns, facts | ({"num_rows": int(count)} if count.isdecimal() else {})


def type_name(type: Mapping[str, Any]) -> str:
    """Write a type of Spark's JSON as SQL: `{"name": "array", "element_type": {"name": "int"}}` is `array<int>`."""
    match name := type["name"]:
        case "decimal":
            return f"decimal({type['precision']},{type['scale']})"
        case "varchar" | "char":
            return f"{name}({type['length']})"
        case "array":
            return f"array<{type_name(type['element_type'])}>"
        case "map":
            return f"map<{type_name(type['key_type'])},{type_name(type['value_type'])}>"
        case "struct":
            fields = [f"{field['name']}:{type_name(field['type'])}" for field in type["fields"]]
            return f"struct<{','.join(fields)}>"
        case "interval":
            units = dict.fromkeys((type.get("start_unit"), type.get("end_unit")))
            return " ".join(["interval", " to ".join(unit for unit in units if unit)]).strip()
    return SQL_NAMES.get(name, str(name))
