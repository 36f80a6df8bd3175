"""sqlchat: a question in plain language becomes SQL, runs safely on your own database, and shows its sources.

Layers, top to bottom; a module imports only from layers below its own:

    app, cli, serving, gunicorn -> api, evaluation -> schemas, runtime -> chat, exports -> providers, connections
             -> language, files, store -> sql -> workers -> config -> addresses, errors,
             machine, telemetry

Flask appears only in `app`, `api` and `cli`; marshmallow only in `api` and `schemas`; the SDK of a vendor in
exactly one file. `tests/test_layers.py` holds the tree to this, and `ARCHITECTURE.md` explains it.
"""

__version__ = "0.10.0"
