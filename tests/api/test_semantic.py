"""Over HTTP: semantic documents as dbt writes them bring terms, references, descriptions and notes.

`tests/parts/semantic/*.json` are `target/osi_document.json` of dbt-core 1.12.6 (with dbt-duckdb 1.11.1 and metricflow
0.213.0): `dbt parse` over the YAML file beside each, with a model of one SELECT for every `ref`. dbt writes neither
synonyms nor instructions; the document `SPOKEN` has them as metricflow's `converters/models.py` declares them.
"""

import dataclasses
import json
import uuid
from pathlib import Path

import duckdb
import pytest

from sqlchat.app import create_app

PARTS = Path(__file__).parents[1] / "parts" / "semantic"
BAKERY, SHOP = (json.loads((PARTS / f"{name}.json").read_text("utf-8")) for name in ("bakery", "shop"))
TABLES = """
CREATE TABLE sales (
  sale_id INTEGER PRIMARY KEY, shop_id INTEGER, status VARCHAR, sold_on DATE, pieces INTEGER, price DOUBLE
);
CREATE TABLE shops (shop_id INTEGER PRIMARY KEY, town VARCHAR, kind VARCHAR);
INSERT INTO shops VALUES (1, 'Old Town', 'own'), (2, 'Harbour', 'franchise');
INSERT INTO sales VALUES (1, 1, 'sold', '2023-12-30', 2, 3.0), (2, 1, 'sold', '2024-01-05', 10, 2.0),
  (3, 2, 'returned', '2024-02-01', 1, 4.0);
"""


def expression(sql, dialect="ANSI_SQL"):
    return {"dialects": [{"dialect": dialect, "expression": sql}]}


SPOKEN = {
    "version": "0.1.0",
    "vendors": ["COMMON"],
    "semantic_model": [
        {
            "name": "bakery",
            "description": "Everything that our bakeries sell.",
            "ai_context": {"instructions": "Leave out days of closing.", "examples": ["What sold best?"]},
            "datasets": [
                {
                    "name": "branches",
                    "source": "lake.main.shops",
                    "primary_key": ["shop_id"],
                    "ai_context": {"synonyms": ["stores", "outlets"], "instructions": "Two are closed."},
                    "fields": [
                        {
                            "name": "kind",
                            "expression": expression("kind"),
                            "ai_context": {"synonyms": ["ownership"]},
                            "custom_extensions": [{"vendor_name": "SALESFORCE", "data": "{}"}],
                        },
                        {"name": "cube", "expression": expression("[Shops].[All]", "MDX")},
                    ],
                },
                {"name": "staff", "source": "main.staff"},
            ],
            "relationships": [
                {"name": "r", "from": "branches", "to": "staff", "from_columns": ["shop_id"], "to_columns": ["id"]}
            ],
            "metrics": [
                {
                    "name": "branch_count",
                    "expression": expression("COUNT(DISTINCT branches.shop_id)"),
                    "ai_context": {"synonyms": ["number of stores"], "instructions": "Closed ones count."},
                    "owner": "finance",
                }
            ],
        }
    ],
}


@pytest.fixture
def bakery(client, settings):
    name = f"c{uuid.uuid4().hex[:12]}"
    with duckdb.connect(settings.data_dir / f"{name}.duckdb") as database:
        database.execute(TABLES)
    body = {"provider": "duckdb", "name": name, "config": {"database": f"{name}.duckdb"}}
    assert client.post("/api/connections", json=body).status_code == 201
    return f"/api/connections/{name}"


@pytest.fixture
def demo(client):
    path = "/api/connections/demo"
    yield path
    client.delete(f"{path}/context/semantic")
    client.put(f"{path}/context", json={})


def put(client, path, document):
    answer = client.put(f"{path}/context/semantic", json=document)
    assert answer.status_code == 200, answer.text
    return answer.get_json()


def sql_of(told):
    return {each["term"]: each["sql"] for each in told["mapped"]["terms"]}


def reasons(told):
    return {each["path"]: each["reason"] for each in told["unmapped"]}


def compute(client, path, expression, tables="sales"):
    body = {"connection_id": path.rpartition("/")[2], "sql": f"SELECT {expression} FROM {tables}"}
    answer = client.post("/api/execute", json=body)
    assert answer.status_code == 200, answer.text
    return answer.get_json()["results"]["rows"]


def table(client, path, name):
    tables = client.get(f"{path}/schema").get_json()["tables"]
    return next(each for each in tables if each["name"] == name)


def refused(answer, status):
    body = answer.get_json(force=True)
    assert (answer.status_code, answer.mimetype) == (status, "application/problem+json"), answer.text
    return body


def test_metrics_become_terms_whose_sql_computes_them(client, bakery):
    found = sql_of(put(client, bakery, BAKERY))
    assert compute(client, bakery, found["turnover"]) == [[30.0]]
    assert compute(client, bakery, found["kept turnover"]) == [[26.0]]
    assert compute(client, bakery, found["share kept"]) == [[26 / 30]]
    assert compute(client, bakery, found["receipts"]) == [[3]]
    assert compute(client, bakery, found["middle price"]) == [[3.0]]
    assert compute(client, bakery, found["pieces since 2024"]) == [[11]]
    assert compute(client, bakery, found["is large"]) == [[False], [True], [False]]


def test_a_dimension_of_another_dataset_says_how_it_is_joined(client, bakery):
    told = put(client, bakery, BAKERY)
    assert sql_of(told)["own turnover"] == "SUM(CASE WHEN shops.kind = 'own' THEN sales.pieces * sales.price END)"
    (term,) = [each for each in told["mapped"]["terms"] if each["term"] == "own turnover"]
    assert "sales.shop_id = shops.shop_id" in term["definition"]
    joined = "sales LEFT JOIN shops ON sales.shop_id = shops.shop_id"
    assert compute(client, bakery, term["sql"], joined) == [[26.0]]


def test_descriptions_and_relationships_are_in_the_schema(client, bakery):
    put(client, bakery, BAKERY)
    sales = table(client, bakery, "sales")
    assert sales["comment"] == "One line of a receipt."
    assert {column["name"]: column["comment"] for column in sales["columns"] if column["comment"]} == {
        "sold_on": "The day of the receipt.",
        "status": "sold, or given back",
    }
    assert [(key["columns"], key["ref_table"], key["source"]) for key in sales["foreign_keys"]] == [
        (["shop_id"], "shops", "owner")
    ]


def test_the_document_of_an_entity_that_is_called_like_a_column(client, demo):
    """`order_id__status` is the status of an order, also where the metric is about the lines of orders."""
    told = put(client, demo, SHOP)
    found = sql_of(told)
    lines = "order_lines JOIN orders ON order_lines.order_id = orders.id JOIN customers ON customers.id = customer_id"
    assert found["completed revenue"].startswith(
        "SUM(CASE WHEN orders.status = 'completed' THEN order_lines.quantity"
    )
    right = "SUM(quantity * unit_price * (1 - discount))"
    for term, condition in (
        ("completed revenue", "status = 'completed'"),
        ("corporate revenue", "segment = 'Corporate'"),
    ):
        ((expected,),) = compute(client, demo, right, f"{lines} WHERE {condition}")
        assert compute(client, demo, found[term], lines) == [[pytest.approx(expected)]]
    assert compute(client, demo, found["cancelled orders"], "orders") == compute(
        client, demo, "COUNT(*)", "orders WHERE status = 'cancelled'"
    )
    assert compute(client, demo, found["orders in 2024"], "orders") == compute(
        client, demo, "COUNT(*)", "orders WHERE order_date LIKE '2024-%'"
    )
    assert reasons(told)["semantic_model.0.metrics.5"].startswith(
        "Rows of orders would be added up once for each row"
    )
    assert reasons(told)["semantic_model.0.datasets.3"].startswith("The database holds no table")


def test_a_metric_answers_without_a_model(client, demo):
    put(client, demo, SHOP)
    asked = {"connection_id": "demo", "prompt": "net revenue for each status", "provider": "offline"}
    answer = client.post("/api/chat", json=asked).get_json()
    assert answer["terms_used"] == ["net revenue"]
    right = "SELECT status, SUM(quantity * unit_price * (1 - discount)) FROM order_lines JOIN orders ON order_id = id"
    rows = client.post("/api/execute", json={"connection_id": "demo", "sql": f"{right} GROUP BY 1"}).get_json()
    assert {row[0]: round(row[1], 2) for row in answer["results"]["rows"]} == {
        row[0]: round(row[1], 2) for row in rows["results"]["rows"]
    }


def test_synonyms_and_instructions_are_taken_and_what_cannot_be_is_told(client, bakery):
    told = put(client, bakery, SPOKEN)
    terms = {each["term"]: each for each in told["mapped"]["terms"]}
    assert terms["branches"].items() >= {"sql": None, "synonyms": ["stores", "outlets"]}.items()
    assert terms["ownership"].items() >= {"sql": "shops.kind", "definition": "The column shops.kind."}.items()
    assert terms["branch count"]["synonyms"] == ["number of stores"]
    assert terms["branch count"]["definition"] == "Closed ones count."
    assert told["mapped"]["notes"].splitlines() == [
        "Everything that our bakeries sell.",
        "Leave out days of closing.",
        "shops: Two are closed.",
    ]
    at = "semantic_model.0"
    assert reasons(told).keys() == {
        f"{at}.ai_context.examples",
        f"{at}.datasets.1",
        f"{at}.relationships.0",
        f"{at}.metrics.0.owner",
        f"{at}.datasets.0.fields.0.custom_extensions",
        f"{at}.datasets.0.fields.1",
    }


def test_the_document_is_given_back_as_it_was(client, bakery):
    put(client, bakery, SPOKEN)
    assert client.get(f"{bakery}/context/semantic").get_json() == SPOKEN


def test_a_second_document_replaces_the_first_and_leaves_what_people_wrote(client, bakery):
    mine = {"notes": "By hand.", "terms": [{"term": "Turnover", "definition": "As finance counts it."}]}
    client.put(f"{bakery}/context", json=mine)
    put(client, bakery, BAKERY)
    put(client, bakery, SPOKEN)
    assert table(client, bakery, "sales")["comment"] == ""
    context = client.get(f"{bakery}/context").get_json()
    assert (context["notes"], [each["definition"] for each in context["terms"]]) == (
        "By hand.",
        ["As finance counts it."],
    )
    client.put(f"{bakery}/context", json={"notes": "Anew."})
    assert client.get(f"{bakery}/context/semantic").get_json() == SPOKEN


def test_a_term_that_a_person_wrote_is_told_to_hide_that_of_the_document(client, bakery):
    first = put(client, bakery, BAKERY)
    name = first["mapped"]["terms"][0]["term"]
    own = {"term": name.upper(), "definition": "Mine."}
    assert client.put(f"{bakery}/context", json={"notes": "", "terms": [own]}).status_code == 200
    again = put(client, bakery, BAKERY)
    told = [each for each in again["unmapped"] if each not in first["unmapped"]]
    assert [each["reason"] for each in told] == [f"Your own term {name!r} is used in place of this one."]


def test_it_is_forgotten_with_all_that_it_brought(client, bakery):
    client.put(f"{bakery}/context", json={"notes": "By hand."})
    put(client, bakery, BAKERY)
    gone = client.delete(f"{bakery}/context/semantic")
    assert (gone.status_code, gone.get_json()) == (200, {"status": "deleted"})
    for call in (client.get, client.delete):
        assert refused(call(f"{bakery}/context/semantic"), 404)["code"] == "semantic_model_not_found"
    assert (table(client, bakery, "sales")["comment"], table(client, bakery, "sales")["foreign_keys"]) == ("", [])
    assert client.get(f"{bakery}/context").get_json()["notes"] == "By hand."


def test_the_policy_hides_what_a_document_says(client, bakery):
    client.patch(bakery, json={"policy": {"deny_columns": ["sales.price"], "deny_tables": ["shops"]}})
    told = put(client, bakery, BAKERY)
    assert set(sql_of(told)) == {"pieces since 2024", "receipts", "State", "is large", "sold pieces", "shop"}
    assert told["mapped"]["references"] == []
    assert "semantic_model.0.datasets.1" in reasons(told)


def metric(sql, dialect="ANSI_SQL"):
    document = json.loads(json.dumps(BAKERY))
    document["semantic_model"][0]["metrics"] = [{"name": "m", "expression": expression(sql, dialect)}]
    return document


@pytest.mark.parametrize(
    ("sql", "reason"),
    [
        ("SUM(", "missing in line"),
        ("(SELECT MAX(price) FROM sales)", "no expression over columns"),
        ("1); DROP TABLE sales; --", ""),
        ("SUM(sales.weight)", "no field or column 'weight'"),
        ("SUM(stock.pieces)", "no dataset 'stock'"),
        ("SUM(weight)", "has 'weight'"),
        ("MAX(shop_id)", "may be of branches or sales"),
        ("SUM(CASE WHEN nothing__kind2 = 1 THEN pieces END)", "nothing__kind2"),
        ("SUM(read_text('/etc/passwd'))", ""),
        ("SUM(sales.pieces) / COUNT(branches.kind)", "Rows of branches would be added up"),
        ("SUM(sales.status)", ""),
        ("COUNT(*)", "names no dataset"),
        (7, "no expression in an SQL dialect"),
    ],
)
def test_a_metric_that_cannot_be_computed_is_told_with_its_reason(client, bakery, sql, reason):
    told = put(client, bakery, metric(sql))
    assert "m" not in sql_of(told)
    assert reason in reasons(told)["semantic_model.0.metrics.0"]


@pytest.mark.parametrize(
    ("sql", "value"),
    [
        ("MAX(sales.sold_on)", "2024-02-01"),
        ("SUM(CASE WHEN sale__sold_on__year = 2024 THEN pieces END)", 11),
        ("SUM(CASE WHEN sale__sold_on__month >= '2024-02-01' THEN pieces END)", 1),
        ("COUNT(DISTINCT branches.town)", 2),
        ("SUM(CASE WHEN shop__place = 'Harbour' THEN pieces ELSE 0 END)", 1),
        ("SUM(CASE WHEN sale__shop__kind = 'own' THEN pieces END)", 12),
        ("COUNT(CASE WHEN sale__is_large THEN sale_id END)", 1),
    ],
)
def test_names_of_entities_dimensions_and_grains_are_resolved(client, bakery, sql, value):
    found = sql_of(told := put(client, bakery, metric(sql))).get("m")
    assert found, told["unmapped"]
    joined = "sales LEFT JOIN shops ON sales.shop_id = shops.shop_id"
    assert compute(client, bakery, found, joined) == [[value]]


def test_a_metric_whose_window_or_offset_dbt_left_out_is_told(client, bakery):
    """dbt writes a cumulative metric as its base, and an offset input as if it had none."""
    document = json.loads(json.dumps(BAKERY))
    metrics = document["semantic_model"][0]["metrics"]
    (running,) = [place for place, each in enumerate(metrics) if each["name"] == "running_turnover"]
    metrics += [
        {"name": "growth", "expression": expression("(SUM(pieces * price) - SUM(pieces * price)) / SUM(pieces)")},
        {"name": "pieces_ytd", "expression": expression("SUM(pieces * 1)")},
        {"name": "rolling_pieces", "expression": expression("SUM(pieces) OVER (ORDER BY sold_on)")},
    ]
    told = put(client, bakery, document)
    why = reasons(told)
    assert "that of 'turnover'" in why[f"semantic_model.0.metrics.{running}"]
    assert "an offset in time" in why[f"semantic_model.0.metrics.{running + 1}"]
    assert "speaks of a period" in why[f"semantic_model.0.metrics.{running + 2}"]
    assert {"turnover", "rolling pieces"} <= set(sql_of(told))
    assert not {"running turnover", "growth", "pieces ytd"} & set(sql_of(told))


def test_a_synonym_names_one_term_alone(client, bakery):
    document = json.loads(json.dumps(SPOKEN))
    model = document["semantic_model"][0]
    model["metrics"].append(
        {"name": "towns", "expression": expression("COUNTIF(town > 'A')", "BIGQUERY")}
        | {"ai_context": {"synonyms": ["Number of Stores", "places"]}}
    )
    told = put(client, bakery, document)
    terms = {each["term"]: each["synonyms"] for each in told["mapped"]["terms"]}
    assert (terms["branch count"], terms["towns"]) == (["number of stores"], ["places"])
    assert reasons(told)["semantic_model.0.metrics.1.ai_context.synonyms"] == (
        "'Number of Stores' names 'branch count' already."
    )


def test_facts_that_share_a_dimension_do_not_refer_to_one_another(client, bakery):
    """dbt relates each two datasets of one entity, also two that only refer to it."""
    document = json.loads(json.dumps(BAKERY))
    model = document["semantic_model"][0]
    model["relationships"] = [
        {"name": "x", "from": "branches", "to": "sales", "from_columns": ["shop_id"], "to_columns": ["shop_id"]}
    ]
    told = put(client, bakery, document)
    assert told["mapped"]["references"] == []
    assert "identifies no row of sales" in reasons(told)["semantic_model.0.relationships.0"]


@pytest.mark.parametrize(
    ("document", "field"),
    [
        ({}, "version"),
        ({"version": "0.2.0", "semantic_model": [SPOKEN["semantic_model"][0]]}, "version"),
        ({"version": "0.1.1", "semantic_model": []}, "semantic_model"),
        ({"version": "0.1.1", "semantic_model": [{"name": "x"}]}, "semantic_model"),
        ({"version": "0.1.1", "semantic_model": [{"name": "x", "datasets": [{"name": "y"}]}]}, "semantic_model"),
        ({"version": "0.1.1", "semantic_model": [{"name": "x", "datasets": ["y"]}]}, "semantic_model"),
        ({"version": 0.1, "semantic_model": 7}, "semantic_model"),
        ({"version": "0.1.1", "semantic_model": [{"name": "x\0", "datasets": []}]}, None),
    ],
)
def test_what_is_no_such_document_is_refused_and_changes_nothing(client, bakery, document, field):
    put(client, bakery, SPOKEN)
    body = refused(client.put(f"{bakery}/context/semantic", json=document), 400)
    assert body["code"] == "payload_invalid"
    assert field is None or field in body["errors"]
    assert client.get(f"{bakery}/context/semantic").get_json() == SPOKEN


def test_without_the_connection_there_is_none(client):
    for call in (client.get, client.delete):
        assert refused(call("/api/connections/none/context/semantic"), 404)["code"] == "connection_not_found"
    answer = client.put("/api/connections/none/context/semantic", json=BAKERY)
    assert refused(answer, 404)["code"] == "connection_not_found"


@pytest.mark.parametrize("odd", [7, "x", [], ["x"], [7], {"dialects": 7}, {"x": 1}, True])
@pytest.mark.parametrize("key", ["expression", "ai_context", "custom_extensions", "datatype", "dimension"])
def test_odd_parts_of_a_document_are_no_fault_of_ours(client, demo, key, odd):
    part = {"name": "status", "expression": expression("status"), key: odd}
    model = {"name": "x", "datasets": [{"name": "orders", "source": "orders", "fields": [part]}], "metrics": [part]}
    answer = client.put(f"{demo}/context/semantic", json={"version": "0.1.1", "semantic_model": [model]})
    assert answer.status_code == 200, answer.text


def test_checks_that_take_too_long_end_in_504_and_leave_the_document_before(client, settings, demo):
    kept = document_of("units", "SUM(quantity)")
    put(client, demo, kept)
    hurried = create_app(dataclasses.replace(settings, semantic_timeout=0.001))
    answer = hurried.test_client().put(f"{demo}/context/semantic", json=document_of("euros", "SUM(unit_price)"))
    hurried.extensions["sqlchat"].close()
    assert (answer.status_code, answer.get_json()["code"]) == (504, "deadline_exceeded")
    assert client.get(f"{demo}/context/semantic").get_json() == kept


def document_of(metric, sql):
    dataset = {"name": "lines", "source": "main.order_lines", "primary_key": ["order_id", "line"]}
    model = {"name": "shop", "datasets": [dataset], "metrics": [{"name": metric, "expression": expression(sql)}]}
    return {"version": "0.1.1", "semantic_model": [model]}
