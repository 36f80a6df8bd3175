"""Allow-lists, one module a database. `rules.py` defines their shape, `allowed_nodes.py` lists nodes of the tree."""
