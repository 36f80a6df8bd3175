"""What the system's allocator is told, seen by what the process then takes from the system."""

import platform
import subprocess
import sys

import pytest

pytestmark = pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="other allocators are left as they are")

ARRAYS = """
import re, resource
import numpy as np
from sqlchat.files.memory import run_bounded, tune_allocator

def mapped(kind):
    return int(re.search(f"Vm{kind}:\\s+(\\d+)", open("/proc/self/status").read())[1])
"""


def output(code):
    child = subprocess.run([sys.executable, "-c", ARRAYS + code], capture_output=True, text=True, check=True)
    return [int(line) for line in child.stdout.split()]


def test_memory_is_given_back_at_the_end():
    held, after = output("""
def use():
    arrays = [np.ones(1 << 12) for _ in range(4000)]
    kept.append(np.ones(1 << 12))
    arrays.clear()
    return mapped("RSS")
kept = []
print(run_bounded(use))
print(mapped("RSS"))
""")
    assert held - after > 40 << 10, "KiB"


def test_little_more_address_space_is_taken_than_is_in_use():
    before, after = output("""
tune_allocator(200)
print(mapped("Size"))
arrays = [np.ones(1 << 17) for _ in range(60)]
arrays.clear()
print(mapped("Size"))
""")
    assert after - before < 8 << 10, "KiB"
