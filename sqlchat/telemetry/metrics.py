"""Counts for Prometheus, and writes the counts as text. The one file that imports `prometheus_client`.

Labels are route templates, statuses, codes and names of ours: no client can add a new one. Under gunicorn all web
processes count in files of one folder (see `folder`), and each can write the sums. Elsewhere a process counts alone.
"""

from __future__ import annotations

import os
import threading
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from sqlchat.telemetry.folder import VARIABLE

BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120)
"""Seconds."""
MANY, TOTAL = 8, "0"
"""Number of ended processes whose files are merged, and the name in place of a process id in the merged file."""
CHILDREN = 2000
"""Combinations of labels in the cache; there are some three hundred."""
FAMILIES: Mapping[str, tuple[str, str, tuple[str, ...]]] = {
    "requests": ("counter", "Requests that were answered.", ("route", "status")),
    "request_seconds": ("histogram", "Time from a request's headers to its answer's end.", ("route",)),
    "refusals": ("counter", "Requests that ended in a problem, by its code.", ("code",)),
    "model_calls": ("counter", "Calls of a model; the outcome is ok or the problem's code.", ("provider", "outcome")),
    "model_seconds": ("histogram", "Time of a model call.", ("provider",)),
    "model_tokens": ("counter", "Tokens that models took and gave.", ("provider", "kind")),
    "model_cost_usd": ("counter", "US dollars by SQLCHAT_MODEL_PRICES.", ("provider",)),
    "uploads": ("counter", "Files that were kept.", ()),
    "upload_bytes": ("counter", "Bytes of the files that were kept.", ()),
    "worker_processes_killed": ("counter", "Worker processes ended before their time.", ("pool", "reason")),
    "worker_processes": ("gauge", "Worker processes, and calls that wait for one.", ("pool", "state")),
    "database_connections": ("gauge", "Pooled connections to databases.", ("state",)),
    "threads": ("gauge", "Threads of the web processes, and requests that wait for one.", ("state",)),
    "client_connections": ("gauge", "Connections of clients.", ()),
}
"""Name without `sqlchat_` -> kind, help and labels."""


MAKING = threading.Lock()


@cache
def _make_metric(name: str) -> Any:
    """Make a metric at its first use: the import of `prometheus_client` decides where its counts are kept."""
    import prometheus_client

    kind, text, labels = FAMILIES[name]
    full = f"sqlchat_{name}"
    if kind == "histogram":
        return prometheus_client.Histogram(full, text, labels, buckets=BUCKETS)
    if kind == "gauge":
        return prometheus_client.Gauge(full, text, labels, multiprocess_mode="livesum")
    return prometheus_client.Counter(full, text, labels)


@lru_cache(CHILDREN)
def _find_metric(name: str, *labels: str) -> Any:
    """Return the metric with its labels; the cache makes that ten times as fast."""
    with MAKING:  # two threads would register the metric twice, which is an error
        metric = _make_metric(name)
    return metric.labels(*labels) if labels else metric


def count_request(route: str, status: int, seconds: float, code: str | None) -> None:
    """Count one answered request of a `route`, such as `POST /api/chat`; `code` is that of a problem."""
    _add(1, "requests", route, str(status))
    _observe(seconds, "request_seconds", route)
    if code:
        count_refusal(code)


def count_refusal(code: str) -> None:
    _add(1, "refusals", code)


def count_model_call(provider: str, outcome: str, seconds: float) -> None:
    _add(1, "model_calls", provider, outcome)
    _observe(seconds, "model_seconds", provider)


def count_tokens(provider: str, prompt: int, completion: int, cost: float | None) -> None:
    """Count the tokens of one model call, and its US dollars if the price is known."""
    _add(prompt, "model_tokens", provider, "prompt")
    _add(completion, "model_tokens", provider, "completion")
    _add(cost or 0, "model_cost_usd", provider)


def count_upload(size_bytes: int) -> None:
    _add(1, "uploads")
    _add(size_bytes, "upload_bytes")


def count_killed(pool: str, reason: str) -> None:
    """Count a worker process of `pool` that was ended: for its `deadline`, its `memory`, or because it `died`."""
    _add(1, "worker_processes_killed", pool, reason)


def make_gauges() -> Callable[[str, Mapping[tuple[str, ...], float]], None]:
    """Return a function that sets the gauge `name` of this process to labels -> value; it writes only changes."""
    written: dict[tuple[str, tuple[str, ...]], float] = {}

    def set_gauge(name: str, values: Mapping[tuple[str, ...], float]) -> None:
        for labels, value in values.items():
            if written.get((name, labels)) != value:
                written[name, labels] = value
                with suppress(OSError):
                    _find_metric(name, *labels).set(value)

    return set_gauge


def _add(amount: float, name: str, *labels: str) -> None:
    """Add to a counter. If the disk is full, the count is lost but the request goes on."""
    with suppress(OSError):
        _find_metric(name, *labels).inc(max(0, amount))


def _observe(seconds: float, name: str, *labels: str) -> None:
    with suppress(OSError):
        _find_metric(name, *labels).observe(seconds)


def fold_dead() -> None:
    """Merge the files of ended processes into one for each kind of metric, once there are MANY."""
    folder = Path(os.environ[VARIABLE])
    for kind in ("counter", "histogram"):
        files = {file.stem.removeprefix(f"{kind}_"): file for file in folder.glob(f"{kind}_*.db")}
        total = files.pop(TOTAL, folder / f"{kind}_{TOTAL}.db")
        dead = [file for pid, file in files.items() if not Path("/proc", pid).exists()]
        if len(dead) < MANY:
            continue
        from prometheus_client.mmap_dict import MmapedDict

        sums: Counter[str] = Counter()
        for file in filter(Path.exists, [total, *dead]):
            for key, value, *_ in MmapedDict.read_all_values_from_file(str(file)):
                sums[key] += value
        draft = folder / f"{kind}.begun"
        draft.unlink(missing_ok=True)
        merged = MmapedDict(str(draft))
        for key, value in sums.items():
            merged.write_value(key, value, 0)
        merged.close()
        draft.replace(total)
        for file in dead:
            file.unlink(missing_ok=True)


def render() -> tuple[bytes, str]:
    """Return all counts as text, and its content type."""
    import prometheus_client
    from prometheus_client import multiprocess

    registry: Any = prometheus_client.REGISTRY
    if VARIABLE in os.environ:
        registry = prometheus_client.CollectorRegistry()
        multiprocess.MultiProcessCollector(registry)
    try:
        text = prometheus_client.generate_latest(registry)
    except FileNotFoundError:  # another process has just merged files
        text = prometheus_client.generate_latest(registry)
    return text, prometheus_client.CONTENT_TYPE_LATEST
