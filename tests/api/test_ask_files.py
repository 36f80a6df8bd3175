"""From a file to an answer over HTTP, for one user and for many."""

import gzip
import io
import uuid
from pathlib import Path

import pytest

CUSTOMERS = b"id,name,country\n1,Ann,Germany\n2,Bob,Germany\n3,Cy,France\n"
ORDERS = b"order_id;customer_id;total;ordered\n10;1;1,50;01.02.2024\n11;1;2,25;02.02.2024\n12;3;9,00;13.02.2024\n"
TOLD = "uploads/orders.csv.gz: 'total' is read as numbers written with a decimal comma."
README = (Path(__file__).parents[2] / "README.md").read_text()
FILES = ["uploads/customers.csv", "uploads/orders.csv.gz"]


@pytest.fixture
def upload():
    def send(client, name, content, headers=None, query="upsert=true"):
        data = {"file": (io.BytesIO(content), name)}
        return client.post(f"/api/files/upload?{query}", data=data, headers=headers)

    return send


@pytest.fixture
def sales(client, upload):
    upload(client, "customers.csv", CUSTOMERS)
    upload(client, "orders.csv.gz", gzip.compress(ORDERS))
    payload = {"provider": "files", "name": "sales", "config": {"files": FILES}}
    yield client.post("/api/connections", json=payload)
    client.delete("/api/connections/sales")


def test_upload_connect_ask(client, sales):
    assert (sales.status_code, sales.get_json()) == (
        201,
        {"name": "sales", "provider": "files", "status": {"state": "ready", "warnings": [TOLD]}},
    )
    answer = client.post(
        "/api/chat",
        json={"connection_id": "sales", "prompt": "How many customers are in Germany?", "provider": "offline"},
    ).get_json()
    assert answer["results"]["rows"] == [[2]]
    assert answer["lineage"]["tables_read"] == ["main.customers"]
    assert answer["assumptions"] == []


def test_who_deletes_a_file_is_told_which_connections_read_it(client, upload, sales):
    more = {"provider": "files", "name": "more", "config": {"files": [{"path": FILES[0], "table": "c"}]}}
    assert client.post("/api/connections", json=more).status_code == 201
    upload(client, "unread.csv", CUSTOMERS)
    assert client.delete("/api/files/uploads/unread.csv").get_json() == {"status": "deleted", "warnings": []}
    assert client.delete(f"/api/files/{FILES[0]}").get_json()["warnings"] == [
        f"The connection {name!r} reads this file." for name in ("more", "sales")
    ]
    client.delete("/api/connections/more")


def test_the_example_of_the_readme(client, upload):
    content = (
        b"number;ordered;country;amount\n0017;31.01.2024;Germany;120.50\n0018;02.02.2024;France;80\n"
        b"0019;09.02.2024;Germany;99.90\n"
    )
    upload(client, "orders.csv", content)
    payload = {"provider": "files", "name": "example", "config": {"files": ["uploads/orders.csv"]}}
    assert client.post("/api/connections", json=payload).status_code == 201
    question = "total amount for each country in February 2024"
    answer = client.post("/api/chat", json={"connection_id": "example", "prompt": question}).get_json()
    assert answer["sql"] in README
    assert answer["results"]["rows"] == [["Germany", 99.9], ["France", 80.0]]
    assert '"rows": [["Germany", 99.90], ["France", 80.00]]' in README
    client.delete("/api/connections/example")


def test_it_shows_itself_like_any_connection(client, sales):
    shown = client.get("/api/connections/sales").get_json()
    assert (shown["provider"], shown["dialect"], shown["status"]["state"]) == ("FilesConnection", "duckdb", "ready")
    listed = client.get("/api/connections").get_json()["connections"]
    assert "sales" in {each["name"] for each in listed}


def test_the_schema_has_types_and_inferred_keys(client, sales):
    customers, orders = client.get("/api/connections/sales/schema").get_json()["tables"]
    assert [(column["name"], column["type"]) for column in orders["columns"]] == [
        ("order_id", "INTEGER"),
        ("customer_id", "INTEGER"),
        ("total", "DECIMAL(3,2)"),
        ("ordered", "DATE"),
    ]
    assert orders["foreign_keys"] == [
        {
            "columns": ["customer_id"],
            "ref_schema": "main",
            "ref_table": "customers",
            "ref_columns": ["id"],
            "inferred": True,
            "source": "inferred",
        }
    ]
    assert (customers["primary_key"], customers["row_estimate"]) == (["id"], 3)


def test_a_question_joins_over_an_inferred_key(client, sales):
    answer = client.post(
        "/api/chat",
        json={"connection_id": "sales", "prompt": "number of orders for each country", "provider": "offline"},
    ).get_json()
    assert sorted(answer["results"]["rows"]) == [["France", 1], ["Germany", 2]]
    assert "orders.customer_id refers to customers.id: inferred from names and values." in answer["assumptions"]


def test_a_question_joins_files_over_what_the_owner_says(client, upload):
    upload(client, "tickets.csv", b"id,agent,minutes\n1,ann,5\n2,ann,7\n3,bob,2\n4,,9\n")
    upload(client, "agents.csv", b"agent,team\nann,red\nbob,blue\neve,red\nann,red\n")
    files = ["uploads/tickets.csv", "uploads/agents.csv"]
    client.post("/api/connections", json={"provider": "files", "name": "desk", "config": {"files": files}})
    told = {"references": [{"from": "tickets.agent", "to": "agents.agent"}]}
    assert client.put("/api/connections/desk/context", json=told).status_code == 200
    tables = client.get("/api/connections/desk/schema").get_json()["tables"]
    assert {t["name"]: [key["source"] for key in t["foreign_keys"]] for t in tables} == {
        "tickets": ["owner"],
        "agents": [],
    }
    asked = {"connection_id": "desk", "prompt": "number of tickets with team red", "provider": "offline"}
    answer = client.post("/api/chat", json=asked).get_json()
    assert answer["results"]["rows"] == [[2]]
    client.delete("/api/connections/desk")


def test_a_policy_holds_for_a_file_that_has_changed(client, upload):
    """Also for a column that was not there when the policy was first held against the file."""
    upload(client, "staff.csv", b"id,team\n1,a\n")
    config = {"files": ["uploads/staff.csv"]}
    policy = {"deny_columns": ["staff.salary"]}
    client.post("/api/connections", json={"provider": "files", "name": "staff", "config": config, "policy": policy})
    ask = {"connection_id": "staff", "sql": "SELECT team FROM staff"}
    assert client.post("/api/execute", json=ask).status_code == 200
    upload(client, "staff.csv", b"id,team,salary\n1,a,100\n")
    refused = client.post("/api/execute", json=ask | {"sql": "SELECT salary FROM staff"})
    assert (refused.status_code, refused.get_json()["code"]) == (400, "sql_refused")
    assert "policy" in refused.get_json()["detail"]
    (table,) = client.get("/api/connections/staff/schema").get_json()["tables"]
    assert [column["name"] for column in table["columns"]] == ["id", "team"]


@pytest.mark.parametrize(
    ("config", "facts", "words"),
    [
        ({"files": ["uploads/none.csv"]}, {"file": "uploads/none.csv"}, "There is no file 'uploads/none.csv'"),
        ({"files": ["elsewhere/a.csv"]}, {}, "in no bucket for uploads"),
        ({"files": []}, {}, "The field `files` is a list"),
        ({"files": ["uploads/ragged.csv"]}, {"file": "uploads/ragged.csv", "line": 3}, "Line 3 has 3 fields"),
        (
            {
                "files": [
                    {"path": "uploads/customers.csv", "table": "a"},
                    {"path": "uploads/ragged.csv", "table": "A"},
                ]
            },
            {},
            "same `table`",
        ),
    ],
)
def test_what_does_not_work_is_400_with_the_reason(app, client, sales, config, facts, words):
    ragged = app.extensions["sqlchat"].settings.files_dir / "uploads/ragged.csv"
    ragged.write_bytes(b"a,b\n1,2\n3,4,5\n")  # uploads refuse it
    refused = client.post("/api/connections", json={"provider": "files", "name": "no", "config": config})
    problem = refused.get_json()
    assert (refused.status_code, refused.mimetype, problem["code"]) == (
        400,
        "application/problem+json",
        "connection_failed",
    )
    assert words in problem["detail"]
    assert {key: problem.get(key) for key in ("file", "line") if key in problem} == facts
    assert client.get("/api/connections/no").status_code == 404


def test_users_ask_their_own_files_alone(shared_client, two_users, upload):
    ann, bob = two_users
    answered = upload(shared_client, "mine.csv", b"n\n1\n", ann).get_json()["storage_path"]
    upload(shared_client, "mine.csv", b"n\n2\n", bob)
    for number, path in enumerate((answered, "uploads/mine.csv")):
        name = f"mine{number}"
        payload = {"provider": "files", "name": name, "config": {"files": [path]}}
        assert shared_client.post("/api/connections", json=payload, headers=ann).status_code == 201
        ask = {"connection_id": name, "sql": "SELECT n FROM mine"}
        assert shared_client.post("/api/execute", json=ask, headers=ann).get_json()["results"]["rows"] == [[1]]
        assert shared_client.post("/api/execute", json=ask, headers=bob).status_code == 404
    payload = {"provider": "files", "name": "mine", "config": {"files": ["uploads/mine.csv"]}}
    assert shared_client.post("/api/connections", json=payload, headers=bob).status_code == 201
    ask = {"connection_id": "mine", "sql": "SELECT n FROM mine"}
    assert shared_client.post("/api/execute", json=ask, headers=bob).get_json()["results"]["rows"] == [[2]]


def test_another_user_s_file_is_as_unknown_as_none(shared_client, two_users, upload):
    ann, bob = two_users
    path = upload(shared_client, "private.csv", b"n\n1\n", ann).get_json()["storage_path"]
    owner = path.split("/")[1]
    for tried in (
        path,
        f"uploads/{uuid.uuid4()}/private.csv",
        f"uploads/../{owner}/private.csv",
        "uploads/private.csv",
    ):
        payload = {"provider": "files", "name": "stolen", "config": {"files": [tried]}}
        refused = shared_client.post("/api/connections", json=payload, headers=bob)
        assert refused.status_code == 400
        assert refused.get_json()["detail"] == f"There is no file {tried!r}; upload it first."
    for config in (
        {"files": ["uploads/private.csv"], "folder": owner},
        {"files": ["uploads/private.csv"], "owner": owner},
    ):
        payload = {"provider": "files", "name": "stolen", "config": config}
        assert shared_client.post("/api/connections", json=payload, headers=bob).status_code == 400


def test_callers_without_a_token_see_no_user_s_folder(open_client, two_users, upload):
    ann, _ = two_users
    path = upload(open_client, "private.csv", b"n\n1\n", ann).get_json()["storage_path"]
    upload(open_client, "public.csv", b"n\n2\n")
    for tried in (path, "uploads/private.csv"):
        payload = {"provider": "files", "name": "stolen", "config": {"files": [tried]}}
        assert open_client.post("/api/connections", json=payload).status_code == 400
    payload = {"provider": "files", "name": "public", "config": {"files": ["uploads/public.csv"]}}
    assert open_client.post("/api/connections", json=payload).status_code == 201
    assert open_client.post("/api/connections", json=payload, headers=ann).status_code == 400
