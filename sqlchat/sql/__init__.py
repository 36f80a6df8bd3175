"""What a text of SQL is: its dialect, whether it may run, what it reads and writes. Pure functions over sqlglot.

Nothing here knows of HTTP, of settings or of a live database; what a database holds comes in as a `Catalog`.
Parsing can itself be an attack, so callers outside run these functions in the worker processes. Imports only
`errors`.
"""
