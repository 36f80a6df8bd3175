"""Parses, checks, resolves and translates SQL. Pure functions over sqlglot; a database comes in as a `Catalog`.

Parsing can itself be an attack, so callers outside run these functions in worker processes. Imports only `errors`.
"""
