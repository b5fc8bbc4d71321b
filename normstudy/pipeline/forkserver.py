"""A process that imports what notebooks need, once, and from which the process of each is forked.

`python -m normstudy.pipeline.forkserver MODULE…` takes a request a line, in JSON, and answers each with a line.
"""

import importlib
import io
import json
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import psutil

from normstudy.experiments.places import StudyError
from normstudy.machine.forks import FORKS, THREADS, TRAINING

ENVIRONMENT = {
    "JUPYTER_PREFER_ENV_PATH": "1",
    "PYDEVD_DISABLE_FILE_VALIDATION": "1",
    "MPLBACKEND": "module://matplotlib_inline.backend_inline",  # a kernel's, for which matplotlib looks once
}


@dataclass(frozen=True)
class Process:
    """The process of one notebook."""

    server: "Forkserver"
    number: int

    def exit_code(self) -> int | None:
        """How it ended; None while it runs."""
        code: int | None = self.server.ask(self.number)
        return code

    def kill(self) -> None:
        """End it and its kernel, which has a session of its own, unless it has ended."""
        if self.exit_code() is None:
            family = psutil.Process(self.number)
            for member in (*family.children(recursive=True), family):
                with suppress(psutil.NoSuchProcess):
                    member.kill()
            while self.exit_code() is None:
                time.sleep(0.01)


@dataclass(frozen=True)
class Forkserver:
    """The process that others are forked from, as the one that started it sees it."""

    process: subprocess.Popen[str]

    def execute(self, *files: Path) -> Process:
        """Have `kernel.execute` done with these files."""
        return Process(self, self.ask([str(file) for file in files]))

    def ask(self, request: object) -> Any:
        """Send a request, and return its answer.

        Raises:
            StudyError: the process has ended.
        """
        try:
            print(json.dumps(request), file=self.process.stdin, flush=True)
            return json.loads(self.process.stdout.readline() if self.process.stdout else "")
        except (BrokenPipeError, ValueError) as error:
            raise StudyError("the process that starts notebooks has ended") from error


@contextmanager
def start(root: Path, modules: Iterable[str]) -> Iterator[Forkserver]:
    """A process that forks once it has imported these modules, for the libraries that they import.

    It ends with the block, or with the process that started it, whatever ends that; so do those forked from it.
    """
    process = subprocess.Popen(
        [sys.executable, "-m", __name__, *modules],
        cwd=root,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=THREADS | os.environ | ENVIRONMENT,
    )
    try:
        yield Forkserver(process)
    finally:
        process.kill()
        process.communicate()


def main(modules: list[str]) -> None:
    """Import; then start processes, and say how they ended, until there are no more requests."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the process that started this sees to it
    from normstudy.pipeline import kernel

    if FORKS:
        _import(modules)
    context: Any = multiprocessing.get_context("fork" if FORKS else "spawn")
    processes: dict[int, BaseProcess] = {}
    for line in sys.stdin:
        request = json.loads(line)
        if isinstance(request, int):
            answer = processes[request].exitcode
        else:
            process = context.Process(target=kernel.execute, args=request)
            process.start()
            answer = process.pid
            processes[process.pid] = process
        print(json.dumps(answer), flush=True)
    os._exit(0)  # at once: the others follow


def _import(modules: list[str]) -> None:
    """Import libraries, and use them once. The package's own modules are forgotten: a notebook has them as they are."""
    for name in modules:
        with suppress(Exception):  # the notebook that needs it will say what is wrong
            importlib.import_module(name)
    for library, use in {"matplotlib": _draw, "pandas": _tabulate, "torch": _optimize}.items():
        if library in sys.modules:
            use()
    for name in [name for name in sys.modules if name.partition(".")[0] == "normstudy"]:
        del sys.modules[name]


def _draw() -> None:
    from matplotlib.figure import Figure

    figure = Figure()
    figure.subplots().set_title("$10^{-1}$")
    figure.savefig(io.BytesIO(), format="svg")


def _tabulate() -> None:
    import pandas as pd
    import pyarrow.dataset  # noqa: F401, which reads a table's file

    pd.DataFrame({"": [0]}).to_markdown()


def _optimize() -> None:
    for name in TRAINING:
        importlib.import_module(name)


if __name__ == "__main__":
    main(sys.argv[1:])
