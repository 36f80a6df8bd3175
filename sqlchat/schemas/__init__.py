"""The forms of requests and answers: marshmallow schemas, one module for each blueprint.

They validate what comes in and document what goes out (OpenAPI); rows of results never pass through them. Imports
only `config`.
"""
