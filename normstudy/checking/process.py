"""Somebody's code runs in a process of its own, which is killed when it takes too long."""

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from normstudy.machine.model_files import ModelError

DECIDING = ("norm_arg", "groups", "depth", "initialization", "ghost_batch_size", "seed")
"""The parameters of a run that decide its network."""

SECONDS = 60.0
"""How long a model file may take unless it is said."""


def examined(reference: str, seconds: float = SECONDS) -> dict[str, dict[str, Any]]:
    """What `examination.examine` says of the model that a reference names; of the project's own if it is empty.

    Raises:
        ModelError: it cannot be examined. What it raised itself is in the error's notes.
    """
    return dict(_asked(["examine", reference], reference, seconds))


def tried(reference: str, runs: Sequence[Mapping[str, Any]], seconds: float = SECONDS) -> None:
    """Build the model as runs with these parameters would, and take a step with it.

    Raises:
        ModelError: it cannot be used.
    """
    _asked(
        ["try", reference, json.dumps([{name: run.get(name) for name in DECIDING} for run in runs])], reference, seconds
    )


def _asked(words: list[str], reference: str, seconds: float) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="normstudy-") as folder:
        answer = Path(folder, "answer.json")
        # -P: files beside the caller do not stand for modules that are needed here.
        command = [sys.executable, "-P", "-m", "normstudy.checking", str(answer), *words]
        with subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        ) as process:
            try:
                code = process.wait(seconds)
            except BaseException as error:
                _kill(process)
                process.wait()
                if isinstance(error, subprocess.TimeoutExpired):
                    raise ModelError(f"{reference} was given up after {seconds:g} s") from error
                raise
        if not answer.is_file():
            ended = f"with signal {signal.Signals(-code).name}" if code < 0 else f"with exit code {code}"
            raise ModelError(f"{reference} ended its process {ended}")
        said: dict[str, Any] = json.loads(answer.read_text(encoding="utf-8"))
    if "error" in said:
        wrong = ModelError(said["error"])
        wrong.add_note(said["traceback"])
        raise wrong
    return said


def _kill(process: "subprocess.Popen[bytes]") -> None:
    """End it and all that it has started."""
    if os.name == "posix":
        os.killpg(process.pid, signal.SIGKILL)
    else:
        process.kill()
