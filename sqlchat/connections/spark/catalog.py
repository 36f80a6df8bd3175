"""Reads the catalog of a Spark server, which has no information_schema: one question a schema, and one a table."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from sqlchat.connections.spark.session import SparkError, quoted
from sqlchat.sql.catalog import Catalog, Column, Table

Ask = Callable[[str], list[tuple[Any, ...]]]
"""SQL -> rows. Raises SparkError. Called from several threads."""

log = logging.getLogger(__name__)
MOST_TABLES = 10_000
THREADS = 8
TIME = 50.0
"""Seconds after which tables that are not described yet are left out."""
SYSTEM = frozenset({"information_schema", "global_temp", "sys"})
ANY_SCHEMA = "?"
"""Where a view was made if its server does not tell: its unqualified names may mean any table of that name."""
NAMED = {"timestamp_ltz": "timestamp", "integer": "int", "long": "bigint", "short": "smallint", "byte": "tinyint"}
"""Spark's names of types in JSON, as SQL has them."""


def read_catalog(ask: Ask, paths: Mapping[str, Sequence[tuple[str, Any]]], database: str) -> Catalog:
    """The tables of the session's catalog, of `database` alone if it is named, and those of `paths`.

    `paths` are the names that the connection gives to files, and their columns: name and pyspark's DataType.
    """
    until = time.monotonic() + TIME
    ((catalog, current),) = ask("SELECT current_catalog(), current_schema()")
    schemas = [database] if database else [row[0] for row in ask("SHOW SCHEMAS") if row[0].lower() not in SYSTEM]
    hidden = {(current, name.lower()) for name in paths}  # behind a named path
    listed = [pair for schema in schemas for pair in _list_tables(ask, schema)]
    named = [(schema, name) for schema, name in listed if (schema, name.lower()) not in hidden]
    if len(named) > MOST_TABLES:
        log.warning("more tables than are read", extra={"tables": len(named), "read": MOST_TABLES})
    described = Describer(ask, catalog, current, until).describe_all(named[:MOST_TABLES])
    files = [
        Table(name=name, columns=tuple(Column(each, kind.simpleString()) for each, kind in columns))
        for name, columns in paths.items()
    ]
    is_whole = len(described) == len(named)
    return Catalog(
        tables=(*files, *(described if is_whole else _without_definitions(described))),
        dialect="spark",
        default_schema=current,
        search_path=("", current),
        database=catalog,
    )


def _list_tables(ask: Ask, schema: str) -> list[tuple[str, str]]:
    """Schema and name of its tables and views, without temporary ones."""
    try:
        rows = ask(f"SHOW TABLES IN {quoted(schema)}")
    except SparkError as exc:
        if exc.is_of_session:
            raise
        return []  # of others, which the user may not look into
    return [(schema, row[1]) for row in rows if not row[2]]


def _without_definitions(tables: Iterable[Table]) -> list[Table]:
    """A policy reads no view whose tables may be among those that are not known."""
    return [Table(t.name, t.columns, t.schema, t.kind, t.comment, row_estimate=t.row_estimate) for t in tables]


class Describer:
    """Asks of many tables at once, and of each in the way that the server knows: as JSON, or as rows of words."""

    def __init__(self, ask: Ask, catalog: str, current: str, until: float) -> None:
        self._ask, self._catalog, self._current, self._until = ask, catalog, current, until
        self._speaks_json = True

    def describe_all(self, named: Sequence[tuple[str, str]]) -> list[Table]:
        """Those of `named` that could be described in time, in their order. Raises SparkError of a lost session."""
        if not named:
            return []
        first = self.describe(*named[0])  # which tells whether the server speaks JSON
        with ThreadPoolExecutor(THREADS, thread_name_prefix="catalog") as pool:
            rest = list(pool.map(lambda pair: self.describe(*pair), named[1:]))
        found = [table for table in (first, *rest) if table is not None]
        if len(found) < len(named):
            log.warning("tables could not be described", extra={"tables": len(named) - len(found)})
        return found

    def describe(self, schema: str, name: str) -> Table | None:
        if time.monotonic() > self._until:
            return None
        place = f"{quoted(schema)}.{quoted(name)}"
        try:
            if self._speaks_json:
                try:
                    ((told,),) = self._ask(f"DESCRIBE TABLE EXTENDED {place} AS JSON")
                    return self._read_json(schema, name, json.loads(told))
                except SparkError as exc:
                    if "JSON" not in exc.message:
                        raise
                    self._speaks_json = False
            return self._read_rows(schema, name, self._ask(f"DESCRIBE TABLE EXTENDED {place}"))
        except SparkError as exc:
            if exc.is_of_session:
                raise
            return None  # one that the user may not look into, or that went meanwhile

    def _read_json(self, schema: str, name: str, told: dict[str, Any]) -> Table:
        columns = [
            Column(each["name"], type_name(each["type"]), each.get("nullable", True), each.get("comment") or "")
            for each in told.get("columns", ())
        ]
        return self._table(
            schema,
            name,
            columns,
            kind=told.get("type", ""),
            comment=told.get("comment") or "",
            rows=(told.get("statistics") or {}).get("num_rows"),
            definition=told.get("view_text") or "",
            inside=told.get("view_catalog_and_namespace") or "",
        )

    def _read_rows(self, schema: str, name: str, rows: Iterable[Sequence[Any]]) -> Table:
        columns: list[Column] = []
        facts: dict[str, str] = {}
        in_columns = True
        for label, value, comment in rows:
            in_columns = in_columns and bool(label) and not label.startswith("#")
            if in_columns:
                columns.append(Column(label, value, True, comment or ""))
            else:
                facts.setdefault(label, value or "")
        statistics = facts.get("Statistics", "").rpartition(", ")[2].removesuffix(" rows")
        return self._table(
            schema,
            name,
            columns,
            kind=facts.get("Type", ""),
            comment=facts.get("Comment", ""),
            rows=int(statistics) if statistics.isdecimal() else None,
            definition=facts.get("View Text", ""),
            inside=facts.get("View Catalog and Namespace", ""),
        )

    def _table(
        self,
        schema: str,
        name: str,
        columns: Sequence[Column],
        *,
        kind: str,
        comment: str,
        rows: int | None,
        definition: str,
        inside: str,
    ) -> Table:
        """`inside` is the catalog and schema in which a view was made."""
        catalog, _, namespace = inside.replace("`", "").partition(".")
        is_here = not inside or catalog == self._catalog
        made_in = namespace if inside else ANY_SCHEMA * bool(definition)
        return Table(
            name=name,
            columns=tuple(columns),
            schema=schema,
            kind="view" if "VIEW" in kind.upper() else "table",
            comment=comment,
            row_estimate=rows,
            definition=definition if is_here else "",
            definition_schema="" if made_in == self._current else made_in,
        )


def type_name(told: Mapping[str, Any]) -> str:
    """A type as JSON tells it, in SQL: `{"name": "array", "element_type": {"name": "int"}}` gives `array<int>`."""
    match name := told["name"]:
        case "decimal":
            return f"decimal({told['precision']},{told['scale']})"
        case "varchar" | "char":
            return f"{name}({told['length']})"
        case "array":
            return f"array<{type_name(told['element_type'])}>"
        case "map":
            return f"map<{type_name(told['key_type'])},{type_name(told['value_type'])}>"
        case "struct":
            fields = [f"{field['name']}:{type_name(field['type'])}" for field in told["fields"]]
            return f"struct<{','.join(fields)}>"
        case "interval":
            units = dict.fromkeys((told.get("start_unit"), told.get("end_unit")))
            return " ".join(["interval", " to ".join(unit for unit in units if unit)]).strip()
    return NAMED.get(name, str(name))
