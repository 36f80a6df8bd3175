"""Nouns for the rows of one table, rates, and averages per thing, which the composer reads."""

import pytest

from sqlchat.errors import QuestionError

QUARRY = """
CREATE TABLE "Pit Log 2025" ("Docket No" INTEGER, "Hauled On" DATE, "Lorry" TEXT, "Material" TEXT, "Tonnes" REAL,
    "Customer" TEXT, "Fault" TEXT, "Status" TEXT, "Weighed Twice" BOOLEAN);
INSERT INTO "Pit Log 2025" VALUES
    (1, '2025-03-03', 'L1', 'sand', 10.0, 'Bexbuild', NULL, 'delivered', 0),
    (2, '2025-03-04', 'L1', 'sand', 12.0, 'Morrow', 'spill', 'rejected', 1),
    (3, '2025-03-04', 'L2', 'gravel', 20.0, 'Bexbuild', NULL, 'delivered', 0),
    (4, '2025-10-06', 'L2', 'sand', 8.0, 'Bexbuild', 'flat tyre', 'on hold', 0),
    (5, '2024-10-07', 'L2', 'gravel', 22.0, 'Morrow', NULL, 'delivered', 1);
"""
SAILING = """
CREATE TABLE skippers (id INTEGER PRIMARY KEY, name TEXT);
CREATE TABLE pupils (id INTEGER PRIMARY KEY, name TEXT, town TEXT);
CREATE TABLE exams (id INTEGER PRIMARY KEY, pupil_id INTEGER REFERENCES pupils(id),
    skipper_id INTEGER REFERENCES skippers(id), sat_on DATE, passed BOOLEAN, outcome TEXT);
CREATE TABLE outings (id INTEGER PRIMARY KEY, pupil_id INTEGER REFERENCES pupils(id), booker_id INTEGER
    REFERENCES skippers(id), went_on DATE, asked_at DATE, sailed_at DATE, state TEXT);
INSERT INTO skippers VALUES (1, 'Ola'), (2, 'Per');
INSERT INTO pupils VALUES (1, 'Kim', 'Molde'), (2, 'Liv', 'Molde'), (3, 'Nils', 'Bergen');
INSERT INTO exams VALUES (1, 1, 1, '2025-05-01', 1, 'fine'), (2, 2, 1, '2025-05-02', 0, 'poor'),
    (3, 3, 2, '2025-06-01', 1, 'fine'), (4, 1, 2, '2025-06-02', NULL, NULL);
INSERT INTO outings VALUES (1, 1, 1, '2025-05-05', '2025-05-01', '2025-05-05', 'sailed'),
    (2, 1, 1, '2025-05-06', '2025-05-04', '2025-05-06', 'sailed'),
    (3, 1, 2, '2025-05-07', '2025-05-01', NULL, 'no_show'),
    (4, 2, 2, '2025-05-08', '2025-05-02', NULL, 'called off');
"""
RIGHT = [
    # the rows of one table
    (QUARRY, "how many loads went to Bexbuild", [(3,)]),
    (QUARRY, "loads per lorry", [("L1", 2), ("L2", 3)]),
    (QUARRY, "how many jobs did we do in March", [(3,)]),
    (QUARRY, "average tonnes of a sand load", [(10.0,)]),
    (QUARRY, "how many loads are still on hold", [(1,)]),
    (QUARRY, "which lorry hauled the most sand", [("L1", 22.0)]),
    (QUARRY, "average number of loads per month", [(5 / 3,)]),
    (QUARRY, "avarage tonnes per lorry", [("L1", 11.0), ("L2", 50 / 3)]),
    (QUARRY, "busiest month", [("2025-03", 3)]),
    # rows with something in a column
    (QUARRY, "how many faults in March", [(1,)]),
    (QUARRY, "fault rate per lorry", [("L1", 50.0), ("L2", 100 / 3)]),
    (QUARRY, "customers without any fault ever", []),
    # rates and shares
    (QUARRY, "rejection rate per material", [("sand", 100 / 3), ("gravel", 0.0)]),
    (QUARRY, "which lorry has the highest rejection rate", [("L1", 50.0)]),
    (QUARRY, "what percentage of sand loads were rejected", [(100 / 3,)]),
    (SAILING, "pass rate per skipper", [("Ola", 50.0), ("Per", 50.0)]),
    (SAILING, "which skipper has the lowest pass rate", 1),
    (SAILING, "failure rate by town", [("Molde", 50.0), ("Bergen", 0.0)]),
    (SAILING, "no-show rate per pupil", [("Kim", 100 / 3), ("Liv", 0.0)]),
    (SAILING, "pupils with a no-show rate above 20 percent", [("Kim", 100 / 3)]),
    # averages per thing, and roles of keys
    (SAILING, "average number of outings per pupil", [(2.0,)]),
    (SAILING, "how many outings does a pupil take on average", [(2.0,)]),
    (SAILING, "which 2 bookers have the most outings", [("Ola", 2), ("Per", 2)]),
    (SAILING, "who has at least 2 outings", [("Kim",)]),
]
REFUSED = [
    (QUARRY, "how many refunds in March"),
    (QUARRY, "how many calls did we get in March"),
    (QUARRY, "how many drivers do we have"),
    (QUARRY, "how many loads were stolen in March"),
    (QUARRY, "delay rate per lorry"),
    (QUARRY, "fault cost per lorry"),
    (SAILING, "how many boats do we have"),
    (SAILING, "accident rate per skipper"),
]


@pytest.mark.parametrize(("script", "question", "rows"), RIGHT, ids=[question for _, question, _ in RIGHT])
def test_it_reads_nouns_of_rows_and_rates(asking, script, question, rows):
    _, answer = asking(script, question)
    if isinstance(rows, int):
        assert len(answer) == rows
        return
    assert len(answer) == len(rows)
    for given, wanted in zip(sorted(answer), sorted(rows), strict=True):
        assert given == pytest.approx(wanted)


@pytest.mark.parametrize(("script", "question"), REFUSED, ids=[question for _, question in REFUSED])
def test_a_noun_for_what_is_not_in_the_table_is_refused(asking, script, question):
    with pytest.raises(QuestionError):
        asking(script, question)


@pytest.mark.parametrize(
    ("question", "told"),
    [
        ("how many loads went to Bexbuild", '"loads" is read as the rows of Pit Log 2025.'),
        ("how many faults in March", '"faults" is read as the rows of Pit Log 2025 with a Fault.'),
        ("avarage tonnes per lorry", '"avarage" is read as "average".'),
        ("how many faults in October", "October 2025"),
        ("average number of loads per month", "Months without Pit Log 2025 are left out of the average."),
    ],
)
def test_what_a_noun_was_read_as_is_told(asking, question, told):
    draft, _ = asking(QUARRY, question)
    assert any(told in text for text in draft.assumptions), draft.assumptions


def test_a_month_without_its_year_is_the_last_one_that_has_begun(asking):
    _, last = asking(QUARRY, "how many loads in October")
    _, first = asking(QUARRY, "how many loads in October 2024")
    _, coming = asking(QUARRY, "how many loads in December")
    assert (last, first, coming) == ([(1,)], [(1,)], [(0,)])
