"""Stored files as a database: `connection.py` is what the registry names, a connection to a DuckDB made of them.

`config.py` says which files, `databases.py` finds or makes their database, `build.py` makes it in a worker with the
keys that `keys.py` finds, and `cache.py` keeps it on disk.
"""
