"""Somebody's code in a process of its own: what it says, how it ends, and that nothing of it is left."""

import os
import signal
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from normstudy.checking import examination, process
from normstudy.machine import model_files
from normstudy.machine.model_files import ModelError
from normstudy.training.network import NETWORK
from tests.watching import becomes_true

Write = Callable[[str], str]

NET = """
from torch import nn

def Net(norm_arg):
    norm = nn.BatchNorm2d(6) if norm_arg == "batch" else nn.GroupNorm(1 if norm_arg == "layer" else 3, 6)
    return nn.Sequential(nn.Conv2d(1, 6, 7, 7), norm, nn.ReLU(), nn.Flatten(), nn.Linear(96, 10))
"""

SAYING = """
import torch
from torch import nn

def Net(norm_arg, groups, depth, initialization, ghost_batch_size):
    if norm_arg != "none":
        asked = f"{norm_arg} {groups} {depth} {initialization} {ghost_batch_size} {torch.initial_seed()}"
        raise ValueError(asked)
    return nn.Sequential(nn.Flatten(), nn.Linear(784, 10))
"""

ENDLESS = "import time; time.sleep(60)"

WITH_A_CHILD = """
import os, signal, subprocess, sys, time
from pathlib import Path
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
Path(__file__).with_name("started").write_text(f"{os.getpid()} {child.pid}")
os.kill(os.getppid(), signal.SIGINT)
time.sleep(60)
"""


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes a model file, and gives a reference to it."""

    def write(text: str) -> str:
        (tmp_path / "model.py").write_text(text)
        return str(tmp_path / "model.py")

    return write


@pytest.fixture
def interruptible() -> Iterator[None]:
    """An interruption raises KeyboardInterrupt, also where tests run in the background."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture
def typed() -> Iterator[None]:
    """Something to read in the standard input."""
    before = os.dup(0)
    reading, writing = os.pipe()
    os.write(writing, b"typed\n")
    os.dup2(reading, 0)
    yield
    os.dup2(before, 0)
    for each in (before, reading, writing):
        os.close(each)


def refused(reference: str, seconds: float = process.SECONDS) -> ModelError:
    with pytest.raises(ModelError) as error:
        process.examined(reference, seconds)
    return error.value


def lives(number: int) -> bool:
    try:
        return psutil.Process(number).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_what_is_examined_elsewhere_is_what_is_examined_here(write: Write):
    reference = write(NET)
    assert process.examined(reference, 300) == examination.examine(model_files.load(reference))


def test_a_run_s_parameters_make_its_network_and_every_run_is_tried(write: Write):
    reference = write(SAYING)
    good = NETWORK | {"norm_arg": "none", "seed": 1, "output": Path("of no interest to the network")}
    other = {"norm_arg": "group", "groups": 2, "depth": 7, "initialization": "he", "ghost_batch_size": 5, "seed": 3}
    with pytest.raises(ModelError) as error:
        process.tried(reference, [good, good | other], 300)
    assert str(error.value) == "Net('group') raises ValueError: group 2 7 he 5 3"


def test_all_parameters_of_a_network_decide_it_and_its_seed():
    assert {*process.DECIDING} == {*NETWORK, "seed"}


def test_what_a_file_raises_is_one_line_and_its_traceback_a_note(write: Write):
    reference = write("\nraise ValueError('no\\nway')")
    error = refused(reference)
    assert str(error) == f"{reference} raises ValueError: no way"
    (note,) = error.__notes__
    assert f'File "{reference}", line 2, in <module>' in note


@pytest.mark.parametrize(
    ("text", "ended"),
    [
        ("import os; os._exit(3)", "with exit code 3"),
        ("import os; os._exit(0)", "with exit code 0"),
        ("import os; os.kill(os.getpid(), 9)", "with signal SIGKILL"),
        ("import os; os.kill(os.getpid(), 15)", "with signal SIGTERM"),
    ],
)
def test_a_file_that_ends_its_process_is_told_by_how_it_ended(text: str, ended: str, write: Write):
    reference = write(text)
    assert str(refused(reference)) == f"{reference} ended its process {ended}"


def test_a_file_that_takes_too_long_is_given_up(write: Write):
    reference = write(ENDLESS)
    assert str(refused(reference, 1.0)) == f"{reference} was given up after 1 s"
    with pytest.raises(ModelError) as error:
        process.tried(reference, [NETWORK | {"norm_arg": "batch", "seed": 0}], 0.25)
    assert str(error.value) == f"{reference} was given up after 0.25 s"


@pytest.mark.usefixtures("interruptible")
def test_an_interruption_ends_a_file_with_all_that_it_has_started(write: Write, tmp_path: Path):
    with pytest.raises(KeyboardInterrupt):
        process.examined(write(WITH_A_CHILD), 300)
    own, child = map(int, (tmp_path / "started").read_text().split())
    assert own != os.getpid()
    assert becomes_true(lambda: not lives(own) and not lives(child))


@pytest.mark.usefixtures("typed")
def test_a_file_reads_and_writes_nothing_of_the_caller_s(write: Write, capfd: pytest.CaptureFixture[str]):
    reference = write("import sys\nprint('out')\nprint('err', file=sys.stderr)\ninput()")
    assert str(refused(reference)) == f"{reference} raises EOFError: EOF when reading a line"
    assert capfd.readouterr() == ("", "")


def test_files_beside_the_caller_stand_for_no_module(write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    reference = write("raise ValueError")
    (tmp_path / "beside").mkdir()
    (tmp_path / "beside" / "json.py").write_text("import os; os._exit(3)")
    monkeypatch.chdir(tmp_path / "beside")
    assert str(refused(reference)) == f"{reference} raises ValueError"


@pytest.mark.parametrize("text", ["raise ValueError", "import os; os._exit(3)", ENDLESS])
def test_no_file_of_a_process_is_left(text: str, write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    own = tmp_path / "temporary"
    own.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(own))
    refused(write(text), 0.25 if text == ENDLESS else process.SECONDS)
    assert list(own.iterdir()) == []
