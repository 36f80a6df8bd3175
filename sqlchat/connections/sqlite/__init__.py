"""SQLite files. `connection.py` is the class; its sessions run in a worker process, with all locks.

`catalog.py`, with `comments.py` and `definitions.py`, and `profile.py` read what the database holds; `revision.py`
tells when that has changed.
"""
