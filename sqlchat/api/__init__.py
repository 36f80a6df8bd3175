"""HTTP only: one blueprint a resource group; a view parses, calls one service and answers.

`resource.py` holds what all blueprints share, `problems.py` turns errors into RFC 9457 bodies, `security.py` a
token into a caller, `docs.py` the blueprints into OpenAPI. Imports from `schemas`, `runtime` and everything below.
"""
