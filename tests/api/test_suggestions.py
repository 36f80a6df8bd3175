"""A refusal of the built-in engine tells what can be asked instead."""

import pytest


@pytest.mark.parametrize("question", ["Which customers are the happiest?", "How many customers are in Atlantis?"])
def test_a_refusal_offers_questions_that_work(client, question):
    refused = client.post("/api/chat", json={"connection_id": "demo", "prompt": question})
    problem = refused.get_json(force=True)
    assert (refused.status_code, problem["code"]) == (422, "question_not_answerable")
    assert problem["suggestions"]
    for suggestion in problem["suggestions"]:
        asked = client.post("/api/chat", json={"connection_id": "demo", "prompt": suggestion})
        assert asked.status_code == 200, suggestion


@pytest.mark.parametrize(
    "question", ["Wie viele Kunden gibt es?", "Combien de clients y a-t-il?", "¿Cuántos clientes hay?"]
)
def test_questions_in_other_languages_are_told_that_english_is_read(client, question):
    refused = client.post("/api/chat", json={"connection_id": "demo", "prompt": question})
    assert refused.status_code == 422
    assert "English" in refused.get_json(force=True)["detail"]
