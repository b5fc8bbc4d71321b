"""The cores that a process may use, and memory that it keeps."""

import os
import platform
import subprocess
import sys

import pytest

from normstudy.machine import processor

only_where_cores_can_be_chosen = pytest.mark.skipif(
    not hasattr(os, "sched_setaffinity"), reason="a process cannot be kept to some cores here"
)
only_with_glibc = pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="the C library is another one")


def said(code: str) -> str:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout


@only_where_cores_can_be_chosen
def test_a_process_has_the_cores_to_which_it_is_kept():
    code = """
import os
from normstudy.machine.processor import cores
allowed = sorted(os.sched_getaffinity(0))
for number in range(1, len(allowed) + 1):
    os.sched_setaffinity(0, allowed[:number])
    print(cores() - number)
"""
    assert set(said(code).split()) == {"0"}


@pytest.mark.parametrize(("there", "cores"), [(7, 7), (1, 1), (None, 1)])
def test_where_none_can_be_kept_to_some_it_has_all_and_at_least_one(
    monkeypatch: pytest.MonkeyPatch, there: int | None, cores: int
):
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: there)
    assert processor.cores() == cores


BLOCKS, SIZE = 6, 32_000_000

KEPT = f"""
import ctypes, sys
import psutil
from normstudy.machine.processor import keep_freed_memory
library = ctypes.CDLL(None)
library.malloc.restype, library.malloc.argtypes = ctypes.c_void_p, [ctypes.c_size_t]
library.free.argtypes = [ctypes.c_void_p]
{{first}}
def resident():
    return psutil.Process().memory_info().rss
blocks = [library.malloc({SIZE}) for _ in range({BLOCKS})]
for block in blocks:
    ctypes.memset(block, 1, {SIZE})
full = resident()
for block in blocks:
    library.free(block)
print(1 - (full - resident()) / {BLOCKS * SIZE})
"""


def kept(first: str) -> float:
    """Which part of its memory a process still has after it has freed it."""
    return float(said(KEPT.format(first=first)))


@only_with_glibc
def test_freed_memory_is_kept_for_the_next_step():
    assert kept("keep_freed_memory()") > 0.9


@only_with_glibc
@pytest.mark.parametrize(
    "first",
    [
        "",
        "sys.platform = 'darwin'; keep_freed_memory()",
        "ctypes.CDLL = lambda name: object(); keep_freed_memory()",
    ],
    ids=["unless it is asked for", "not on another system", "not by another library"],
)
def test_elsewhere_it_is_given_back(first: str):
    assert kept(first) < 0.1
