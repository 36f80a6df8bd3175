"""SQLite files: `connection.py` is what the registry names; its tasks run in a worker, in a session that is locked.

`catalog.py`, with `comments.py`, and `profile.py` read what the database holds.
"""
