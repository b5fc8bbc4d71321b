"""Processes that have imported modules before they are started, where that is safe, and what else stays as it was."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from normstudy.machine.forks import FORKS

PROGRAM = """
import json, os, sys
{first}
from normstudy.machine import forks

def look(connection):
    module = sys.modules.get("imported")
    connection.send([getattr(module, "BY", None), getattr(module, "THREADS", None), os.getppid(), dict(os.environ)])

if __name__ == "__main__":
    before = dict(os.environ)
    try:
        context = forks.having_imported({modules})
    except OSError as error:
        print(json.dumps([str(error), os.environ == before]))
        sys.exit()
    same = os.environ == before
    here, there = context.Pipe()
    seen = []
    for _ in range(2):
        process = context.Process(target=look, args=(there,))
        process.start()
        seen.append(here.recv())
        process.join()
    print(json.dumps([os.getpid(), context.get_start_method(), same, seen]))
"""
IMPORTED = """
import os
BY, THREADS = os.getpid(), len(os.listdir("/proc/self/task"))
"""
DECIDING = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "JE_ARROW_MALLOC_CONF", "GOMP_SPINCOUNT")
"""The variables that say how many threads libraries start, and how those wait."""

only_where_processes_are_forked = pytest.mark.skipif(not FORKS, reason="processes are forked on Linux alone")


def said(folder: Path, modules: str, first: str = "", **variables: str) -> Any:
    """What a program says that has two processes started, which have imported some modules already."""
    (folder / "imported.py").write_text(IMPORTED)
    program = folder / "program.py"
    program.write_text(PROGRAM.format(first=first, modules=modules))
    environment = {name: value for name, value in os.environ.items() if name not in DECIDING} | variables
    environment["PYTHONPATH"] = os.pathsep.join([str(folder), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run([sys.executable, program], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@only_where_processes_are_forked
def test_the_modules_are_imported_once_in_the_process_that_all_are_forked_from(tmp_path: Path):
    own, method, _, (first, second) = said(tmp_path, "'imported'")
    assert method == "forkserver"
    imported_by, _, parent, _ = first
    assert imported_by == parent != own
    assert second[:3] == first[:3]


@only_where_processes_are_forked
@pytest.mark.parametrize("library", ["numpy", "pyarrow"])
def test_a_library_that_is_imported_starts_no_thread_there(tmp_path: Path, library: str):
    *_, seen = said(tmp_path, f"{library!r}, 'imported'")
    assert [threads for _, threads, *_ in seen] == [1, 1]


@only_where_processes_are_forked
def test_the_environment_of_who_asks_stays_as_it_was_and_what_it_says_itself_holds(tmp_path: Path):
    *_, same, seen = said(tmp_path, "'imported'", OPENBLAS_NUM_THREADS="3", OTHER="as it was")
    assert same
    for *_, environment in seen:
        assert environment["OPENBLAS_NUM_THREADS"] == "3"
        assert environment["JE_ARROW_MALLOC_CONF"] == "background_thread:false"
        assert environment["GOMP_SPINCOUNT"] == "3000"
        assert environment["OTHER"] == "as it was"


@only_where_processes_are_forked
def test_it_stays_so_where_no_process_can_be_started(tmp_path: Path):
    no_more_files = "import resource; resource.setrlimit(resource.RLIMIT_NOFILE, (3, 3))"
    error, same = said(tmp_path, "'imported'", first=f"from normstudy.machine import forks\n{no_more_files}")
    assert "Too many open files" in error
    assert same


@only_where_processes_are_forked
def test_there_may_be_nothing_to_import(tmp_path: Path):
    _, method, _, seen = said(tmp_path, "")
    assert method == "forkserver"
    assert [imported_by for imported_by, *_ in seen] == [None, None]


def test_elsewhere_each_process_begins_anew(tmp_path: Path):
    own, method, same, seen = said(tmp_path, "'imported'", first="sys.platform = 'darwin'")
    assert method == "spawn"
    assert same
    for imported_by, _, parent, environment in seen:
        assert imported_by is None
        assert parent == own
        assert not set(DECIDING) & set(environment)
