"""Dates and times in the usual formats, beside Python's own strptime."""

import re
from datetime import datetime

import pyarrow as pa
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from sqlchat.files import dates
from sqlchat.files.readings import READINGS

FORMATS = [
    reading.format
    for reading in READINGS.values()
    if "%d" in (reading.format or "") and reading.notation is None and "," not in reading.format[9:]
]


def strptime(text, format):
    try:
        return datetime.strptime(text, format)
    except ValueError:
        return None


def read(texts, format):
    found = dates.read(pa.array(texts, pa.string()), format)
    return found and found[0].to_pylist()


@st.composite
def nearly(draw):
    """A format, and a text that fits it, or would but for a little."""
    format = draw(st.sampled_from(FORMATS))
    text = draw(st.datetimes()).strftime(format)
    if draw(st.booleans()):
        text = text.replace("/0", "/").replace(".0", ".").replace("-0", "-").removeprefix("0")
    if draw(st.booleans()):
        place = draw(st.integers(0, len(text)))
        instead = draw(st.sampled_from([*"0123456789/.-:,aApPmMjJ", "  ", "", "\u0663", "\0"]))
        text = text[:place] + instead + text[place + draw(st.integers(0, 2)) :]
    return format, draw(st.sampled_from([text, text.upper(), text.lower()]))


@settings(max_examples=1500, deadline=None)
@given(nearly())
@example(("%d.%m.%Y", "29.02.2023"))
@example(("%d.%m.%Y", "29.02.2024"))
@example(("%d.%m.%Y", "31.12.9999"))
@example(("%d.%m.%Y", "01.01.0000"))
@example(("%d.%m.%Y", "1.1.20245"))
@example(("%d.%m.%Y", "1.1.202"))
@example(("%d.%m.%Y", "1.1."))
@example(("%d/%m/%Y %H:%M:%S.%f", "1/2/2024 10:00:00."))
@example(("%d/%m/%Y %I:%M %p", "1/2/2024 12:00 am"))
def test_what_fits_is_what_strptime_reads(case):
    format, text = case
    assume(text and not re.search(r"^ |[-/.] ", text))  # strptime reads a blank for the first digit of a day,
    assume(not re.search(r"\.\d{7}", text))  # nothing finer than microseconds
    assume(format != "%Y%m%d" or len(text) == 8)  # strptime reads seven digits, of which one is a month
    assume(not re.search(r"[ap]\.|m\.", text.lower()))  # and no a.m.
    expected = strptime(text, format) if text.isascii() else None
    assert read([text], format) == (expected and [expected])


def test_texts_of_different_lengths(subtests):
    days = [datetime(1999 + n % 40, 1 + n % 12, 1 + n % 28, n % 24, n % 60, n % 59) for n in range(840)]
    for format in FORMATS:
        with subtests.test(format):
            texts = [day.strftime(format) for day in days]
            if "%y" not in format:
                texts[1::2] = [text.replace("/0", "/").removeprefix("0") for text in texts[1::2]]
            assert read(texts, format) == [datetime.strptime(text, format) for text in texts]
            assert read([*texts, "never"], format) is None
            assert read(["never", *texts], format) is None


def test_a_time_without_a_date_counts_from_midnight():
    assert read(["00:00:01", "23:59:59"], "%H:%M:%S") == [
        datetime(1970, 1, 1, 0, 0, 1),
        datetime(1970, 1, 1, 23, 59, 59),
    ]


def test_leap_seconds_do_not_fit():
    assert read(["31/12/2016 23:59:60"], "%d/%m/%Y %H:%M:%S") is None


@pytest.mark.parametrize(("fraction", "microseconds", "cut"), [("5", 500_000, False), ("1234567", 123_456, True)])
def test_what_is_finer_than_microseconds_is_cut(fraction, microseconds, cut):
    found = dates.read(pa.array([f"1/2/2024 10:00:00.{fraction}"]), "%d/%m/%Y %H:%M:%S.%f")
    assert found[0].to_pylist() == [datetime(2024, 2, 1, 10, 0, 0, microseconds)]
    assert found[1] is cut


def test_blanks_without_end_do_not_fit():
    assert read(["1/2/2024" + " " * 8 + "10:05"], "%d/%m/%Y %H:%M") == [datetime(2024, 2, 1, 10, 5)]
    assert read(["1/2/2024" + " " * 100_000 + "10:05"], "%d/%m/%Y %H:%M") is None


@pytest.mark.parametrize("half", ["p.m.", "P.M.", "pm", "PM"])
def test_halves_of_a_day(half):
    assert read([f"1/2/2024 2:30 {half}"], "%d/%m/%Y %I:%M %p") == [datetime(2024, 2, 1, 14, 30)]
    assert read([f"1/2/2024 2:30 {half[:-2]}"], "%d/%m/%Y %I:%M %p") is None
