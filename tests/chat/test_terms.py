"""Which business terms a question uses."""

import time

import pytest

from sqlchat.chat.terms import MOST_TERMS, TermIndex
from sqlchat.store.knowledge import Term

TERMS = (
    Term("active customer", "ordered lately", synonyms=("live client", "regular")),
    Term("MRR", "money", synonyms=("monthly recurring revenue",)),
    Term("IT", "a department"),
    Term("email", "an address"),
    Term("e-mail bounce", "an address that failed"),
    Term("churn", "customers who left"),
    Term("customer order", "an order"),
    Term("county", "part of a state"),
    Term("net revenue", "without VAT"),
    Term("Q4", "October to December"),
    Term("活動顧客", "ordered lately"),
    Term("우수 고객", "ordered often"),
    Term("Größe", "size"),
    Term("shipping", "on its way"),
    Term("C++ team", "a team"),
    Term("time on site", "minutes"),
)


@pytest.fixture(scope="module")
def index():
    return TermIndex(TERMS)


@pytest.mark.parametrize(
    ("question", "terms"),
    [
        ("How many active customers do we have?", ["active customer"]),
        ("customers who are still active", ["active customer"]),
        ("ACTIVE CUSTOMER's orders", ["active customer", "customer order"]),
        ("actve custmers by month", ["active customer"]),
        ("live clients per country", ["active customer"]),
        ("list the regulars", ["active customer"]),
        ("mrr by month", ["MRR"]),
        ("Monthly recurring revenues", ["MRR"]),
        ("What does IT spend?", ["IT"]),
        ("e-mail addresses", ["email"]),
        ("e mails sent", ["email"]),
        ("email bounces", ["email", "e-mail bounce"]),
        ("Who churned in May?", ["churn"]),
        ("revenue net of tax", ["net revenue"]),
        ("sales in q4", ["Q4"]),
        ("先月の活動顧客は何人", ["活動顧客"]),
        ("우수 고객은 몇 명", ["우수 고객"]),
        ("gröSSe der Pakete", ["Größe"]),
        ("GROSSE", ["Größe"]),
        ("shipped parcels", ["shipping"]),
        ("people in the C++ team", ["C++ team"]),
        ("average time on the site", ["time on site"]),
    ],
)
def test_a_question_uses_a_term_in_any_of_its_forms(index, question, terms):
    assert [term.term for term in index.find_matching(question)] == terms


@pytest.mark.parametrize(
    "question",
    [
        "inactive customers",
        "interactive customer",
        "Is it in stock?",
        "custom orders",
        "customers per country",  # a word of its own, not a typo of county
        "revenue of the internet shop",
        "sales in Q3",
        "churches",
        "active campaigns that brought the biggest number of new customers last year",
        "",
        "?",
        "日本",
    ],
)
def test_a_question_does_not_use_a_term_that_is_merely_like_its_words(index, question):
    assert index.find_matching(question) == ()


def test_a_term_of_which_one_word_is_missing_is_not_used(index):
    assert index.find_matching("active suppliers, revenue") == ()


def test_of_many_terms_the_longer_ones_are_kept_in_the_order_in_which_they_were_told():
    terms = [Term(f"word{n}", "one word") for n in range(MOST_TERMS + 5)] + [Term("long phrase here", "three words")]
    question = " ".join(term.term for term in terms)
    found = TermIndex(terms).find_matching(question)
    assert found == (*terms[: MOST_TERMS - 1], terms[-1])


def test_no_terms_match_nothing():
    assert TermIndex(()).find_matching("How many active customers?") == ()


def test_the_longest_question_over_the_most_terms_is_looked_at_within_a_bound():
    words = [f"{a}{b}{c}ation" for a in "bcdfglmnprst" for b in "aeiou" for c in "bdfgklmnprst"]
    terms = [Term(word, "x", synonyms=tuple(f"{word} {other}" for other in words[:20])) for word in words[:200]]
    index = TermIndex(terms)
    question = " ".join(f"{word}x" for word in words)[:4000]
    start = time.thread_time()
    index.find_matching(question)
    assert time.thread_time() - start < 2
