"""Keys found in files: from names and values together, and never from either alone."""

import pytest

from sqlchat.connections.files.build import BuildFacts, FileTable, build
from sqlchat.connections.files.keys import InferredKey
from sqlchat.files.options import Options

COUNTRIES = "code,name\nDE,Germany\nFR,France\nIT,Italy\n"
CUSTOMERS = "id,name,country\n1,Ann,DE\n2,Bob,FR\n3,Cy,\n"


@pytest.fixture
def found(tmp_path):
    """found(customers=text, ...) -> the keys of tables of those names."""

    def find(**texts):
        files = []
        for table, text in texts.items():
            path = tmp_path / table
            path.write_text(text)
            files.append(FileTable(table, f"uploads/{table}.csv", str(path), Options()))
        made = tmp_path / "made"
        made.mkdir()
        build(str(made), tuple(files), 4096, 1024)
        return BuildFacts.read(str(made)).keys

    return find


def references(keys):
    return {f"{key.table}.{key.column} -> {key.ref_table}.{key.ref_column}" for key in keys.foreign}


@pytest.mark.parametrize(
    ("column", "table", "key"),
    [
        ("customer_id", "customers", "id"),
        ("CustomerID", "customers", "id"),
        ("customerId", "customer", "ID"),
        ("customer_id", "customers", "customer_id"),
        ("customer", "customers", "id"),
        ("billing_customer_id", "customers", "id"),
        ("category_id", "categories", "id"),
        ("address_id", "addresses", "id"),
        ("customer_id", "crm_customers", "id"),
        ("customer_id", "crm", "customer_id"),
    ],
)
def test_a_name_that_points_to_another_table(found, column, table, key):
    keys = found(**{"orders": f"order_id,{column}\n1,5\n2,5\n3,6\n", table: f"{key},name\n5,Ann\n6,Bob\n7,Cy\n"})
    assert references(keys) == {f"orders.{column} -> {table}.{key}"}
    assert keys.primary == {"orders": "order_id", table: key}


@pytest.mark.parametrize(("left", "right"), [("agent", "agent"), ("Email", "email"), ("region", "region")])
def test_a_column_of_one_name_that_is_unique_in_one_table_is_a_join(found, left, right):
    keys = found(
        tickets=f"nr,{left}\n1,ann\n2,bob\n3,ann\n",
        people=f"{right},team\nann,a\nbob,b\ncyd,a\n",
    )
    assert references(keys) == {f"tickets.{left} -> people.{right}"}
    assert keys.primary == {"tickets": "nr"}


def test_a_column_of_one_name_with_other_values_is_no_join(found):
    keys = found(tickets="agent,n\nann,1\nann,2\n", people="agent,team\nzoe,a\nyan,b\n")
    assert references(keys) == set()


def test_texts_are_keys_too(found):
    keys = found(countries=COUNTRIES, customers=CUSTOMERS)
    assert references(keys) == {"customers.country -> countries.code"}
    assert keys.primary == {"countries": "code", "customers": "id"}


@pytest.mark.parametrize(
    ("orders", "customers"),
    [
        ("id,customer_id\n1,5\n2,9\n", "id,name\n5,Ann\n6,Bob\n"),  # values that are not there
        ("id,customer_id\n1,5\n2,6\n", "id,name\n5,Ann\n6,Bob\n5,Cy\n"),  # no key
        ("id,customer_id\n1,5\n2,6\n", "id,name\n5,Ann\n6,Bob\n,Cy\n"),  # a key that is null
        ("id,amount\n1,5\n2,6\n", "id,name\n5,Ann\n6,Bob\n"),  # only the values fit
        ("id,customer_id\n1,05\n2,06\n", "id,name\n5,Ann\n6,Bob\n"),  # texts and numbers
        ("id,customer_id\n1,\n2,\n", "id,name\n5,Ann\n6,Bob\n"),  # no value at all
    ],
)
def test_where_there_is_no_reference(found, orders, customers):
    assert references(found(orders=orders, customers=customers)) == set()


def test_a_few_values_may_be_missing_and_that_is_said(found):
    orders = "id,customer_id\n" + "".join(f"{n},{n}\n" for n in range(100))
    customers = "id,name\n" + "".join(f"{n},x\n" for n in range(97))
    keys = found(orders=orders, customers=customers)
    (key,) = keys.foreign
    assert key == InferredKey("orders", "customer_id", "customers", "id", values_checked=100, values_matched=97)
    assert key.write_evidence() == "inferred: 97 of 100 values looked up are in customers.id"


def test_two_keys_of_one_name_refer_one_way(found):
    keys = found(people="person_id,name\n1,Ann\n2,Bob\n", salaries="person_id,pay\n1,5\n2,6\n")
    assert len(keys.foreign) == 1


def test_a_column_that_repeats_itself_is_no_key_whatever_its_name(found):
    assert found(lines="order_id,line_no\n1,1\n1,2\n2,1\n").primary == {}


def test_uniqueness_is_counted_over_all_rows(found):
    numbers = "".join(f"{n}\n" for n in range(60_000))
    assert found(many="id\n" + numbers).primary == {"many": "id"}


def test_one_repetition_among_many_is_seen(found):
    numbers = "".join(f"{n}\n" for n in range(60_000))
    assert found(many="id\n" + numbers + "17\n").primary == {}
