"""What the guard lets through, on a real MariaDB where one is installed."""

import contextlib
import os
import shutil
import socket
import subprocess
import time
from pathlib import Path

import pymysql
import pytest

from sqlchat.sql.guard import check

CORPUS = Path(__file__).parent / "corpus"
HONEST = (CORPUS / "mysql.honest.sql").read_text().strip("\n").split("\n\n")

pytestmark = [
    pytest.mark.mysql,
    pytest.mark.skipif(
        not (shutil.which("mariadbd") and shutil.which("mariadb-install-db")), reason="no MariaDB here"
    ),
]


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    folder = tmp_path_factory.mktemp("mariadb")
    data, path = folder / "data", folder / "s"
    account = ["--user=root"] if os.geteuid() == 0 else []
    subprocess.run(
        [
            "mariadb-install-db",
            "--no-defaults",
            f"--datadir={data}",
            "--auth-root-authentication-method=normal",
            *account,
        ],
        check=True,
        capture_output=True,
    )
    server = subprocess.Popen(
        ["mariadbd", "--no-defaults", f"--datadir={data}", f"--socket={path}", "--skip-networking", *account],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        with contextlib.closing(_connect(str(path))) as connection, connection.cursor() as cursor:
            for statement in ["CREATE DATABASE shop", "USE shop", *_setup()]:
                cursor.execute(statement)
            yield cursor
    finally:
        server.terminate()
        server.wait(150)


def _setup():
    return [s for s in (CORPUS / "mysql.setup.sql").read_text().split(";\n") if s.strip()]


def _connect(path):
    deadline = time.monotonic() + 180
    while True:
        with socket.socket(socket.AF_UNIX) as probe:
            if probe.connect_ex(path) == 0:
                return pymysql.connect(unix_socket=path, user="root", autocommit=True, charset="utf8mb4")
        assert time.monotonic() < deadline, "MariaDB did not start"
        time.sleep(0.2)


def test_honest_queries_pass_and_run(shop, subtests):
    for sql in HONEST:
        with subtests.test(ascii(sql)):
            assert check(sql, "mysql")
            shop.execute(sql)
            shop.fetchall()


def test_what_is_plannable_can_be_explained(shop):
    for sql in HONEST:
        if check(sql, "mysql").is_plannable:
            shop.execute(f"EXPLAIN {sql}")
            shop.fetchall()
