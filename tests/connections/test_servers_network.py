"""Which hosts may be reached."""

import itertools

import pytest

from sqlchat.connections.servers.network import resolve
from sqlchat.errors import ConnectionConfigError

BY_PURPOSE = ["fec0::1", "feff::1", "3fff::1", "3fff:fff::1", "2001:db8::1", "2001:20::1", "192.0.0.8"]
PRIVATE = ["127.0.0.1", "127.8.8.8", "::1", "::ffff:127.0.0.1", "10.1.2.3", "192.168.0.1", "172.16.0.1", "fd12::1"]
NEVER = [
    "169.254.169.254",
    "169.254.0.1",
    "::ffff:169.254.169.254",
    "64:ff9b::a9fe:a9fe",
    "2002:a9fe:a9fe::",
    "::169.254.169.254",
    "fe80::1",
    "fd00:ec2::254",
    "100.100.100.200",
    "168.63.129.16",
    "0.0.0.0",
    "0.1.2.3",
    "::",
    "224.0.0.1",
    "ff02::1",
    "240.0.0.1",
    "255.255.255.255",
]
ODD = [
    "2130706433",
    "127.1",
    "0",
    "0x7f000001",
    "0x7f.1",
    "0177.0.0.1",
    "127.0.0.1.",
    "127.0.0.01",
    "fe80::1%eth0",
    "::1%lo",
    "[::1",
    "1:2",
]
NOT_HOSTS = [
    "",
    "/var/run/postgresql",
    "@abstract",
    "a,b",
    "127.0.0.1,127.0.0.1",
    "a b",
    "a/b",
    "user@host",
    "a\0b",
    "-a",
]


@pytest.mark.parametrize("host", PRIVATE + BY_PURPOSE)
def test_private_addresses_are_reached_only_where_the_setting_says_so(host):
    assert resolve(host, 5432, allow_private=True)
    with pytest.raises(ConnectionConfigError, match="SQLCHAT_PRIVATE_HOSTS"):
        resolve(host, 5432, allow_private=False)


def test_link_local_metadata_and_reserved_addresses_are_never_reached(subtests):
    for allow_private, host in itertools.product([True, False], NEVER):
        refused = pytest.raises(ConnectionConfigError, match=r"cannot be reached|no database server")
        with subtests.test(host, allow_private=allow_private), refused:
            resolve(host, 5432, allow_private=allow_private)


@pytest.mark.parametrize("host", ODD)
def test_other_notations_of_an_address_are_refused(host):
    with pytest.raises(ConnectionConfigError, match="usual notation"):
        resolve(host, 5432, allow_private=True)


@pytest.mark.parametrize("host", NOT_HOSTS)
def test_sockets_lists_and_nonsense_are_refused(host):
    with pytest.raises(ConnectionConfigError, match=r"^host: "):
        resolve(host, 5432, allow_private=True)


@pytest.mark.parametrize("host", ["8.8.8.8", "2001:4860:4860::8888"])
def test_a_public_address_is_its_own(host):
    assert resolve(host, 5432, allow_private=False) == host


def test_a_name_is_tested_by_its_addresses():
    assert resolve("localhost", 5432, allow_private=True) in {"127.0.0.1", "::1"}
    with pytest.raises(ConnectionConfigError, match="private addresses"):
        resolve("localhost", 5432, allow_private=False)


def test_an_unknown_name():
    with pytest.raises(ConnectionConfigError, match="no address is known"):
        resolve("nowhere.invalid", 5432, allow_private=True)


@pytest.mark.parametrize("port", [0, -1, 65536])
def test_a_port_must_be_one(port):
    with pytest.raises(ConnectionConfigError, match=r"^port: "):
        resolve("127.0.0.1", port, allow_private=True)
