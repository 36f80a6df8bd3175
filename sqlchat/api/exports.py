"""Answers with a whole result as a file, in the format that the caller accepts.

What goes wrong before the first byte is a problem body. After it, the answer ends without its last chunk, so that no
client takes it for whole; NDJSON says why in its last line.
"""

from __future__ import annotations

import errno
import re
import select
import threading
from collections.abc import Callable, Generator, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from contextvars import copy_context
from datetime import UTC, datetime
from functools import partial
from http import HTTPStatus

import orjson
from flask import Response, g, request, stream_with_context
from werkzeug.datastructures import MIMEAccept

from sqlchat.api.compression import choose_coding, make_compressor
from sqlchat.api.problems import describe_problem
from sqlchat.api.requests import log_request
from sqlchat.chat.audit import ABANDONED
from sqlchat.connections.streams import Stream, StreamClosedError
from sqlchat.errors import NotAcceptableError
from sqlchat.exports import FORMATS, Format
from sqlchat.store import Entry

JSON = "application/json"
LOOK = 0.25
"""Seconds between two looks at whether the client is still there."""
UNSAFE = re.compile(r"[^\w.-]+")
DOCUMENTED = {
    media_type: {"schema": {"type": "string", "format": "binary"}, "example": f"(the rows as {each.extension})"}
    for media_type, each in FORMATS.items()
}


class ClientGoneError(BrokenPipeError):
    """The client has closed its connection."""


def choose_format() -> Format | None:
    """The format that the caller asks for; None for JSON. Raises NotAcceptableError for any other."""
    if not request.accept_mimetypes:
        return None
    plain = MIMEAccept((name.partition(";")[0].strip(), quality) for name, quality in request.accept_mimetypes)
    best = plain.best_match([JSON, *FORMATS])  # parameters such as a charset choose nothing
    if best is None:
        raise NotAcceptableError(
            f"This path answers with {', '.join((JSON, *FORMATS))}; `Accept` names none of them."
        )
    return FORMATS.get(best)


def export(
    wanted: Format,
    recording: AbstractContextManager[Entry],
    open_stream: Callable[[Entry], Stream],
    *,
    guards_formulas: bool,
    most_rows: int,
) -> Response:
    """Answer with the rows of `open_stream(entry)`; the entry is kept when they have ended.

    `most_rows` is the limit that holds for them; 0 for none.
    """
    coding = None if wanted.is_compressed else choose_coding()
    chunks = _write_chunks(wanted, recording, open_stream, guards_formulas, coding)
    try:
        first = next(chunks)
    except ClientGoneError:
        return Response(status=ABANDONED[1])  # which nobody reads
    g.streaming = True
    body = _log_chunks(first, chunks)
    next(body)
    response = Response(stream_with_context(body), content_type=wanted.media_type + wanted.parameters)
    response.call_on_close(partial(copy_context().run, body.close))  # whose end notes facts of this request
    moment = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    name = UNSAFE.sub("_", g.export_of)
    response.headers.set("Content-Disposition", "attachment", filename=f"{name}-{moment}.{wanted.extension}")
    response.headers["Vary"] = "Accept, Accept-Encoding"
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Accel-Buffering"] = "no"
    if coding:
        response.headers["Content-Encoding"] = coding
    if most_rows:
        response.headers["X-Max-Rows"] = str(most_rows)
    return response


def _write_chunks(
    wanted: Format,
    recording: AbstractContextManager[Entry],
    open_stream: Callable[[Entry], Stream],
    guards_formulas: bool,
    coding: str | None,
) -> Generator[bytes]:
    """The bytes of the answer. The first comes when the first rows are there, so that their faults can be told."""
    coder = make_compressor(coding) if coding else None
    is_client_gone = False
    with _translate_exit(lambda: is_client_gone), ExitStack() as stack:
        entry = stack.enter_context(recording)
        g.export_of = entry.connection_id
        stream = open_stream(entry)
        stack.callback(stream.close)
        if not stream.header.columns:
            raise NotAcceptableError(f"A result without columns has no form in {wanted.media_type}; take {JSON}.")
        stack.callback(_watch_client(stream).set)
        stream.wait_for_rows()
        is_begun = False
        try:
            for chunk in wanted.write(stream, guards_formulas=guards_formulas):
                coded = coder.compress(chunk) if coder else chunk
                if coded or not is_begun:
                    is_begun = True
                    yield coded
            entry.row_count = stream.row_count
        except StreamClosedError:
            is_client_gone = True
            raise GeneratorExit from None  # for the history, it ended as if the answer had been closed
        except Exception as exc:
            if wanted.is_text_line and is_begun:
                line = orjson.dumps({"error": describe_problem(exc)}, option=orjson.OPT_NON_STR_KEYS) + b"\n"
                yield coder.compress(line) + coder.flush() if coder else line
            raise
    if coder:
        yield coder.flush()


@contextmanager
def _translate_exit(is_client_gone: Callable[[], bool]) -> Iterator[None]:
    """Raises ClientGoneError in place of a GeneratorExit that the server did not cause."""
    try:
        yield
    except GeneratorExit:
        if is_client_gone():
            raise ClientGoneError(errno.EPIPE, "the client has gone") from None
        raise


def _log_chunks(first: bytes, chunks: Generator[bytes]) -> Generator[bytes]:
    """The answer, and its line in the log.

    Before it comes nothing, once: a generator that nobody has begun ends without what is to be done at the end.
    Raises BrokenPipeError after a fault, upon which the server closes the connection: the status is sent already.
    """
    status = int(HTTPStatus.OK)
    try:
        yield b""
        yield first
        yield from chunks
    except (ClientGoneError, GeneratorExit):
        status = ABANDONED[1]
        raise
    except Exception as exc:
        status = describe_problem(exc)["status"]
        raise BrokenPipeError(errno.EPIPE, "the answer broke off") from exc
    finally:
        chunks.close()
        log_request(status)


def _watch_client(stream: Stream) -> threading.Event:
    """Close the stream when the client disconnects. Set the returned event to stop watching."""
    over = threading.Event()
    line = request.environ.get("gunicorn.socket")
    if line is None or not hasattr(select, "POLLRDHUP"):
        return over
    poll = select.poll()
    poll.register(line, select.POLLRDHUP | select.POLLHUP | select.POLLERR)

    def watch() -> None:
        while not over.wait(LOOK):
            if poll.poll(0):
                stream.close()
                return

    threading.Thread(target=watch, name="client", daemon=True).start()
    return over
