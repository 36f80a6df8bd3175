"""Turns questions into SQL: one file a model vendor, the built-in `offline` engine, and the factory.

A vendor's SDK is imported in its own file alone, at first use, and its exceptions are translated there. Imports
from `sql`, `config` and `errors`.
"""
