"""A policy on what SQL may read: `policy` judges a catalog and a text.

`enforcement` finds what a text reads, `patterns` matches names, and `own` refuses what a database's users defined
under built-in names, on DuckDB by its own parser (`duckdb_parser`). `hidden_names` finds denied names in what people
wrote.
"""
