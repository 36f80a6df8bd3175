"""Who may import whom: the layers that the package's docstring draws, held to by reading the imports."""

import ast
from pathlib import Path

PACKAGE = Path(__file__).parents[1] / "sqlchat"

# A module may import from its own group and from those that its group's line names.
LAYERS = {
    "errors": set(),
    "addresses": set(),
    "machine": set(),
    "config": {"addresses", "errors", "machine"},
    "logs": {"config", "errors"},
    "telemetry": set(),
    "workers": {"config", "errors", "telemetry"},
    "tokens": {"config", "errors", "store"},
    "demo": {"errors"},
    "sql": {"errors"},
    "language": set(),
    "store": {"config", "errors"},
    "connections": {"files", "store", "sql", "workers", "config", "errors"},
    "exports": {"connections", "errors"},
    "providers": {"language", "sql", "config", "errors", "telemetry"},
    "files": {"workers", "config", "errors"},
    "chat": {"language", "providers", "connections", "store", "sql", "workers", "config", "errors", "telemetry"},
    "schemas": {"config"},
}
EVERYTHING_BELOW = {*LAYERS}
LAYERS["runtime"] = EVERYTHING_BELOW - {"schemas"}
LAYERS["api"] = EVERYTHING_BELOW | {"runtime"}
LAYERS["gunicorn"] = {"config", "workers"}
LAYERS["serving"] = {"api", "config", "errors", "telemetry"}
LAYERS["evaluation"] = EVERYTHING_BELOW - {"schemas"} | {"runtime"}
LAYERS["cli"] = EVERYTHING_BELOW | {"runtime", "evaluation"}
LAYERS["app"] = EVERYTHING_BELOW | {"runtime", "api", "cli"}

# A library that speaks to the outside is imported where these patterns say, and nowhere else.
HOMES = {
    "flask": {"app.py", "cli.py", "api/"},
    "flask_smorest": {"api/", "schemas/files.py"},
    "flask_swagger_ui": {"api/docs.py"},
    "marshmallow": {"api/resource.py", "schemas/"},
    "prometheus_client": {"telemetry/metrics.py"},
    "opentelemetry": {"telemetry/spans.py"},
    "openai": {"providers/openai.py"},
    "anthropic": {"providers/anthropic.py"},
    "supabase": {"files/storage/supabase.py"},
    "storage3": {"files/storage/supabase.py"},
    "psycopg2": {"connections/postgres/"},
    "pymysql": {"connections/mysql/"},
    "duckdb": {
        "connections/duckdb/",
        "connections/files/",
        "files/formats/duckdb.py",
        "sql/policies/duckdb_parser.py",
    },
    "grpc": {"connections/spark/session.py"},
    "pyspark": {"connections/spark/session.py"},
    "pandas": {"files/"},
    "sqlite3": {"connections/sqlite/", "demo.py", "files/formats/sqlite.py"},
    "jwt": {"tokens.py"},
    "alembic": {"store/"},
}

MODULES = sorted(PACKAGE.rglob("*.py"))


def imports(path: Path) -> set[str]:
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def test_imports_go_downwards_and_libraries_stay_home():
    faults, used = [], set()
    for path in MODULES:
        inside = path.relative_to(PACKAGE)
        group = inside.parts[0].removesuffix(".py")
        for name in imports(path):
            top, *rest = name.split(".")
            used.add(top)
            if top == "sqlchat" and group != "__init__" and rest and rest[0] not in {group, *LAYERS[group]}:
                faults.append(f"{inside} must not import {name}")
            if top in HOMES and not str(inside).startswith(tuple(HOMES[top])):
                faults.append(f"{top} is imported in {inside}")
    assert not faults
    assert HOMES.keys() <= used


def test_every_group_has_its_line():
    groups = {
        p.name.removesuffix(".py") for p in PACKAGE.iterdir() if p.suffix == ".py" or (p / "__init__.py").exists()
    }
    assert groups - {"__init__"} <= set(LAYERS)
