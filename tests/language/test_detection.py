"""Questions in other languages, and English ones that only look so."""

import pytest

from sqlchat.language.detection import foreign_language


@pytest.mark.parametrize(
    ("question", "language"),
    [
        ("Welche Kunden haben die meisten Bestellungen?", "German"),
        ("Wie hoch ist der Umsatz pro Monat?", "German"),
        ("Quel est le chiffre d'affaires par mois ?", "French"),
        ("Combien de commandes avons-nous ?", "French"),
        ("¿Cuál es el total de ventas por mes?", "Spanish"),
        ("Muestra los clientes de Madrid", "Spanish"),
        ("How many orders were placed in Los Angeles by la Casa?", None),
        ("total per month", None),
        ("orders in Baden die Stadt", None),
        ("list the pages of each book", None),
        ("", None),
    ],
)
def test_the_language_is_told_by_its_little_words(question: str, language: str | None) -> None:
    assert foreign_language(question) == language
