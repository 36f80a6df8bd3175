"""Marshmallow schemas of requests and answers, one module for each blueprint.

They validate requests and document answers (OpenAPI). Rows of results never pass through them. Imports only `config`.
"""
