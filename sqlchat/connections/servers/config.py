"""Reads and checks the config of a connection to a database server.

Only the documented fields exist: option strings, service files, sockets and host lists never reach a driver. A `url`
is split into the same fields and forgotten; no message shows it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import serialization

from sqlchat.connections.servers.urls import read_url
from sqlchat.errors import ConnectionConfigError

NEEDED = ("host", "database", "user")
LONGEST = 1000
"""Characters of a field's value."""
AUTHORITIES = "sslrootcert"
LONGEST_PEM = 100_000  # characters


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerConfig:
    """The address of a server, whose data to read there, and how to log in."""

    host: str
    port: int
    database: str = ""
    user: str = ""
    password: str = field(default="", repr=False)
    sslmode: str = ""
    authorities: str = ""
    """Certificates (PEM) of the authorities that may vouch for the server; empty: the public ones."""
    schema: str = ""
    channel_binding: str = ""
    """Whether the password's proof is bound to the TLS session, in libpq's words; only a url can set it."""

    @property
    def place(self) -> str:
        """For the log."""
        return f"{self.host}:{self.port}"


def read_server_config(
    config: Mapping[str, Any],
    *,
    schemes: tuple[str, ...],
    port: int,
    sslmodes: tuple[str, ...],
    schema: bool = False,
    others: tuple[str, ...] = (),
) -> ServerConfig:
    """Validate `config`; `port` is the default one, and `others` are fields that the caller reads.

    Raises ConnectionConfigError that names the field.
    """
    known = ["host", "port", "database", "user", "password", "sslmode"] + ["schema"] * schema
    fields = read_texts(config, [*known, "url"], (AUTHORITIES, *others))
    url = fields.pop("url", "")
    if url:
        in_urls = [*known, *(("channel_binding",) if schema else ())]
        parsed = read_texts(read_url(url, schemes, in_urls), in_urls)
        if twice := sorted(set(parsed) & set(fields)):
            raise ConnectionConfigError(f"config: {', '.join(twice)} is given both in the url and beside it.")
        fields |= parsed
    if missing := [name for name in NEEDED if not fields.get(name)]:
        raise ConnectionConfigError(f"config: {', '.join(missing)} is missing.")
    if fields.get("sslmode") and fields["sslmode"] not in sslmodes:
        raise ConnectionConfigError(f"sslmode: must be one of {', '.join(sslmodes)}.")
    authorities = read_authorities(config.get(AUTHORITIES))
    if authorities and not fields.get("sslmode"):
        fields["sslmode"] = "verify-full"
    if authorities and not fields["sslmode"].startswith("verify"):
        raise ConnectionConfigError(f"{AUTHORITIES}: needs sslmode verify-full or verify-ca.")
    return ServerConfig(port=read_port(fields.pop("port", ""), port), authorities=authorities, **fields)


def read_port(given: str, default: int) -> int:
    """Return the number in `given`, or `default` for an empty text. Raises ConnectionConfigError."""
    number = given or str(default)
    if not (number.isascii() and number.isdigit() and 1 <= int(number) <= 65535):
        raise ConnectionConfigError("port: must be a number between 1 and 65535.")
    return int(number)


def read_authorities(given: Any) -> str:
    """Return the certificates in `given`, written anew without anything that stood between them."""
    if given is None:
        return ""
    try:
        if not isinstance(given, str) or len(given) > LONGEST_PEM:
            raise ValueError
        certificates = x509.load_pem_x509_certificates(given.encode())
    except ValueError:
        raise ConnectionConfigError(
            f"{AUTHORITIES}: must be certificates as text (-----BEGIN CERTIFICATE-----...), not the path of a file."
        ) from None
    return "".join(each.public_bytes(serialization.Encoding.PEM).decode() for each in certificates)


def read_texts(config: Mapping[str, Any], known: list[str], others: tuple[str, ...] = ()) -> dict[str, str]:
    """Check that all fields are known, and return them as texts, without `others` and those that are null."""
    if unknown := sorted(str(name) for name in config if name not in (*known, *others)):
        names = ", ".join((*known, *others))
        raise ConnectionConfigError(f"config: unknown field {', '.join(unknown)}; known are {names}.")
    given = {name: value for name, value in config.items() if value is not None and name not in others}
    texts = {}
    for name, value in given.items():
        if name == "port" and isinstance(value, int) and not isinstance(value, bool):
            value = str(value)  # noqa: PLW2901 - JSON has numbers, a url has not
        if not isinstance(value, str):
            raise ConnectionConfigError(f"{name}: must be a text.")
        if len(value) > LONGEST or any(ord(character) < 32 or ord(character) == 127 for character in value):
            raise ConnectionConfigError(f"{name}: must be at most {LONGEST} characters, none of them a control one.")
        try:
            value.encode()
        except UnicodeEncodeError:
            raise ConnectionConfigError(f"{name}: is not valid Unicode.") from None
        texts[name] = value
    return texts
