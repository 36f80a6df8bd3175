"""How uploads are to be read, kept for all processes and hosts, on SQLite and Postgres."""


def test_what_is_remembered_is_recalled_by_another_process(store, settings, make_store):
    store.readings.remember("uploads", "ann/a.csv", {"decimal": ","})
    store.readings.remember("reports", "ann/a.csv", {"header_row": 3})
    places = [("uploads", "ann/a.csv"), ("uploads", "bob/a.csv")]
    assert make_store(settings).readings.recall(places) == {("uploads", "ann/a.csv"): {"decimal": ","}}


def test_a_new_upload_takes_the_place_of_the_one_before(store):
    place = [("uploads", "a.csv")]
    store.readings.remember("uploads", "a.csv", {"decimal": ","})
    store.readings.remember("uploads", "a.csv", {"nulls": ["***"]})
    assert store.readings.recall(place) == {("uploads", "a.csv"): {"nulls": ["***"]}}
    store.readings.remember("uploads", "a.csv", {})
    assert store.readings.recall(place) == {}
