"""Opens sessions on a Spark Connect server, and sends the protocol's messages. Only this module imports gRPC.

It does not use pyspark's client objects, which read tokens from the environment, retry for minutes and log failures.
"""

from __future__ import annotations

import contextlib
import itertools
import logging
import re
import threading
import time
import uuid
import warnings
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from sqlchat.connections.spark.config import NamedPath, SparkConfig
from sqlchat.errors import ConnectionConfigError

INSTALL = "This provider needs a package more: pip install 'pyspark-client~=4.2'."
CONNECT_TIMEOUT = 10.0
"""Seconds for the first call, and for calls that compute nothing."""
LARGEST_MESSAGE = 128 << 20
IDLE = 60.0
"""An idle session is set up anew after so many seconds, in case its server forgot it."""
SETTINGS = {"spark.sql.runSQLOnFiles": "false", "spark.sql.variable.substitute": "false"}
"""SQL cannot read files by their paths, nor the server's environment by `${...}`."""
CSV = {"header": "true", "inferSchema": "true"}
SAFE_TAG = re.compile(r"[^\w.:-]", re.ASCII)


class SparkError(Exception):
    """An error of the server or of gRPC."""

    def __init__(self, code: str, message: str, condition: str = "", sqlstate: str = "") -> None:
        """`code` is gRPC's status; `condition` is Spark's error condition, such as DIVIDE_BY_ZERO, or empty."""
        super().__init__(message)
        self.code, self.message, self.condition, self.sqlstate = code, message, condition, sqlstate

    @property
    def is_of_session(self) -> bool:
        """Is the session lost, so that the same statement may work in another one?"""
        return self.code == "UNAVAILABLE" or self.condition.startswith(("INVALID_HANDLE.", "INVALID_CURSOR."))

    @property
    def is_of_format(self) -> bool:
        """Is it that the server cannot read files of that format?"""
        return self.condition == "DATA_SOURCE_NOT_FOUND" or self.message.startswith("No data source found")


class Answer:
    """The rows of one statement. Iterate it once for record batches; `cancel` ends it from any thread."""

    def __init__(self, session: Session, call: Any) -> None:
        """Wait for the message with the columns. Raises SparkError."""
        self._responses = session.receive(call)
        self.cancel: Callable[[], object] = call.cancel
        self._waiting: list[Any] = []
        self._schema: Any = None
        for response in self._responses:
            if response.HasField("arrow_batch"):
                self._waiting.append(response)
            if response.HasField("schema"):
                self._schema = response.schema
                break

    @property
    def types(self) -> list[tuple[str, Any]]:
        """Return name and pyspark's DataType of each column."""
        return [] if self._schema is None else _read_schema(self._schema)

    def __iter__(self) -> Iterator[Any]:
        import pyarrow as pa

        for response in itertools.chain(self._waiting, self._responses):
            if response.HasField("arrow_batch"):
                yield from pa.ipc.open_stream(response.arrow_batch.data)


class Session:
    """A session on the server with our settings. Safe to use from several threads."""

    def __init__(self, target: SparkConfig, address: str) -> None:
        """Connect to the tested `address`. TLS still verifies the host's name. Raises SparkError."""
        self._grpc, self._messages, stubs = load_protocol()
        self._target = target
        self.id = target.session_id or str(uuid.uuid4())
        self._server_side = ""
        self._named: set[str] = set()
        self._used_at = time.monotonic()
        self._channel = self._open_channel(address)
        self._stub = stubs.SparkConnectServiceStub(self._channel)
        self._metadata = list(target.headers)
        if target.token:
            self._metadata.append(("authorization", f"Bearer {target.token}"))
        try:
            self._set_up()
        except BaseException:
            self._channel.close()
            raise

    def refresh(self) -> None:
        """Set the session up anew if it was idle for long. Raises SparkError."""
        if time.monotonic() - self._used_at > IDLE:
            self._named.clear()
            self._set_up()
        self._used_at = time.monotonic()

    def execute(self, sql: str, tag: str, timeout: float) -> Answer:
        """Run one statement, which `interrupt(tag)` ends. Raises SparkError."""
        request = self._request(self._messages.ExecutePlanRequest)
        request.plan.root.sql.query = sql
        request.tags.append(SAFE_TAG.sub("", tag)[:100])
        return Answer(self, self._stub.ExecutePlan(request, metadata=self._metadata, timeout=timeout))

    def ask(self, sql: str, timeout: float) -> list[tuple[Any, ...]]:
        """Return all rows of a statement of our own. Raises SparkError."""
        rows: list[tuple[Any, ...]] = []
        for batch in list(self.execute(sql, "sqlchat", timeout)):
            rows += zip(*(column.to_pylist() for column in batch.columns), strict=True)
        return rows

    def command(self, sql: str) -> None:
        """Run a command of our own. Raises SparkError."""
        request = self._request(self._messages.ExecutePlanRequest)
        request.plan.command.sql_command.sql = sql
        self._finish(request)

    def explain(self, sql: str, timeout: float) -> str:
        """Return the text of a query's plan, with estimates of each step. Raises SparkError."""
        request = self._request(self._messages.AnalyzePlanRequest)
        request.explain.plan.root.sql.query = sql
        request.explain.explain_mode = self._messages.AnalyzePlanRequest.Explain.EXPLAIN_MODE_COST
        response = self._call(self._stub.AnalyzePlan, request, timeout)
        return str(response.explain.explain_string)

    def describe_path(self, path: NamedPath, timeout: float) -> list[tuple[str, Any]]:
        """Return name and pyspark's DataType of each column of files. Raises SparkError."""
        request = self._request(self._messages.AnalyzePlanRequest)
        _fill_source(request.schema.plan.root.read.data_source, path)
        return _read_schema(self._call(self._stub.AnalyzePlan, request, timeout).schema.schema)

    def name_paths(self, tables: Mapping[str, NamedPath], schemas: Mapping[str, str]) -> None:
        """Make temporary views of `tables` that are missing, with their `schemas` if known. Raises SparkError."""
        for name in tables.keys() - self._named:
            request = self._request(self._messages.ExecutePlanRequest)
            view = request.plan.command.create_dataframe_view
            view.name, view.replace = name, True
            source = view.input.read.data_source
            _fill_source(source, tables[name])
            if name in schemas:
                source.schema = schemas[name]
            self._finish(request)
            self._named.add(name)

    def interrupt(self, tag: str) -> None:
        """End the statements with `tag`. Never raises."""
        request = self._request(self._messages.InterruptRequest)
        request.interrupt_type = self._messages.InterruptRequest.INTERRUPT_TYPE_TAG
        request.operation_tag = SAFE_TAG.sub("", tag)[:100]
        with contextlib.suppress(SparkError):
            self._call(self._stub.Interrupt, request, 0.8)

    def close(self) -> None:
        """Release the session on the server, on a new thread, unless the session was joined."""
        threading.Thread(target=self._release, name="spark", daemon=True).start()

    def receive(self, call: Any) -> Iterator[Any]:
        """Yield the messages of a streaming call. Raises SparkError."""
        try:
            for response in call:
                self._server_side = self._server_side or response.server_side_session_id
                yield response
        except self._grpc.RpcError as exc:
            raise _read_error(exc) from None
        finally:
            self._used_at = time.monotonic()

    def _release(self) -> None:
        if not self._target.session_id:
            with contextlib.suppress(SparkError, ValueError):
                request = self._messages.ReleaseSessionRequest(session_id=self.id, client_type="sqlchat")
                request.user_context.user_id = self._target.user
                self._call(self._stub.ReleaseSession, request, 2.0)
        self._channel.close()

    def _set_up(self) -> None:
        try:
            self._set(SETTINGS)
        except SparkError as exc:
            if exc.is_of_session or exc.code in ("UNAUTHENTICATED", "PERMISSION_DENIED", "DEADLINE_EXCEEDED"):
                raise
            for name, value in SETTINGS.items():  # some platforms fix one of them
                with contextlib.suppress(SparkError):
                    self._set({name: value})
        if self._target.catalog:
            request = self._request(self._messages.ExecutePlanRequest)
            request.plan.root.catalog.set_current_catalog.catalog_name = self._target.catalog
            self._finish(request)
        if self._target.database:
            self.command(f"USE DATABASE {quote_name(self._target.database)}")

    def _set(self, pairs: Mapping[str, str]) -> None:
        request = self._request(self._messages.ConfigRequest)
        for name, value in pairs.items():
            request.operation.set.pairs.add(key=name, value=value)
        self._call(self._stub.Config, request, CONNECT_TIMEOUT)

    def _request(self, kind: Any) -> Any:
        request = kind(session_id=self.id, client_type="sqlchat")
        request.user_context.user_id = self._target.user
        if self._server_side:  # else a restarted server would make a session without our settings
            request.client_observed_server_side_session_id = self._server_side
        return request

    def _finish(self, request: Any) -> None:
        for _ in self.receive(self._stub.ExecutePlan(request, metadata=self._metadata, timeout=6 * CONNECT_TIMEOUT)):
            pass

    def _call(self, method: Any, request: Any, timeout: float) -> Any:
        try:
            response = method(request, metadata=self._metadata, timeout=timeout)
        except self._grpc.RpcError as exc:
            raise _read_error(exc) from None
        self._server_side = self._server_side or response.server_side_session_id
        return response

    def _open_channel(self, address: str) -> Any:
        target, host = self._target, self._target.host.strip("[]")
        options: list[tuple[str, Any]] = [
            ("grpc.max_receive_message_length", LARGEST_MESSAGE),
            ("grpc.enable_http_proxy", 0),
            ("grpc.service_config_disable_resolution", 1),
            ("grpc.default_authority", f"[{host}]" if ":" in host else host),
            ("grpc.use_local_subchannel_pool", 1),
        ]
        place = f"ipv6:[{address}]:{target.port}" if ":" in address else f"ipv4:{address}:{target.port}"
        if target.sslmode == "disable":
            return self._grpc.insecure_channel(place, options)
        credentials = self._grpc.ssl_channel_credentials(target.authorities.encode() or None)
        return self._grpc.secure_channel(place, credentials, [*options, ("grpc.ssl_target_name_override", host)])


def load_protocol() -> tuple[Any, Any, Any]:
    """Return gRPC, the protocol's messages and its stubs. Raises ConnectionConfigError if they are not installed."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # parts of pyspark that are not used here warn
            import grpc
            import pyspark.sql.connect.proto as messages
            from pyspark.sql.connect.proto import base_pb2_grpc
    except ImportError as exc:
        raise ConnectionConfigError(INSTALL) from exc
    logging.getLogger("grpc").setLevel(logging.CRITICAL)
    return grpc, messages, base_pb2_grpc


def find_arrow_type(kind: Any) -> Any:
    """Return the Arrow type of pyspark's DataType; text if there is none."""
    import pyarrow as pa
    from pyspark.errors import PySparkException
    from pyspark.sql.pandas.types import to_arrow_type

    try:
        return to_arrow_type(kind, timezone="UTC")
    except PySparkException:
        return pa.string()


def _fill_source(source: Any, path: NamedPath) -> None:
    source.format = path.format
    source.paths.append(path.path)
    source.options.update(CSV if path.format == "csv" else {})


def _read_schema(schema: Any) -> list[tuple[str, Any]]:
    from pyspark.sql.connect.types import proto_schema_to_pyspark_data_type

    struct: Any = proto_schema_to_pyspark_data_type(schema)
    return [(field.name, field.dataType) for field in struct.fields]


def quote_name(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"


def _read_error(exc: Any) -> SparkError:
    from google.rpc import error_details_pb2
    from grpc_status import rpc_status

    code, message = exc.code().name, exc.details() or ""
    with contextlib.suppress(ValueError):  # if the two name different codes
        for detail in getattr(rpc_status.from_call(exc), "details", ()):
            info = error_details_pb2.ErrorInfo()
            if detail.Unpack(info):
                return SparkError(
                    code, message, info.metadata.get("errorClass", ""), info.metadata.get("sqlState", "")
                )
    return SparkError(code, message)
