"""Defaults that look at the memory of the machine, or of the control group around the service."""

import pytest

from sqlchat import machine
from sqlchat.config import Settings


@pytest.fixture
def system(tmp_path, monkeypatch):
    """Files like those of a system with 4 GiB and no control group."""
    monkeypatch.setattr(machine, "CGROUPS", tmp_path / "cgroup")
    monkeypatch.setattr(machine, "OWN_CGROUPS", tmp_path / "own")
    monkeypatch.setattr(machine, "MEMORY", tmp_path / "meminfo")
    (tmp_path / "meminfo").write_text("MemTotal:        4194304 kB\nMemFree:          100000 kB\n")
    return tmp_path


def limit(file, value):
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(f"{value}\n")


def test_without_a_control_group_it_is_the_machine_s(system):
    assert machine.memory_mb() == 4096


def test_the_second_version_of_control_groups(system):
    (system / "own").write_text("0::/app.slice/sqlchat.service\n")
    limit(system / "cgroup/app.slice/sqlchat.service/memory.max", "max")
    limit(system / "cgroup/app.slice/memory.max", 512 << 20)
    assert machine.memory_mb() == 512


def test_the_first_version_of_control_groups(system):
    (system / "own").write_text("5:cpu,cpuacct:/x\n4:memory:/dyno\n")
    limit(system / "cgroup/memory/dyno/memory.limit_in_bytes", 600 << 20)
    limit(system / "cgroup/memory/memory.limit_in_bytes", 9223372036854771712)
    assert machine.memory_mb() == 600


def test_in_a_container_that_sees_no_group_but_its_own(system):
    (system / "own").write_text("4:memory:/docker/3f2a\n0::/\n")
    limit(system / "cgroup/memory/memory.limit_in_bytes", 700 << 20)
    assert machine.memory_mb() == 700


def test_a_machine_without_such_files_counts_as_large(system):
    (system / "meminfo").unlink()
    assert machine.memory_mb() >= 1 << 20


@pytest.mark.parametrize(("given", "workers", "idle"), [("512", 1, 30), ("1024", 2, 300), ("8192", 2, 300)])
def test_with_little_memory_the_service_begins_small(given, workers, idle):
    settings = Settings.from_environ({"SQLCHAT_MEMORY_MB": given})
    assert (settings.web_concurrency, settings.sql_workers, settings.idle_seconds) == (workers, workers, idle)


def test_what_is_set_counts_with_little_memory_too():
    given = {"SQLCHAT_MEMORY_MB": "512", "WEB_CONCURRENCY": "3", "SQLCHAT_SQL_WORKERS": "4"}
    settings = Settings.from_environ(given)
    assert (settings.web_concurrency, settings.sql_workers) == (3, 4)


def test_the_machine_s_memory_is_looked_at(system):
    (system / "meminfo").write_text("MemTotal:        500000 kB\n")
    assert Settings.from_environ({}).is_small
    (system / "meminfo").write_text("MemTotal:        2000000 kB\n")
    assert not Settings.from_environ({}).is_small
