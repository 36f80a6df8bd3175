"""Connections to stored files, as a DuckDB database that is made of them.

`config` reads which files, `databases` finds or makes their database, `build` makes it in a worker, `keys` infers its
keys, `cache` keeps it on disk, and `connection` is what the registry opens.
"""
