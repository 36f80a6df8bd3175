"""Uploaded files: what is in them, and where they are kept.

`formats/` reads a file (one file and one registry line a format), `profile.py` says what a table holds,
`typed.py` gives its rows in the types that the profile found (for connections to files),
`storage/` keeps objects: in Supabase Storage or a local folder. Reading happens in killable worker processes.
Imports from `workers`, `config` and `errors`.
"""
