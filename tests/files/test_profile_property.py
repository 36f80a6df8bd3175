"""The fast profile says what a plain reading of the same rows says, for any small table."""

import csv
import datetime
import math
import re
from functools import partial

import pyarrow as pa
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from sqlchat.files.analysis import analyze
from sqlchat.files.formats import Block, Part, Table
from sqlchat.files.options import Options
from sqlchat.files.profile import profile

INTEGER = re.compile(r"-?(0|[1-9]\d*)")
REAL = re.compile(r"-?((0|[1-9]\d*)(\.\d*)?|\.\d+)([eE][+-]?\d+)?")
MISSING = {"", "NA", "N/A", "n/a", "#N/A", "NaN", "nan", "None", "none", "null", "NULL", "Null", "-"}

integers = st.integers(-(10**12), 10**12).map(str)
reals = st.decimals(-10_000, 10_000, places=2).map(str)
scientific = st.floats(-1e6, 1e6).map(lambda number: f"{number:.3e}")
codes = st.integers(0, 999).map("{:05}".format)
words = st.sampled_from(["red", "Grün", "a,b", 'say "hi"', "two\nlines", "+1", "0x1F", "1 00", "x" * 30, "xy " * 99])
dates = st.dates(datetime.date(1900, 1, 1), datetime.date(2100, 1, 1)).map(str)
moments = st.datetimes(datetime.datetime(1900, 1, 1), datetime.datetime(2100, 1, 1))
timestamps = st.builds(
    lambda moment, parted, exact: moment.isoformat(parted, "auto" if exact else "minutes"),
    moments,
    st.sampled_from([" ", "T"]),
    st.booleans(),
)
truths = st.sampled_from(["true", "False", "TRUE"])
empty = st.just("")
blank_padded = integers.map(" {} ".format)
missing = st.sampled_from(["NA", "None", "-", "null"])
kinds = [integers, reals, scientific, codes, words, dates, timestamps, truths, empty, blank_padded, missing]


@st.composite
def columns(draw, rows):
    """Mostly one kind of values, with others here and there or from some row on, as real columns have them."""
    usual, rare = draw(st.sampled_from(kinds)), draw(st.sampled_from(kinds))
    turn = draw(st.sampled_from([0, rows // 2, rows - 1, rows]))
    share = draw(st.integers(0, 3))
    return [draw(rare if row >= turn or (share == 0 and row % 7 == 3) else usual) for row in range(rows)]


@st.composite
def tables(draw, most):
    rows = draw(st.integers(1, most))
    return [draw(columns(rows)) for _ in range(draw(st.integers(1, 4)))]


def moment(text):
    """A date and time without zone, or None."""
    if not re.fullmatch(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d(:\d\d(\.\d{1,6})?)?", text):
        return None
    return datetime.datetime.fromisoformat(text)


CODE = re.compile(r"-?\d+[eE]\d+")


def plainly(values):
    """type, nulls, distinct, min, max of a column, by the module csv and one rule after the other."""
    present = [value for value in values if value != ""]
    bare = [value.strip() for value in present]
    spoken = [value for value in bare if value not in MISSING]
    signed = [value.removeprefix("+") for value in spoken]
    if all(map(INTEGER.fullmatch, signed)) and not any(value.startswith("-") for value in signed):
        signed = spoken  # +49 is a code
    if spoken and all(map(REAL.fullmatch, signed)) and not any(map(CODE.fullmatch, signed)):
        spoken = signed
        numbers = [int(v) if INTEGER.fullmatch(v) else float(v) for v in spoken]
        if all(isinstance(number, int) for number in numbers):
            small = all(-(2**31) <= number < 2**31 for number in numbers)
            kind = "INTEGER" if small else "BIGINT"
        else:
            kind = "DOUBLE PRECISION" if any("e" in v.lower() for v in spoken) else "NUMERIC"
        nulls = len(values) - len(numbers)
        return kind, nulls, len(set(map(float, numbers))), min(numbers), max(numbers)
    nulls = len(values) - len(spoken)
    if spoken and set(map(str.lower, spoken)) <= {"true", "false"}:
        lower = [value.lower() for value in spoken]
        return "BOOLEAN", nulls, len(set(lower)), min(lower), max(lower)
    if spoken and all(re.fullmatch(r"\d{4}-\d\d-\d\d", value) for value in spoken):
        return "DATE", nulls, len(set(spoken)), min(spoken), max(spoken)
    moments = [moment(value) for value in spoken]
    if spoken and all(moments):
        return "TIMESTAMP", nulls, len(set(moments)), min(moments).isoformat(), max(moments).isoformat()
    nulls = len(values) - len(present)
    by_bytes = sorted(present, key=str.encode)
    least, most = (by_bytes[0], by_bytes[-1]) if by_bytes else (None, None)
    return "TEXT", nulls, len(set(present)), least, most


def shown(value):
    return value[:199] + "…" if isinstance(value, str) and len(value) > 200 else value


def equal(one, other):
    if isinstance(one, float) or isinstance(other, float):
        return math.isclose(one, other, rel_tol=1e-12, abs_tol=1e-12)
    return one == other


def agree(row_count, entries, table):
    assert row_count == len(table[0])
    for number, (values, entry) in enumerate(zip(table, entries, strict=True)):
        kind, nulls, distinct, least, most = plainly(values)
        assert (entry["name"], entry["type"], entry["nulls"]) == (f"column {number}", kind, nulls), values
        assert (entry["distinct"], entry["distinct_is_exact"]) == (distinct, True), values
        assert equal(entry["min"], shown(least)), values
        assert equal(entry["max"], shown(most)), values


@settings(derandomize=True, max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(table=tables(60))
def test_small_files(tmp_path_factory, table):
    table = [*([value.strip() for value in values] for values in table), [f"row {n}" for n in range(len(table[0]))]]
    path = tmp_path_factory.getbasetemp() / "small.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        names = [f"column {number}" for number in range(len(table))]
        csv.writer(file, quoting=csv.QUOTE_ALL).writerows([names, *zip(*table, strict=True)])
    found = profile(str(path), "data.csv", Options(header_row=1))
    agree(found.row_count, found.columns, table)


@settings(derandomize=True, max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@example(table=[["2.311e+05", " 4671317 "]], size=2)
@given(table=tables(120), size=st.integers(1, 40))
def test_tables_of_many_blocks(table, size):
    """Types widen and turn from one block to a later one."""

    def blocks(names):
        for start in range(0, len(table[0]), size):
            stretches = {f"column {number}": values[start : start + size] for number, values in enumerate(table)}
            parts = {name: (part(stretch),) for name, stretch in stretches.items() if name in names}
            yield partial(Block, len(next(iter(stretches.values()))), parts)

    names = [f"column {number}" for number in range(len(table))]
    found = analyze(Table(names, blocks(names), {"delimiter": ","}, again=blocks))
    agree(found.row_count, [column.facts for column in found.columns], table)


def part(texts):
    return Part(pa.array([text for text in texts if text], pa.string()), None, "text")
