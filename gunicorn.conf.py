"""gunicorn's settings. Any of them can be overridden on its command line or in GUNICORN_CMD_ARGS."""

import gc
import logging
import math
import resource
import sys
import tempfile
import threading
import time
from pathlib import Path

from dotenv import find_dotenv, load_dotenv

from sqlchat import exports
from sqlchat.config import Settings, unknown_settings
from sqlchat.errors import UnavailableError
from sqlchat.telemetry import folder, metrics

log = logging.getLogger("sqlchat.ready")
load_dotenv(find_dotenv(usecwd=True))  # as `flask` does; what is set already stays
settings = Settings.from_environ()
settings.check_state_dir()  # a fault here ends the start; gunicorn would restart a failing worker for ever

# Without tokens, the service is for this machine alone.
public = settings.auth_configured or settings.open_data_routes
bind = f"{'0.0.0.0' if public else '127.0.0.1'}:{settings.port}"  # noqa: S104
workers = settings.web_concurrency
preload_app = True  # workers share the modules that are imported before the fork
worker_class = "sqlchat.serving.Worker"  # threads: a model call waits for seconds, and a waiting thread costs little
threads = settings.threads
# Half of the files that this process may open; the other half is for databases, models and files.
worker_connections = max(settings.threads + 1, min(1000, resource.getrlimit(resource.RLIMIT_NOFILE)[0] // 2))
keepalive = 75  # seconds; above the idle limit of load balancers in front, so that they close first

# A request may use all its deadlines: a thorough one asks the model twice and runs four statements, perhaps on files
# whose tables are made first.
longest = math.ceil(
    max(
        settings.build_wait + 2 * settings.model_timeout + 4 * settings.statement_timeout + settings.pool_timeout,
        settings.upload_timeout + settings.transfer_seconds(settings.max_upload_mb << 20),
        settings.semantic_timeout + settings.statement_timeout,
    )
)
timeout = longest + 30
graceful_timeout = longest + 10

limit_request_field_size = 16_380  # larger than our largest token, so that we answer 401 to a longer one
logger_class = "sqlchat.logs.GunicornLogger"
accesslog = None  # the application writes one line a request itself
control_socket_disable = True
forwarder_headers = ""  # else a client behind a proxy on this machine could change its path by SCRIPT_NAME


def on_starting(server):
    """Make the folder for the counts of all workers, and warn once of unknown settings."""
    folder.create_folder()
    if warning := unknown_settings():
        server.log.warning(warning)


def when_ready(server):
    """Load what all workers may need, and keep it shared: the garbage collector would write to all of it."""
    if not settings.is_small:
        exports.load_formats()
    gc.collect()
    gc.freeze()


def on_exit(server):
    """Remove the counts of all workers."""
    folder.remove_folder()


def tell_ready(runtime):
    """Wait until questions can be answered; the first worker then prints the address and a curl line to try."""
    reason = ""
    while reason is not None:
        try:
            runtime.check_ready()
            reason = None
        except UnavailableError as exc:
            if exc.detail != reason:
                log.warning("not ready", extra={"reason": exc.detail})
            reason = exc.detail
            time.sleep(1)
    if not folder.is_first("ready"):
        return
    base = f"http://localhost:{settings.port}"
    if settings.auth_configured:
        line = f'curl -s {base}/api/connections -H "Authorization: Bearer $TOKEN"'
    else:
        question = """'{"connection_id": "demo", "prompt": "Top 10 customers by revenue"}'"""
        line = f"curl -s {base}/api/chat -H 'Content-Type: application/json' -d {question}"
    sys.stdout.write(f"\nsqlchat is ready on {base}, its documentation at {base}/docs\nTry it:\n\n  {line}\n\n")
    sys.stdout.flush()


def post_worker_init(worker):
    """Start the processes for SQL before the first question, and tell when the service is ready."""
    if runtime := find_runtime(worker):
        runtime.warm()
        threading.Thread(target=tell_ready, args=(runtime,), name="ready", daemon=True).start()


def worker_exit(server, worker):
    """Close pools and end processes."""
    if runtime := find_runtime(worker):
        runtime.close()


def child_exit(server, worker):
    """Clean up after a killed worker: remove its load, its gauges and the files of unfinished uploads."""
    worker.loads.forget(worker.age)
    folder.forget_process(worker.pid)
    metrics.fold_dead()
    for spooled in Path(tempfile.gettempdir()).glob(f"sqlchat-upload-{worker.pid}-*"):
        spooled.unlink(missing_ok=True)


def find_runtime(worker):
    """Return the worker's Runtime; None if its application did not load."""
    return getattr(worker.wsgi, "extensions", {}).get("sqlchat")
