"""Encodings that only the letters of a language tell."""

import pytest

from sqlchat.files.encodings import guess_eight_bit


@pytest.mark.parametrize(
    ("text", "codec"),
    [
        ("Große Gasse, Köln", "cp1252"),
        ("São Paulo, Conceição, Dispõe", "cp1252"),
        ("Göteborg, Malmö, Åre", "cp1252"),
        ("Þórður, Ísafjörður, Sigríður", "cp1252"),
        ("Çamaşır, İstanbul, Muğla, Şırnak", "cp1254"),
        ("Győző, Székesfehérvár, Ernő", "cp1250"),
        ("Jiří, Plzeň, Božena, Třebíč", "cp1250"),
        ("Łódź, Kraków, Gdańsk", "iso8859_2"),
        ("Šiauliai, Klaipėda, Panevėžys", "cp1257"),
        ("Москва, Санкт-Петербург", "cp1251"),
        ("Москва, Санкт-Петербург", "koi8_r"),
        ("Αθήνα, Θεσσαλονίκη", "cp1253"),
        ("Άννα, Αθήνα, Θεσσαλονίκη", "iso8859_7"),
        ("สมชาย, กรุงเทพ, เชียงใหม่", "cp874"),
        ("김철수, 서울, 이영희, 부산", "cp949"),
        ("Käse 5 €, Brötchen 3 €", "iso8859_15"),
        ("דוד, חיפה, שרה, ירושלים", "cp1255"),
        ("Köln, Nürnberg, Äußerer Weg", "cp850"),
        ("25 °C, 5 £", "cp1252"),
    ],
)
def test_letters_tell_the_encoding(text, codec):
    content = text.encode(codec)
    assert content.decode(guess_eight_bit(content)) == text


def test_utf_32_says_what_it_is(profiled):
    found = profiled("name;wert\nMüller;1\n".encode("utf-32"))
    assert (found["row_count"], found["by_name"]["name"]["max"]) == (1, "Müller")
