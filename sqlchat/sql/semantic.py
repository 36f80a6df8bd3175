"""Maps a semantic document to notes, terms, references and descriptions, as an owner writes them by hand.

The document is of Apache Ossie (Open Semantic Interchange) 0.1.x; dbt Core writes it to `target/osi_document.json`.
Lists with reasons the parts that cannot be mapped.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlglot import exp

from sqlchat.errors import SqlchatError
from sqlchat.sql.catalog import Catalog, Table
from sqlchat.sql.dialects import KNOWN as KNOWN_DIALECTS
from sqlchat.sql.parse import parse
from sqlchat.sql.references import Reference, find_faults, find_table
from sqlchat.sql.semantic_expressions import Dataset, ExpressionError, Link, Resolver, Written, has_period

Part = Mapping[str, Any]
READ_AS = {"ANSI_SQL": "", "SNOWFLAKE": "snowflake", "DATABRICKS": "databricks"}
"""Dialects of a document, the preferred first -> sqlglot's."""
KNOWN = {
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
"""Characters, as for texts that people write."""
MOST_TERMS, MOST_SYNONYMS = 200, 20
WINDOWED = re.compile(
    r"\b(?:cumulative|rolling|trailing|(?:running|moving) (?:total|sum|count|average|avg|mean)|to date|[wmqy]td)\b",
    re.IGNORECASE,
)
"""Words of names for metrics over a moving period or since a date."""
UNTOLD = "What sets it apart, such as a window or an offset in time, is not in the document."


@dataclass(frozen=True, slots=True)
class MappedTerm:
    path: str
    """Its place in the document."""
    term: str
    definition: str
    sql: str
    synonyms: tuple[str, ...]
    query: str
    """Computes the SQL, for a check; "" for a term without SQL."""


@dataclass(frozen=True, slots=True)
class Mapped:
    """The result of mapping one document."""

    notes: str
    terms: tuple[MappedTerm, ...]
    references: tuple[tuple[str, Reference], ...]
    """Each with its path."""
    descriptions: tuple[tuple[str, str, str, str], ...]
    """Schema, table, column ("" for the table itself) and text."""
    unmapped: tuple[tuple[str, str], ...]
    """Paths with reasons."""


def map_document(document: Part, catalog: Catalog) -> Mapped:
    """Terms, notes, references and descriptions for the tables of `catalog`, in its dialect."""
    mapping = _Mapping(catalog)
    mapping.refuse_unknown("document", document, "")
    for place, model in enumerate(document["semantic_model"]):
        mapping.add_model(model, f"semantic_model.{place}")
    return mapping.finish()


def list_sources(document: Part) -> list[str]:
    """The tables that the datasets are made of, as the document writes them."""
    return [dataset["source"] for model in document["semantic_model"] for dataset in model["datasets"]]


@dataclass
class _Mapping:
    """Maps one document."""

    catalog: Catalog
    notes: list[str] = field(default_factory=list)
    terms: list[MappedTerm] = field(default_factory=list)
    names: dict[str, str] = field(default_factory=dict)
    """Names and synonyms of terms, folded -> the term."""
    references: list[tuple[str, Reference]] = field(default_factory=list)
    descriptions: list[tuple[str, str, str, str]] = field(default_factory=list)
    unmapped: list[tuple[str, str]] = field(default_factory=list)

    def finish(self) -> Mapped:
        return Mapped(
            "\n".join(self.notes),
            tuple(self.terms),
            tuple(self.references),
            tuple(self.descriptions),
            tuple(self.unmapped),
        )

    def add_model(self, model: Part, path: str) -> None:
        self.refuse_unknown("model", model, path)
        self.add_note(model.get("description"), "", f"{path}.description")
        synonyms = self.read_context(model, path, "")
        if synonyms:
            self.refuse(f"{path}.ai_context.synonyms", "A whole model is no term.")
        datasets, places = self.find_datasets(model, path), {}
        for place, each in enumerate(model["datasets"]):
            places[each["name"].lower()] = f"{path}.datasets.{place}"
        links = list(self.find_links(model.get("relationships") or (), datasets, f"{path}.relationships"))
        resolver = Resolver(list(datasets.values()), links, self.catalog.dialect)
        self.add_metrics(model.get("metrics") or (), resolver, f"{path}.metrics")
        for each in model["datasets"]:
            if dataset := datasets.get(each["name"].lower()):
                self.add_dataset(each, dataset, resolver, links, places[each["name"].lower()])

    def find_datasets(self, model: Part, path: str) -> dict[str, Dataset]:
        """Those whose tables the database holds, by their names in lower case."""
        found: dict[str, Dataset] = {}
        for place, each in enumerate(model["datasets"]):
            here = f"{path}.datasets.{place}"
            self.refuse_unknown("dataset", each, here)
            table = self.find_source(each["source"])
            if table is None:
                self.refuse(here, f"The database holds no table {each['source']!r}, so nothing of it is taken.")
            elif each["name"].lower() in found:
                self.refuse(here, "Another dataset has this name.")
            else:
                written = {
                    part["name"].lower(): choose_expression(part, self.catalog.dialect)
                    for part in each.get("fields") or ()
                }
                keys = [each.get("primary_key") or (), *(each.get("unique_keys") or ())]
                found[each["name"].lower()] = Dataset(
                    each["name"],
                    table,
                    {name: one for name, one in written.items() if one},
                    frozenset(tuple(column.lower() for column in key) for key in keys if key),
                )
        return found

    def find_source(self, source: str) -> Table | None:
        """The table that `database.schema.table` names, in quotes or not, whatever the database is called here."""
        try:
            (tree, *others) = parse(f"SELECT 1 FROM {source}", "")  # noqa: S608 - read, never run
        except SqlchatError:
            return None
        tables = list(tree.find_all(exp.Table))
        if others or len(tables) != 1 or not isinstance(tree, exp.Select) or tables[0].find(exp.Query):
            return None
        names = [part.name for part in tables[0].parts]
        spellings = (".".join(names[start:]) for start in range(len(names)))
        return next(filter(None, (find_table(each, self.catalog) for each in spellings)), None)

    def find_links(self, relationships: Sequence[Part], datasets: Mapping[str, Dataset], path: str) -> Iterator[Link]:
        """The relationships that the database can hold; their references are added."""
        for place, each in enumerate(relationships):
            here = f"{path}.{place}"
            self.refuse_unknown("relationship", each, here)
            if self.read_context(each, here, each["name"]):
                self.refuse(f"{here}.ai_context.synonyms", "A relationship is no term.")
            one, other = datasets.get(each["from"].lower()), datasets.get(each["to"].lower())
            if one is None or other is None:
                missing = each["from"] if one is None else each["to"]
                self.refuse(here, f"There is no dataset {missing!r} with a table that the database holds.")
                continue
            mine, its = _find_columns(one, each["from_columns"]), _find_columns(other, each["to_columns"])
            reference = _name_columns(one, mine, self.catalog), _name_columns(other, its, self.catalog)
            known_keys = other.keys or {tuple(name.lower() for name in other.table.primary_key)} - {()}
            if faults := find_faults(reference, self.catalog):
                self.refuse(here, " ".join(text for side in faults.values() for text in side))
            elif known_keys and not any(set(key) <= {name.lower() for name in its} for key in known_keys):
                self.refuse(here, f"{', '.join(its)} identifies no row of {other.name}: joining would repeat rows.")
            else:
                self.references.append((here, reference))
                yield Link(one.name, other.name, mine, its)

    def add_metrics(self, metrics: Sequence[Part], resolver: Resolver, path: str) -> None:
        """Add the metrics but those that have the expression of another one: dbt leaves out windows and offsets."""
        plain: dict[str, str] = {}
        for metric in sorted(metrics, key=lambda each: (_is_windowed(each), len(each["name"]))):
            if written := choose_expression(metric, self.catalog.dialect):
                plain.setdefault(" ".join(written.text.split()), metric["name"])
        for place, metric in enumerate(metrics):
            here = f"{path}.{place}"
            written = choose_expression(metric, self.catalog.dialect)
            same = plain[" ".join(written.text.split())] if written else metric["name"]
            if same != metric["name"]:
                self.refuse(here, f"Its expression is that of {same!r}. {UNTOLD}")
            elif written and _is_windowed(metric) and not has_period(written):
                self.refuse(here, f"Its name speaks of a period, its expression does not. {UNTOLD}")
            else:
                self.add_metric(metric, resolver, here)

    def add_metric(self, metric: Part, resolver: Resolver, path: str) -> None:
        self.refuse_unknown("metric", metric, path)
        instructions: list[str] = []
        synonyms = self.read_context(metric, path, metric["name"], instructions.append)
        definition = " ".join(filter(None, (metric.get("description"), *instructions)))
        definition = definition or "A metric of the semantic model."
        self.add_computed(metric, definition, synonyms=synonyms, resolver=resolver, path=path)

    def add_dataset(self, each: Part, dataset: Dataset, resolver: Resolver, links: Sequence[Link], path: str) -> None:
        table, description = dataset.table, each.get("description") or ""
        self.describe(table, "", description)
        synonyms = self.read_context(each, path, table.name)
        if synonyms or _fold(each["name"]) != _fold(table.name):
            definition = f"Rows of {table.name}. {description}".strip()
            self.add_term(path, each["name"], definition, synonyms=synonyms)
        joining = {dataset.name: {column.lower() for key in dataset.keys for column in key}}
        for link in links:
            joining.setdefault(link.source, set()).update(map(str.lower, link.columns))
        for place, part in enumerate(each.get("fields") or ()):
            self.add_field(part, dataset, resolver, joining[dataset.name], f"{path}.fields.{place}")

    def add_field(self, part: Part, dataset: Dataset, resolver: Resolver, keys: set[str], path: str) -> None:
        self.refuse_unknown("field", part, path)
        written = dataset.fields.get(part["name"].lower())
        column = dataset.table.column(written.text.strip(' "`')) if written else None
        about = f"{dataset.table.name}.{column.name if column else part['name']}"
        synonyms = self.read_context(part, path, about)
        description, label = part.get("description") or "", part.get("label") or ""
        if column is None:
            definition = description or f"A field of {dataset.name}."
            self.add_computed(part, definition, synonyms=synonyms, resolver=resolver, home=dataset, path=path)
            return
        named = [each for each in (label, part["name"]) if each and _fold(each) != _fold(column.name)]
        if column.name.lower() in keys and not synonyms:
            named = [label] if label in named else []
        self.describe(dataset.table, column.name, description)
        if names := [*named, *synonyms]:
            definition = f"The column {about}. {description}".strip()
            named_so = {**part, "name": names[0]}
            self.add_computed(named_so, definition, synonyms=names[1:], resolver=resolver, home=dataset, path=path)

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
        """A term with the SQL of the part's expression."""
        written = choose_expression(part, self.catalog.dialect)
        if written is None:
            self.refuse(path, "It has no expression in an SQL dialect that is read here.")
            return
        try:
            resolved = resolver.resolve(written, home)
        except ExpressionError as exc:
            self.refuse(path, f"{exc} ({written.text})")
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
        long = [what for what, text in texts.items() if len(text) > LONGEST[what]]
        if long:
            self.refuse(path, f"Its {long[0]} has more than {LONGEST[long[0]]:,} characters.")
        elif _fold(name) in self.names:
            self.refuse(path, f"{name!r} names {self.names[_fold(name)]!r} already.")
        elif len(self.terms) >= MOST_TERMS:
            self.refuse(path, f"There are {MOST_TERMS} terms already.")
        else:
            self.names[_fold(name)] = name
            taken = tuple(self.take_synonyms(name, synonyms, f"{path}.ai_context.synonyms"))
            self.terms.append(MappedTerm(path, name, definition, sql, taken, query))

    def take_synonyms(self, name: str, synonyms: Sequence[str], path: str) -> Iterator[str]:
        """The synonyms that name nothing else."""
        count = 0
        for each in dict.fromkeys(synonym.strip() for synonym in synonyms):
            owner = self.names.get(_fold(each), "")
            if not each or owner == name:
                continue
            if owner:
                self.refuse(path, f"{each[:40]!r} names {owner!r} already.")
            elif len(each) > LONGEST["name"] or count == MOST_SYNONYMS:
                self.refuse(path, f"{each[:40]!r} is too long, or one of too many.")
            else:
                count += 1
                self.names[_fold(each)] = name
                yield each

    def read_context(
        self, part: Part, path: str, about: str, tell: Callable[[str], None] | None = None
    ) -> tuple[str, ...]:
        """The synonyms; instructions become a note about `about`, or are told to `tell`."""
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
        if instructions and tell and isinstance(instructions, str):
            tell(instructions)
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
        for key in part.keys() - KNOWN[kind]:
            self.refuse(f"{path}.{key}".strip("."), "This key is not known.")


def choose_expression(part: Part, dialect: str) -> Written | None:
    """The part's expression in the database's dialect, else in ANSI SQL or another one that can be read."""
    expression = part.get("expression")
    if isinstance(expression, str):
        return Written(expression, "")
    listed = expression.get("dialects") if isinstance(expression, dict) else None
    found: dict[str, str] = {}
    for each in listed if isinstance(listed, list) else ():
        if isinstance(each, dict) and isinstance(each.get("expression"), str):
            found[str(each.get("dialect")).upper()] = each["expression"]
    own = {name: dialect for name in found if name.startswith(dialect.upper())}
    others = {name: name.lower() for name in found if name.lower() in KNOWN_DIALECTS}
    return next(
        (Written(found[name], read) for name, read in (own | READ_AS | others).items() if name in found), None
    )


def _is_windowed(metric: Part) -> bool:
    return WINDOWED.search(_fold(f"{metric['name']} {metric.get('label') or ''}")) is not None


def _find_columns(dataset: Dataset, names: Sequence[str]) -> tuple[str, ...]:
    """The columns that are so called, or that the fields of those names are."""
    columns = []
    for name in names:
        written = dataset.fields.get(name.lower())
        column = dataset.table.column(name)
        if column is None and written:
            column = dataset.table.column(written.text.strip(' "`'))
        columns.append(column.name if column else name)
    return tuple(columns)


def _name_columns(dataset: Dataset, names: Sequence[str], catalog: Catalog) -> tuple[str, ...]:
    table = dataset.table
    is_default = not table.schema or table.schema == catalog.default_schema
    owner = table.name if is_default else f"{table.schema}.{table.name}"
    return tuple(f"{owner}.{name}" for name in names)


def _fold(name: str) -> str:
    return re.sub(r"[\W_]+", " ", name).strip().casefold()
