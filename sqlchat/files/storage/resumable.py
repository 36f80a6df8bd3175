"""Uploads large files in chunks, and continues after a break: TUS 1.0 (https://tus.io), as in Supabase Storage.

The libraries for it on PyPI set no timeout and open a connection for each piece; this is the little of the protocol
that an upload takes, over the HTTP client that everything else goes through. An object is seen once it is whole.
"""

from __future__ import annotations

import base64
import contextlib
import re
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import BinaryIO

import httpx

from sqlchat.errors import DeadlineError

LARGE = CHUNK = 6 << 20
"""Bytes. Supabase recommends resumable uploads above 6 MB, and takes chunks of that size alone."""
PIECE = 256 << 10
"""Bytes that are read from the file at once."""
TRIES = 5
"""Failures without a byte of progress between them that end an upload."""
PAUSE = 0.5
"""Seconds before the second try, doubled with each; less if the limit of one call is short."""
TERMINATE_TIMEOUT = 5.0  # s
HOSTED = re.compile(r"(https://[a-z0-9-]+)(\.supabase\.(?:co|in|red))")

GONE = frozenset({404, 410})
"""The server has forgotten the upload: it begins anew."""
PASSING = frozenset({408, 423, 425, 429, *range(500, 600)})
"""A lock, a crowd, a fault of the server: the upload goes on from the offset that the server tells."""
PASSING_WORDS = {409: "offset", 400: "lock acquired"}
"""Statuses of a conflict over the offset (not over the name), or of a later call that took the upload over."""


class RefusedError(Exception):
    """The server refuses; `answer` says why.

    `status`, `code` and `message` are as Storage tells them: in JSON, where the answer's own status is 400 for most
    there is; from uploads under way as that status and plain text.
    """

    def __init__(self, answer: httpx.Response) -> None:
        super().__init__(answer.status_code)
        self.answer = answer
        self.status, self.code, self.message = answer.status_code, "", answer.text
        with contextlib.suppress(ValueError, KeyError, TypeError):
            body = answer.json()
            told = int(body["statusCode"]), str(body["error"]), str(body["message"])
            self.status, self.code, self.message = told

    @property
    def passes(self) -> bool:
        words = PASSING_WORDS.get(self.status)
        return self.status in PASSING or (words is not None and words in self.message.lower())


def find_endpoint(supabase_url: str) -> str:
    """Return the URL for uploads: at a hosted project's storage host, as Supabase recommends for large files."""
    base = HOSTED.sub(r"\1.storage\2", supabase_url) if HOSTED.fullmatch(supabase_url.rstrip("/")) else supabase_url
    return f"{base.rstrip('/')}/storage/v1/upload/resumable"


@dataclass(frozen=True)
class Uploader:
    """Sends files to one endpoint. `timeout` (seconds) bounds each call, `seconds` an upload as a whole."""

    http: httpx.Client
    url: str
    headers: Mapping[str, str]
    timeout: float
    seconds: float

    def send(self, file: BinaryIO, size: int, metadata: Mapping[str, str]) -> bool:
        """Send the `size` bytes of `file`. True: the server confirmed the end. False: that answer got lost.

        An upload that fails is terminated where the server lets it be. Raises RefusedError, DeadlineError,
        httpx.HTTPError, and ValueError or KeyError for an answer that is not the protocol's.
        """
        until = time.monotonic() + self.seconds
        place, offset, furthest, tries = "", 0, 0, 0
        try:
            while True:
                try:
                    if not place:
                        place, offset = self._create(size, metadata, until), 0
                    elif tries:
                        offset = self._offset(place, size, until)
                        if offset == size:
                            return False
                    while offset < size:
                        if offset > furthest:
                            furthest, tries = offset, 0
                        offset = self._append(place, file, offset, size, until)
                    return True
                except (httpx.TransportError, RefusedError) as exc:
                    tries += 1
                    if isinstance(exc, RefusedError):
                        if place and exc.answer.status_code in GONE:
                            place = ""
                        elif not exc.passes:
                            raise
                    if tries >= TRIES:
                        raise
                    pause = min(PAUSE, self.timeout / 20) * 2 ** (tries - 1)
                    time.sleep(min(pause, self._left(until)))
        except BaseException:
            if place:
                self._terminate(place)
            raise

    def _create(self, size: int, metadata: Mapping[str, str], until: float) -> str:
        """Create an upload; return its URL."""
        coded = ",".join(f"{name} {base64.b64encode(text.encode()).decode()}" for name, text in metadata.items())
        answer = self._call("POST", self.url, until, {"Upload-Length": str(size), "Upload-Metadata": coded})
        # Behind a proxy the server may know itself by another name, and the token goes to none but ours.
        return f"{self.url}/{answer.headers['Location'].rstrip('/').rpartition('/')[2]}"

    def _offset(self, place: str, size: int, until: float) -> int:
        """Ask the server how many bytes of an upload it has."""
        return _read_offset(self._call("HEAD", place, until, {}), 0, size)

    def _append(self, place: str, file: BinaryIO, offset: int, size: int, until: float) -> int:
        """Send a chunk; return how many bytes the server has then."""
        length = min(CHUNK, size - offset)
        headers = {
            "Content-Type": "application/offset+octet-stream",
            "Content-Length": str(length),
            "Upload-Offset": str(offset),
        }
        file.seek(offset)
        answer = self._call("PATCH", place, until, headers, _read_pieces(file, length))
        return _read_offset(answer, offset + 1, offset + length)

    def _call(
        self, method: str, url: str, until: float, headers: Mapping[str, str], body: Iterator[bytes] | None = None
    ) -> httpx.Response:
        timeout = min(self.timeout, self._left(until))
        headers = {**self.headers, "Tus-Resumable": "1.0.0", **headers}
        answer = self.http.request(method, url, headers=headers, content=body, timeout=timeout)
        if not answer.is_success:
            raise RefusedError(answer)
        return answer

    def _left(self, until: float) -> float:
        left = until - time.monotonic()
        if left <= 0:
            raise DeadlineError(f"Supabase Storage did not take the file within {self.seconds:,.0f} s.")
        return left

    def _terminate(self, place: str) -> None:
        """Let the server remove an upload. If that fails, the upload expires by itself."""
        with contextlib.suppress(httpx.HTTPError):
            headers = {**self.headers, "Tus-Resumable": "1.0.0"}
            self.http.request("DELETE", place, headers=headers, timeout=min(self.timeout, TERMINATE_TIMEOUT))


def _read_offset(answer: httpx.Response, least: int, most: int) -> int:
    """Return the offset that an answer names. Raises ValueError unless it is between `least` and `most`."""
    offset = int(answer.headers["Upload-Offset"])
    if not least <= offset <= most:
        raise ValueError(offset)
    return offset


def _read_pieces(file: BinaryIO, length: int) -> Iterator[bytes]:
    while length:
        piece = file.read(min(PIECE, length))
        if not piece:
            return  # the client notices that less came than was announced
        length -= len(piece)
        yield piece
