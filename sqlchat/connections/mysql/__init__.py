"""MySQL and MariaDB: the registry names `connection.py`; it and `session.py` hold the driver (PyMySQL).

`types.py` makes JSON of an answer, `errors.py` our errors of its complaints, `plan.py` a cost of an EXPLAIN;
`catalog.py` and `profile.py` read what the database holds.
"""
