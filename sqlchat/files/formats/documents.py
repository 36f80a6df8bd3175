"""Finds the rows in a JSON document, and makes columns of nested objects."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from sqlchat.errors import FileInvalidError
from sqlchat.files.formats import Table, check_width
from sqlchat.files.names import pick_name

MOST_KEYS = 200
"""Keys of the objects under one name; objects with more are maps instead of records, and stay JSON."""
DEEPEST = 20
"""Levels of objects within objects."""
USUAL = (
    *("features", "records", "rows", "items", "results", "result", "data", "values", "entries", "hits", "docs"),
    "value",
)
"""Names of arrays that hold rows, the surest first."""
COLUMN_LISTS = ("columns", "fields", "header", "headers", "names")

Object = dict[str, Any]


class Flattening:
    """Makes columns of nested objects.

    >>> Flattening().flat({"id": 1, "user": {"name": "Ann", "tags": []}})
    {'id': 1, 'user.name': 'Ann', 'user.tags': []}
    """

    def __init__(self) -> None:
        self._maps: frozenset[str] | None = None
        """Paths of objects that stay JSON."""
        self._records: frozenset[str] = frozenset()
        """Paths of the others."""

    def look(self, rows: list[Object]) -> None:
        """Learn from the first rows which objects are maps rather than records."""
        if self._maps is not None:
            return
        keys: dict[str, set[str]] = {}
        plain: set[str] = set()
        for row in rows:
            self._count(row, "", keys, plain, 0)
        self._maps = frozenset(
            path for path, found in keys.items() if path and (len(found) > MOST_KEYS or path in plain)
        )
        self._records = frozenset(keys) - self._maps

    def _count(self, value: Object, path: str, keys: dict[str, set[str]], plain: set[str], depth: int) -> None:
        found = keys.setdefault(path, set())
        if len(found) <= MOST_KEYS:
            found.update(value)
        if depth < DEEPEST:
            for name, inner in value.items():
                if isinstance(inner, dict):
                    self._count(inner, _join(path, name), keys, plain, depth + 1)
                elif inner is not None:
                    plain.add(_join(path, name))

    def flat(self, row: Object) -> Object:
        """Return a row with values of nested objects under their paths; arrays and maps stay unchanged."""
        if not self._records and not any(isinstance(value, dict) for value in row.values()):
            return row
        if row.get("type") == "Feature" and isinstance(row.get("properties"), dict | None) and "geometry" in row:
            row = _flatten_feature(row)
        flat: Object = {}
        self._put(flat, row, "", 0)
        return flat

    def _put(self, flat: Object, value: Object, path: str, depth: int) -> None:
        for name, inner in value.items():
            at = _join(path, name)
            is_record = (
                isinstance(inner, dict)
                and at not in (self._maps or ())
                and depth < DEEPEST
                and not _is_geometry(inner)
            )
            if is_record and inner:
                self._put(flat, inner, at, depth + 1)
            elif not is_record and not (inner is None and at in self._records):
                flat[at if at not in flat else f"{at}_2"] = inner


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _is_geometry(value: Object) -> bool:
    return set(value) <= {"type", "coordinates", "crs", "bbox"} and "coordinates" in value


def _flatten_feature(row: Object) -> Object:
    """Merge the properties of a GeoJSON feature with its id and geometry."""
    properties = row.get("properties") or {}
    beside = {name: row[name] for name in ("id", "geometry") if name in row}
    return properties | {
        name if name not in properties else f"feature_{name}": value for name, value in beside.items()
    }


def read_document_rows(value: Object, table: Table, part: str | int | None) -> Iterator[Object]:
    """Give the rows in a document that is one object. `part` names the array that holds them.

    Raises FileInvalidError if several arrays may hold them.
    """
    if value.get("type") == "FeatureCollection" and isinstance(value.get("features"), list):
        yield from _check_objects(value["features"], "features")
        return
    if part is None and (listed := _find_listed_rows(value)) is not None:
        yield from listed
        return
    if part is None and _is_by_column(value):
        check_width(len(value))
        yield from (dict(zip(value, row, strict=True)) for row in zip(*value.values(), strict=True))
        return
    found = dict(_find_arrays(value, "", 0))
    if not found and part is None:
        lists = {k: v for k, v in value.items() if isinstance(v, list)}
        if lists and len(lists) == len(value) and len({len(v) for v in lists.values()}) > 1:
            lengths = ", ".join(f"{k!r} {len(v):,}" for k, v in list(lists.items())[:5])
            raise FileInvalidError(f"The arrays of an object must be of one length; here they have {lengths}.")
        if (keyed := _find_keyed_rows(value)) is not None:
            table.warnings.append("The rows are the objects of the document; their names are in the column 'key'.")
            yield from keyed
            return
        yield value
        return
    path = _pick(found, part)
    if len(value) > 1 or "." in path:
        table.warnings.append(f"The rows are those of {path!r}; what stands beside it was left out.")
    if len(found) > 1:
        table.used["sheet"] = path
    yield from found[path]


def _check_objects(rows: list[Any], name: str) -> Iterator[Object]:
    for row in rows:
        if not isinstance(row, dict):
            raise FileInvalidError(f"The array {name!r} holds more than objects.")
        yield row


def _is_by_column(value: Object) -> bool:
    """Are the values arrays of one length, and not all arrays of objects?"""
    lists = list(value.values())
    if not lists or not all(isinstance(v, list) for v in lists) or len({len(v) for v in lists}) != 1:
        return False
    if len(lists) > 1 and not all(_holds_rows(v) for v in lists):
        return True
    return not all(isinstance(v, dict) for v in lists[0])


def _holds_rows(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(row, dict) for row in value)


def _find_listed_rows(value: Object) -> Iterator[Object] | None:
    """Find rows that are arrays beside an array of their names: `{"columns": ["a"], "data": [[1]]}`."""
    for level in (value, *(inner for inner in value.values() if isinstance(inner, dict))):
        lists = [v for v in level.values() if isinstance(v, list) and v and isinstance(v[0], list)]
        if len(lists) != 1 or len({len(row) if isinstance(row, list) else 0 for row in lists[0]}) != 1:
            continue
        width = len(lists[0][0])
        names = next((each for each in _name_lists(value, 0) if len(each) == width), None)
        if names:
            check_width(width)
            return (dict(zip(names, row, strict=True)) for row in lists[0])
    return None


def _name_lists(value: Object, depth: int) -> Iterator[list[str]]:
    """Give the arrays of names within an object."""
    for key, inner in value.items():
        if key in COLUMN_LISTS and (names := _find_column_names(inner)):
            yield names
        elif isinstance(inner, dict) and depth < DEEPEST:
            yield from _name_lists(inner, depth + 1)


def _find_column_names(value: Any) -> list[str] | None:
    if not isinstance(value, list) or not value:
        return None
    names = []
    for each in value:
        name = each.get("name") or each.get("id") or each.get("fieldName") if isinstance(each, Mapping) else each
        if not isinstance(name, str) or name in names:
            return None
        names.append(name)
    return names


def _find_arrays(value: Object, path: str, depth: int) -> Iterator[tuple[str, list[Object]]]:
    """Give the arrays of objects within objects, with their path."""
    for name, inner in value.items():
        at = _join(path, name)
        if _holds_rows(inner):
            yield at, inner
        elif isinstance(inner, dict) and depth < DEEPEST:
            yield from _find_arrays(inner, at, depth + 1)


def _find_keyed_rows(value: Object) -> Iterator[Object] | None:
    """Find rows that are objects with the same names under different keys: `{"a": {"v": 1}, "b": {"v": 2}}`."""
    inner = list(value.values())
    if len(inner) < 2 or not all(isinstance(each, dict) and each for each in inner):
        return None
    names = set(inner[0])
    if not all(set(each) == names for each in inner) or any(isinstance(v, dict) for v in inner[0].values()):
        return None
    if names == {str(number) for number in range(len(names))}:  # columns, as pandas writes them
        rows = sorted(names, key=int)
        return ({column: each[row] for column, each in value.items()} for row in rows)
    return ({"key": key} | each for key, each in value.items())


def _pick(found: Mapping[str, list[Object]], part: str | int | None) -> str:
    if part is not None:
        return list(found)[pick_name(list(found), part, "array of objects", ".")]
    if len(found) == 1:
        return next(iter(found))
    for name in USUAL:
        named = [path for path in found if path.rpartition(".")[2] == name]
        if len(named) == 1:
            return named[0]
    listed = ", ".join(map(repr, list(found)[:20]))
    raise FileInvalidError(
        f"There are {len(found)} arrays of objects: {listed}. Name one in `sheet`.", option="sheet"
    )
