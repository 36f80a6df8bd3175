"""What may stand in a query, one module a database. Data for `sqlchat.sql.guard`, which alone imports it.

`rules.py` says what the data is, `nodes.py` which nodes of sqlglot's tree are known to read only.
"""
