"""Maps a semantic document to notes, terms, references and descriptions, which an owner can also write by hand.

The document is in Apache Ossie (Open Semantic Interchange) 0.1.x; dbt Core writes it to `target/osi_document.json`.
The result lists the parts that cannot be mapped, with reasons.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlglot import exp

from sqlchat.errors import SqlchatError
from sqlchat.sql.catalog import Catalog, Column, Table
from sqlchat.sql.dialects import KNOWN as KNOWN_DIALECTS
from sqlchat.sql.parse import parse
from sqlchat.sql.references import Reference, find_faults, find_table
from sqlchat.sql.semantic_expressions import Dataset, DocumentExpression, ExpressionError, Link, Resolver, has_period

Part = Mapping[str, Any]
READ_AS = {"ANSI_SQL": "", "SNOWFLAKE": "snowflake", "DATABRICKS": "databricks"}
"""Dialect of a document -> sqlglot's; preferred ones come first."""
KNOWN_KEYS = {
    "document": {"version", "dialects", "vendors", "semantic_model"},
    "model": {"name", "description", "ai_context", "datasets", "relationships", "metrics", "custom_extensions"},
    "dataset": {
        "name", "source", "primary_key", "unique_keys", "description", "ai_context", "fields", "custom_extensions",
    },
    "field": {
        "name", "expression", "dimension", "datatype", "label", "description", "ai_context", "custom_extensions",
    },
    "relationship": {"name", "from", "to", "from_columns", "to_columns", "ai_context", "custom_extensions"},
    "metric": {"name", "expression", "datatype", "label", "description", "ai_context", "custom_extensions"},
    "ai_context": {"instructions", "synonyms", "examples"},
}  # fmt: skip
LONGEST = {"name": 100, "definition": 1_000, "sql": 2_000, "notes": 4_000}
"""Most characters, the same as for texts that people write."""
MOST_TERMS, MOST_SYNONYMS = 200, 20
WINDOWED = re.compile(
    r"\b(?:cumulative|rolling|trailing|(?:running|moving) (?:total|sum|count|average|avg|mean)|to date|[wmqy]td)\b",
    re.IGNORECASE,
)
"""Words in names of metrics over a moving period or since a date."""
MISSING_DETAIL = "What sets it apart, such as a window or an offset in time, is not in the document."


@dataclass(frozen=True, slots=True)
class MappedTerm:
    path: str
    """Path of the term in the document."""
    term: str
    definition: str
    sql: str
    synonyms: tuple[str, ...]
    query: str
    """A query that computes the SQL, for a check; "" for a term without SQL."""


@dataclass(frozen=True, slots=True)
class MappedDocument:
    """The result of mapping one document."""

    notes: str
    terms: tuple[MappedTerm, ...]
    references: tuple[tuple[str, Reference], ...]
    """Path and reference."""
    descriptions: tuple[tuple[str, str, str, str], ...]
    """Schema, table, column ("" for the table itself) and text."""
    unmapped: tuple[tuple[str, str], ...]
    """Paths with reasons."""


def map_document(document: Part, catalog: Catalog) -> MappedDocument:
    """Map `document` to the tables of `catalog`, with SQL in its dialect."""
    mapping = _Mapping(catalog)
    mapping.refuse_unknown("document", document, "")
    for place, model in enumerate(document["semantic_model"]):
        mapping.add_model(model, f"semantic_model.{place}")
    return mapping.finish()


def list_sources(document: Part) -> list[str]:
    """Return the tables of the datasets, as the document writes them."""
    return [dataset["source"] for model in document["semantic_model"] for dataset in model["datasets"]]


@dataclass
class _Mapping:
    """Collects the result for one document."""

    catalog: Catalog
    notes: list[str] = field(default_factory=list)
    terms: list[MappedTerm] = field(default_factory=list)
    names: dict[str, str] = field(default_factory=dict)
    """Folded names and synonyms of terms -> the term."""
    references: list[tuple[str, Reference]] = field(default_factory=list)
    descriptions: list[tuple[str, str, str, str]] = field(default_factory=list)
    unmapped: list[tuple[str, str]] = field(default_factory=list)

    def finish(self) -> MappedDocument:
        return MappedDocument(
            "\n".join(self.notes),
            tuple(self.terms),
            tuple(self.references),
            tuple(self.descriptions),
            tuple(self.unmapped),
        )

    def add_model(self, model: Part, path: str) -> None:
        self.refuse_unknown("model", model, path)
        self.add_note(model.get("description"), "", f"{path}.description")
        if self.read_context(model, path, ""):
            self.refuse(f"{path}.ai_context.synonyms", "A whole model is no term.")
        datasets = self.find_datasets(model, path)
        paths = {part["name"].lower(): f"{path}.datasets.{place}" for place, part in enumerate(model["datasets"])}
        links = list(self.find_links(model.get("relationships") or (), datasets, f"{path}.relationships"))
        resolver = Resolver(list(datasets.values()), links, self.catalog.dialect)
        self.add_metrics(model.get("metrics") or (), resolver, f"{path}.metrics")
        for part in model["datasets"]:
            name = part["name"].lower()
            if dataset := datasets.get(name):
                self.add_dataset(part, dataset, resolver, links, paths[name])

    def find_datasets(self, model: Part, path: str) -> dict[str, Dataset]:
        """Return the datasets whose tables the database has, by their names in lower case."""
        datasets: dict[str, Dataset] = {}
        for place, part in enumerate(model["datasets"]):
            here, name = f"{path}.datasets.{place}", part["name"].lower()
            self.refuse_unknown("dataset", part, here)
            table = self.find_source(part["source"])
            if table is None:
                self.refuse(here, f"The database holds no table {part['source']!r}, so nothing of it is taken.")
            elif name in datasets:
                self.refuse(here, "Another dataset has this name.")
            else:
                dialect, field_parts = self.catalog.dialect, part.get("fields") or ()
                expressions = {each["name"].lower(): choose_expression(each, dialect) for each in field_parts}
                fields = {key: expression for key, expression in expressions.items() if expression}
                keys = [part.get("primary_key") or (), *(part.get("unique_keys") or ())]
                lower_keys = frozenset(tuple(column.lower() for column in key) for key in keys if key)
                datasets[name] = Dataset(part["name"], table, fields, lower_keys)
        return datasets

    def find_source(self, source: str) -> Table | None:
        """Return the table that `database.schema.table` names, with any database and with or without quotes."""
        try:
            (tree, *others) = parse(f"SELECT 1 FROM {source}", "")  # noqa: S608 - read, never run
        except SqlchatError:
            return None
        tables = list(tree.find_all(exp.Table))
        if others or len(tables) != 1 or not isinstance(tree, exp.Select) or tables[0].find(exp.Query):
            return None
        names = [part.name for part in tables[0].parts]
        spellings = (".".join(names[start:]) for start in range(len(names)))
        return next(filter(None, (find_table(spelling, self.catalog) for spelling in spellings)), None)

    def find_links(self, relationships: Sequence[Part], datasets: Mapping[str, Dataset], path: str) -> Iterator[Link]:
        """Yield the relationships that the catalog can hold, and add their references."""
        for place, part in enumerate(relationships):
            here = f"{path}.{place}"
            self.refuse_unknown("relationship", part, here)
            if self.read_context(part, here, part["name"]):
                self.refuse(f"{here}.ai_context.synonyms", "A relationship is no term.")
            source, target = datasets.get(part["from"].lower()), datasets.get(part["to"].lower())
            if source is None or target is None:
                missing = part["from"] if source is None else part["to"]
                self.refuse(here, f"There is no dataset {missing!r} with a table that the database holds.")
                continue
            columns = _find_columns(source, part["from_columns"])
            ref_columns = _find_columns(target, part["to_columns"])
            reference = (
                _name_columns(source, columns, self.catalog),
                _name_columns(target, ref_columns, self.catalog),
            )
            keys = target.keys or {tuple(name.lower() for name in target.table.primary_key)} - {()}
            lower_columns = {name.lower() for name in ref_columns}
            if faults := find_faults(reference, self.catalog):
                self.refuse(here, " ".join(text for side in faults.values() for text in side))
            elif keys and not any(lower_columns.issuperset(key) for key in keys):
                listed = ", ".join(ref_columns)
                self.refuse(here, f"{listed} identifies no row of {target.name}: joining would repeat rows.")
            else:
                self.references.append((here, reference))
                yield Link(source.name, target.name, columns, ref_columns)

    def add_metrics(self, metrics: Sequence[Part], resolver: Resolver, path: str) -> None:
        """Add the metrics, except those with the expression of another metric: dbt leaves out windows and offsets."""
        owners: dict[str, str] = {}
        for metric in sorted(metrics, key=lambda metric: (_is_windowed(metric), len(metric["name"]))):
            if expression := choose_expression(metric, self.catalog.dialect):
                owners.setdefault(" ".join(expression.text.split()), metric["name"])
        for place, metric in enumerate(metrics):
            here = f"{path}.{place}"
            expression = choose_expression(metric, self.catalog.dialect)
            owner = owners[" ".join(expression.text.split())] if expression else metric["name"]
            if owner != metric["name"]:
                self.refuse(here, f"Its expression is that of {owner!r}. {MISSING_DETAIL}")
            elif expression and _is_windowed(metric) and not has_period(expression):
                self.refuse(here, f"Its name speaks of a period, its expression does not. {MISSING_DETAIL}")
            else:
                self.add_metric(metric, resolver, here)

    def add_metric(self, metric: Part, resolver: Resolver, path: str) -> None:
        self.refuse_unknown("metric", metric, path)
        instructions: list[str] = []
        synonyms = self.read_context(metric, path, metric["name"], instructions.append)
        definition = " ".join(filter(None, (metric.get("description"), *instructions)))
        definition = definition or "A metric of the semantic model."
        self.add_computed(metric, definition, synonyms=synonyms, resolver=resolver, path=path)

    def add_dataset(self, part: Part, dataset: Dataset, resolver: Resolver, links: Sequence[Link], path: str) -> None:
        table, description = dataset.table, part.get("description") or ""
        self.describe(table, "", description)
        synonyms = self.read_context(part, path, table.name)
        if synonyms or _fold(part["name"]) != _fold(table.name):
            definition = f"Rows of {table.name}. {description}".strip()
            self.add_term(path, part["name"], definition, synonyms=synonyms)
        keys = {column.lower() for key in dataset.keys for column in key}
        keys |= {column.lower() for link in links if link.source == dataset.name for column in link.columns}
        for place, field_part in enumerate(part.get("fields") or ()):
            self.add_field(field_part, dataset, resolver, keys, f"{path}.fields.{place}")

    def add_field(self, part: Part, dataset: Dataset, resolver: Resolver, keys: set[str], path: str) -> None:
        self.refuse_unknown("field", part, path)
        column = _find_field_column(dataset, part["name"])
        about = f"{dataset.table.name}.{column.name if column else part['name']}"
        synonyms = self.read_context(part, path, about)
        description, label = part.get("description") or "", part.get("label") or ""
        if column is None:
            definition = description or f"A field of {dataset.name}."
            self.add_computed(part, definition, synonyms=synonyms, resolver=resolver, home=dataset, path=path)
            return
        names = [name for name in (label, part["name"]) if name and _fold(name) != _fold(column.name)]
        if column.name.lower() in keys and not synonyms:
            names = [label] if label in names else []
        self.describe(dataset.table, column.name, description)
        if names := [*names, *synonyms]:
            definition = f"The column {about}. {description}".strip()
            renamed = {**part, "name": names[0]}
            self.add_computed(renamed, definition, synonyms=names[1:], resolver=resolver, home=dataset, path=path)

    def add_computed(
        self,
        part: Part,
        definition: str,
        *,
        synonyms: Sequence[str],
        resolver: Resolver,
        home: Dataset | None = None,
        path: str,
    ) -> None:
        """Add a term with the SQL of the part's expression."""
        expression = choose_expression(part, self.catalog.dialect)
        if expression is None:
            self.refuse(path, "It has no expression in an SQL dialect that is read here.")
            return
        try:
            resolved = resolver.resolve(expression, home)
        except ExpressionError as exc:
            self.refuse(path, f"{exc} ({expression.text})")
            return
        if resolved.joins:
            definition = f"{definition} Joins by {' and '.join(resolved.joins)}."
        label = part.get("label") or ""
        names = [part["name"].replace("_", " ").strip(), part["name"], label, *synonyms]
        self.add_term(path, names[0], definition, sql=resolved.sql, synonyms=names[1:], query=resolved.query)

    def add_term(
        self, path: str, name: str, definition: str, *, sql: str = "", synonyms: Sequence[str] = (), query: str = ""
    ) -> None:
        texts = {"name": name, "definition": definition, "sql": sql}
        too_long = [kind for kind, text in texts.items() if len(text) > LONGEST[kind]]
        if too_long:
            self.refuse(path, f"Its {too_long[0]} has more than {LONGEST[too_long[0]]:,} characters.")
        elif _fold(name) in self.names:
            self.refuse(path, f"{name!r} names {self.names[_fold(name)]!r} already.")
        elif len(self.terms) >= MOST_TERMS:
            self.refuse(path, f"There are {MOST_TERMS} terms already.")
        else:
            self.names[_fold(name)] = name
            free_synonyms = tuple(self.take_synonyms(name, synonyms, f"{path}.ai_context.synonyms"))
            self.terms.append(MappedTerm(path, name, definition, sql, free_synonyms, query))

    def take_synonyms(self, name: str, synonyms: Sequence[str], path: str) -> Iterator[str]:
        """Yield the synonyms that name no other term, and reserve them for the term `name`."""
        count = 0
        for synonym in dict.fromkeys(map(str.strip, synonyms)):
            owner = self.names.get(_fold(synonym), "")
            if not synonym or owner == name:
                continue
            if owner:
                self.refuse(path, f"{synonym[:40]!r} names {owner!r} already.")
            elif len(synonym) > LONGEST["name"] or count == MOST_SYNONYMS:
                self.refuse(path, f"{synonym[:40]!r} is too long, or one of too many.")
            else:
                count += 1
                self.names[_fold(synonym)] = name
                yield synonym

    def read_context(
        self, part: Part, path: str, about: str, add_instructions: Callable[[str], None] | None = None
    ) -> tuple[str, ...]:
        """Return the synonyms. Instructions become a note about `about`, or go to `add_instructions`."""
        if part.get("custom_extensions"):
            self.refuse(f"{path}.custom_extensions", "Extensions of vendors are not read.")
        context = part.get("ai_context") or {}
        if isinstance(context, str):
            context = {"instructions": context}
        if not isinstance(context, dict):
            self.refuse(f"{path}.ai_context", "It is neither a text nor an object.")
            return ()
        self.refuse_unknown("ai_context", context, f"{path}.ai_context")
        if context.get("examples"):
            self.refuse(f"{path}.ai_context.examples", "A question without SQL cannot be verified.")
        instructions, synonyms = context.get("instructions"), context.get("synonyms") or ()
        if instructions and add_instructions and isinstance(instructions, str):
            add_instructions(instructions)
        elif instructions:
            self.add_note(instructions, about, f"{path}.ai_context.instructions")
        if not isinstance(synonyms, list | tuple) or not all(isinstance(each, str) for each in synonyms):
            self.refuse(f"{path}.ai_context.synonyms", "It is no list of texts.")
            return ()
        return tuple(synonyms)

    def add_note(self, text: object, about: str, path: str) -> None:
        if not text:
            return
        if not isinstance(text, str):
            self.refuse(path, "It is no text.")
            return
        line = f"{about}: {text}" if about else text
        if len("\n".join((*self.notes, line))) > LONGEST["notes"]:
            self.refuse(path, f"The notes have more than {LONGEST['notes']:,} characters with it.")
        else:
            self.notes.append(line)

    def describe(self, table: Table, column: str, text: str) -> None:
        if text:
            self.descriptions.append((table.schema, table.name, column, text))

    def refuse(self, path: str, reason: str) -> None:
        self.unmapped.append((path, reason))

    def refuse_unknown(self, kind: str, part: Part, path: str) -> None:
        for key in part.keys() - KNOWN_KEYS[kind]:
            self.refuse(f"{path}.{key}".strip("."), "This key is not known.")


def choose_expression(part: Part, dialect: str) -> DocumentExpression | None:
    """Return the part's expression in the database's dialect, else in ANSI SQL or another readable dialect."""
    expression = part.get("expression")
    if isinstance(expression, str):
        return DocumentExpression(expression, "")
    listed = expression.get("dialects") if isinstance(expression, dict) else None
    texts: dict[str, str] = {}
    for entry in listed if isinstance(listed, list) else ():
        if isinstance(entry, dict) and isinstance(entry.get("expression"), str):
            texts[str(entry.get("dialect")).upper()] = entry["expression"]
    own = {name: dialect for name in texts if name.startswith(dialect.upper())}
    others = {name: name.lower() for name in texts if name.lower() in KNOWN_DIALECTS}
    for name, read_as in (own | READ_AS | others).items():
        if name in texts:
            return DocumentExpression(texts[name], read_as)
    return None


def _is_windowed(metric: Part) -> bool:
    return WINDOWED.search(_fold(f"{metric['name']} {metric.get('label') or ''}")) is not None


def _find_columns(dataset: Dataset, names: Sequence[str]) -> tuple[str, ...]:
    """Return the columns of these names, or of the fields with these names; a name without a column stays."""
    columns = [dataset.table.column(name) or _find_field_column(dataset, name) for name in names]
    return tuple(column.name if column else name for column, name in zip(columns, names, strict=True))


def _find_field_column(dataset: Dataset, name: str) -> Column | None:
    """Return the column that a field is; None if it is computed, or there is no such field."""
    expression = dataset.fields.get(name.lower())
    return dataset.table.column(expression.text.strip(' "`')) if expression else None


def _name_columns(dataset: Dataset, names: Sequence[str], catalog: Catalog) -> tuple[str, ...]:
    table = dataset.table
    is_default = not table.schema or table.schema == catalog.default_schema
    owner = table.name if is_default else f"{table.schema}.{table.name}"
    return tuple(f"{owner}.{name}" for name in names)


def _fold(name: str) -> str:
    return re.sub(r"[\W_]+", " ", name).strip().casefold()
