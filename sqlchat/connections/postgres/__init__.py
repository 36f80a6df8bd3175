"""Postgres: `connection.py` is what the registry names; it, `session.py` and `rows.py` hold the driver (psycopg2).

`statement.py` wraps a stranger's text, `rls.py` says whom it runs as, `types.py` and `csv.py` make JSON of an answer,
`errors.py` makes our errors of its complaints; `catalog.py` and `profile.py` read what the database holds.
"""
