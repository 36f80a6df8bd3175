from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace

import pytest

from sqlchat.chat.context import NOTHING, SchemaLinker
from sqlchat.chat.dialect_notes import find_notes
from sqlchat.chat.rendering import estimate_tokens, render_catalog
from sqlchat.chat.selection import Context
from sqlchat.sql.catalog import Catalog, Column, ForeignKey, Table
from sqlchat.sql.profiles import ColumnProfile, Profiles, Texts

Profiled = Callable[[Texts], Profiles]


STATUS = ("public", "orders", "status")


def large(tables: int = 400) -> Catalog:
    """Many tables that look alike, and a few that questions are about."""
    noise = [
        Table(f"log_{n}", tuple(Column(f"field_{n}_{m}", "text") for m in range(10)), "public") for n in range(tables)
    ]
    client = Table("CRM_Client", (Column("ClientID", "integer"), Column("FullName", "text")), "public")
    land = Table("geo", (Column("id", "integer"), Column("land", "text")), "public", comment="Countries of the world")
    link = Table(
        "x17",
        (Column("a", "integer"), Column("b", "integer")),
        "public",
        foreign_keys=(
            ForeignKey(("a",), "public", "CRM_Client", ("ClientID",)),
            ForeignKey(("b",), "public", "geo", ("id",)),
        ),
    )
    return Catalog((*noise[: tables // 2], client, link, *noise[tables // 2 :], land), "postgres", "public")


def names(catalog: Catalog) -> set[str]:
    return {table.name for table in catalog.tables}


def test_a_catalog_that_fits_is_sent_whole(shop: Catalog, profiles: Profiles) -> None:
    context = SchemaLinker(10_000).choose_context(shop, "anything", profiles)
    assert context.whole
    assert context.catalog is shop
    assert context.omitted == ()
    assert context.remarks[STATUS] == "values 'open', 'paid', 'cancelled'"


def test_values_are_left_out_before_tables_are(shop: Catalog, profiled: Profiled) -> None:
    values: Texts = {("public", "customers", "name"): tuple(f"Somebody Long-Named {n}" for n in range(12))}
    linker = SchemaLinker(SchemaLinker(10_000)._find_index(shop, NOTHING).full_size + 5)
    context = linker.choose_context(shop, "Somebody Long-Named 7", profiled(values))
    assert context.whole
    assert context.remarks == {}
    assert [match.value for match in context.matches] == ["Somebody Long-Named 7"]


def test_of_a_large_catalog_the_nearest_tables_and_their_neighbours_are_sent() -> None:
    catalog = large()
    context = SchemaLinker(1500).choose_context(catalog, "How many clients are there in each country?")
    assert {"CRM_Client", "x17", "geo"} <= names(context.catalog)
    assert not context.whole
    assert len(context.omitted) == len(catalog.tables) - len(context.catalog.tables)
    assert len(context.omitted) > 300


def render(context: Context) -> str:
    return render_catalog(context.catalog, find_notes("postgres"), context.remarks, context.brief)


def test_what_is_sent_fits_the_budget() -> None:
    for budget in (100, 1000, 5000):
        text = render(SchemaLinker(budget).choose_context(large(), "clients"))
        assert budget / 2 < estimate_tokens(text) <= budget


def test_further_tables_are_shown_in_one_line_and_the_nearest_with_types() -> None:
    context = SchemaLinker(1500).choose_context(large(), "How many clients are there in each country?")
    lines = render(context).splitlines()
    assert "TABLE CRM_Client" in " ".join(lines).replace('"', "")
    assert '  a integer -> "CRM_Client"."ClientID"' in lines
    assert ("public", "CRM_Client") not in context.brief
    number = min(context.brief)[1].removeprefix("log_")
    assert f"log_{number}({','.join(f'field_{number}_{n}' for n in range(10))})" in lines
    assert context.brief < {(table.schema, table.name) for table in context.catalog.tables}


def test_a_line_of_a_further_table_tells_its_keys_and_comment_but_no_values(profiled: Profiled) -> None:
    link = Table(
        "zz",
        (Column("aid", "integer"), Column("Note", "text")),
        "sales",
        "view",
        comment="Links",
        foreign_keys=(ForeignKey(("aid",), "public", "orders", ("id",)),),
    )
    catalog = Catalog((link,), "postgres", "public")
    remarks = {("sales", "zz", "Note"): "values 'a', 'b'"}
    shown = render_catalog(catalog, find_notes("postgres"), remarks, frozenset({("sales", "zz")}))
    assert shown == 'VIEW sales.zz(aid->orders,"Note") -- Links'


def test_all_tables_get_types_where_there_is_room_for_them() -> None:
    catalog = large(40)
    size = SchemaLinker(1)._find_index(catalog, NOTHING).bare_size
    context = SchemaLinker(size - 20).choose_context(catalog, "clients")
    assert context.omitted == ()
    assert 0 < len(context.brief) < len(catalog.tables) / 4
    assert estimate_tokens(render(context)) <= size - 20


def cryptic(*tables: Table) -> Catalog:
    """A hundred tables that begin with the same letters, and `tables` among them."""
    return Catalog((*large(100).tables, *tables), "postgres", "public")


@pytest.mark.parametrize(
    ("question", "table"),
    [
        ("How many vehicles were rented?", "fl_vhcl"),
        ("Shipments of this week", "shpmt_tbl"),
        ("balance of each account", "t_acct"),
        ("Which clients are new?", "cstmr_mst"),
        ("wages by grade", "xqsalrec"),
    ],
)
def test_short_forms_of_words_and_of_their_synonyms_find_a_table(question: str, table: str) -> None:
    catalog = cryptic(Table(table, columns("xq1", "xq2", "xq3"), "public"))
    catalog = replace(catalog, tables=tuple(t for t in catalog.tables if t.name != "CRM_Client"))
    found = SchemaLinker(300).choose_context(catalog, question)
    assert table in names(found.catalog)
    assert ("public", table) not in found.brief


def test_a_table_of_the_same_module_comes_before_those_of_others() -> None:
    modules = [Table(f"m{n}_x{each}", columns("a", "b", "c"), "public") for n in range(40) for each in range(3)]
    named = Table("m33_payroll", columns("a", "b", "c"), "public")
    context = SchemaLinker(150).choose_context(cryptic(*modules, named), "sum of the payroll")
    assert {"m33_payroll", "m33_x0", "m33_x1", "m33_x2"} <= names(context.catalog)


def test_what_the_nearest_tables_refer_to_comes_right_behind_them() -> None:
    """`buyer_ref` of the orders refers to a table that no word of the question names."""
    people = Table("p_0815", columns("id", "nm"), "public", primary_key=("id",))
    orders = Table(
        "purch_ord",
        columns("id", "buyer_ref", "open_flag"),
        "public",
        foreign_keys=(ForeignKey(("buyer_ref",), "public", "p_0815", ("id",)),),
    )
    similar = [Table(f"ord_{n}", columns("id", "order_open", "purchase"), "public") for n in range(60)]
    context = SchemaLinker(700).choose_context(cryptic(*similar, orders, people), "Open purchase orders by buyer")
    assert {"purch_ord", "p_0815"} <= names(context.catalog)


def test_a_value_of_the_question_brings_its_table(profiled: Profiled) -> None:
    catalog = large()
    values: Texts = {("public", "log_77", "field_77_3"): ("Zanzibar",)}
    context = SchemaLinker(600).choose_context(catalog, "what about zanzibar", profiled(values))
    assert "log_77" in names(context.catalog)


def test_abbreviated_and_misspelt_words_find_their_tables() -> None:
    cust = Table("cust_mst", (Column("id", "integer"),), "public")
    ware = Table("warehouses", (Column("id", "integer"),), "public")
    catalog = large()
    catalog = replace(catalog, tables=(*catalog.tables, cust, ware))
    linker = SchemaLinker(300)
    assert "cust_mst" in names(linker.choose_context(catalog, "number of customers").catalog)
    assert "warehouses" in names(linker.choose_context(catalog, "number of warehuoses").catalog)


def test_a_table_wider_than_the_budget_keeps_its_keys_and_what_is_asked_for() -> None:
    columns = (Column("id", "integer"), *(Column(f"metric_{n}", "numeric") for n in range(2000)))
    wide = Table("facts", (*columns, Column("humidity", "numeric")), "public", primary_key=("id",))
    context = SchemaLinker(1000).choose_context(
        Catalog((wide,), "postgres", "public"), "average humidity of the facts"
    )
    (table,) = context.catalog.tables
    assert table.column("id")
    assert table.column("humidity")
    assert len(table.columns) < 200
    assert "further columns are not shown" in table.comment


def test_a_question_that_names_nothing_still_gets_tables() -> None:
    assert SchemaLinker(1000).choose_context(large(), "???").catalog.tables


def test_an_empty_catalog_is_whole() -> None:
    assert SchemaLinker(1000).choose_context(Catalog((), "sqlite"), "anything").whole


def test_a_changed_catalog_is_seen() -> None:
    linker, catalog = SchemaLinker(1000), large()
    linker.choose_context(catalog, "clients")
    changed = replace(catalog, tables=(*catalog.tables, Table("hamsters", (Column("id", "integer"),), "public")))
    assert "hamsters" in names(linker.choose_context(changed, "hamsters").catalog)


def test_who_comes_while_an_index_is_made_waits_for_it_instead_of_making_another() -> None:
    linker, catalog, found = SchemaLinker(500), large(300), []
    ready = threading.Barrier(4)

    def index() -> None:
        ready.wait(150)
        found.append(linker._find_index(catalog, Profiles()))

    threads = [threading.Thread(target=index) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4
    assert len({id(each) for each in found}) == len({id(each.ranking) for each in found}) == 1


def shops_and_noise(*tables: Table) -> Catalog:
    return Catalog((*large().tables, *tables), "postgres", "public")


def columns(*names: str) -> tuple[Column, ...]:
    return tuple(Column(name, "text") for name in names)


def test_names_that_are_written_together_are_found() -> None:
    customer = Table("sbcustomer", columns("sbcustid", "sbcustname", "sbcustcity"), "public")
    prices = Table("sbdailyprice", columns("sbdpid", "sbdpdate", "sbdpclose"), "public")
    linker, catalog = SchemaLinker(300), shops_and_noise(customer, prices)
    assert "sbcustomer" in names(linker.choose_context(catalog, "names of the customers").catalog)
    assert "sbdailyprice" in names(linker.choose_context(catalog, "the daily prices of last week").catalog)


def test_related_words_find_a_table() -> None:
    catalog = shops_and_noise(Table("staff", columns("id", "born"), "public"))
    assert "staff" in names(SchemaLinker(300).choose_context(catalog, "How many employees are there?").catalog)


def test_a_link_table_is_found_without_declared_keys() -> None:
    author, paper = (
        Table(name, columns(key, "name"), "public") for name, key in (("author", "aid"), ("paper", "pid"))
    )
    catalog = shops_and_noise(author, Table("zz", columns("aid", "pid"), "public"), paper)
    assert "zz" in names(SchemaLinker(300).choose_context(catalog, "Which author has the most papers?").catalog)


def test_a_parent_is_found_by_a_column_of_its_name() -> None:
    player = Table("poker_player", columns("person_id", "earnings"), "public")
    catalog = shops_and_noise(player, Table("person", columns("id", "full"), "public", primary_key=("id",)))
    assert "person" in names(SchemaLinker(300).choose_context(catalog, "poker players by earnings").catalog)


def test_values_of_near_columns_are_sent_where_there_is_room_for_some(shop: Catalog, profiled: Profiled) -> None:
    status, product = ("public", "orders", "status"), ("sales", "order_lines", "product")
    values: Texts = {status: ("open", "paid"), product: tuple(f"thing {n} of many that we sell" for n in range(12))}
    context = SchemaLinker(SchemaLinker(1)._find_index(shop, NOTHING).bare_size + 30).choose_context(
        shop, "orders by status", profiled(values)
    )
    assert context.whole
    assert context.remarks == {}
    assert context.nearby == {status: "values 'open', 'paid'"}


def test_a_narrowed_table_keeps_keys_and_columns_whose_values_or_words_are_named(profiled: Profiled) -> None:
    fields = columns(*(f"detail_{n}_of_the_matter" for n in range(60)), "town", "line_1", "line_2", "zip")
    wide = Table("addresses", (Column("id", "integer"), *fields), "public", primary_key=("id",))
    linker = SchemaLinker(300)
    catalog, values = shops_and_noise(wide), {("public", "addresses", "town"): ("Port Chelsea",)}
    (table,) = (
        t
        for t in linker.choose_context(catalog, "zip for Port Chelsea", profiled(values)).catalog.tables
        if t.name == wide.name
    )
    assert {"id", "town", "zip"} <= {column.name for column in table.columns}
    assert len(table.columns) < len(wide.columns)
    context = linker.choose_context(catalog, "addresses with line 1 and line 2", profiled(values))
    (table,) = (t for t in context.catalog.tables if t.name == wide.name)
    assert {"id", "line_1", "line_2"} <= {column.name for column in table.columns}


def test_only_values_of_tables_that_are_sent_are_named(profiled: Profiled) -> None:
    catalog = large()
    values: Texts = {("public", f"log_{n}", f"field_{n}_0"): ("Zanzibar",) for n in range(100)}
    context = SchemaLinker(600).choose_context(catalog, "clients in Zanzibar", profiled(values))
    assert context.matches
    assert {match.path[1] for match in context.matches} <= names(context.catalog)
    assert len(context.matches) <= 20


def test_figures_are_left_out_before_values(shop: Catalog) -> None:
    price = ("public", "orders", "Total Price")
    profiles = Profiles(
        {
            STATUS: ColumnProfile("text", 0.5, 2, exact=True, values=("open", "paid"), complete=True),
            price: ColumnProfile("number", 0.0, 90, exact=True, least="1.5", most="99.5"),
        }
    )
    index = SchemaLinker(1)._find_index(shop, profiles)
    whole, values, none = (
        SchemaLinker(size).choose_context(shop, "orders by status", profiles)
        for size in (index.full_size, index.full_size - 1, index.values_size - 1)
    )
    assert whole.remarks == {STATUS: "values 'open', 'paid'; 50 % null", price: "1.5..99.5"}
    assert (values.remarks, none.remarks) == ({STATUS: "values 'open', 'paid'"}, {})
    assert values.nearby == {STATUS: "50 % null"}
    assert all(context.whole for context in (whole, values, none))


def test_of_a_chosen_part_the_remarks_fit_too() -> None:
    catalog = large()
    profiles = Profiles(
        {
            (table.schema, table.name, column.name): ColumnProfile("number", 0.5, 90, least="1", most="99")
            for table in catalog.tables
            for column in table.columns
        }
    )
    context = SchemaLinker(3000).choose_context(catalog, "How many clients are there in each country?", profiles)
    assert "about 1..99; 50 % null" in context.remarks.values()
    assert not {path[:2] for path in context.remarks} & context.brief
    assert estimate_tokens(render(context)) <= 3000


def test_tables_and_columns_of_related_sql_come_first(shop: Catalog) -> None:
    wide = Table("wide", tuple(Column(f"column_number_{n}", "text") for n in range(200)), "public")
    many = tuple(Table(f"log_{n}", (Column("id", "integer"), Column("message", "text")), "public") for n in range(40))
    catalog = replace(shop, tables=(*many, *shop.tables, wide))
    linker = SchemaLinker(300)
    before = linker.choose_context(catalog, "and by month?")
    assert "orders" in before.omitted
    after = linker.choose_context(
        catalog, "and by month?", related=["SELECT column_number_150, status FROM wide, orders"]
    )
    shown = {table.name: table for table in after.catalog.tables}
    assert {"orders", "wide"} <= set(shown)
    assert shown["wide"].column("column_number_150")
    assert len(shown["wide"].columns) < 200
