"""One notebook is executed, in a process of its own, its kernel in another: what it leaves, and what it says.

Kernels and processes whose parents are killed are in `test_kills`, other ways in which a notebook fails in
`test_failures`.
"""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
import psutil
import pytest

from normstudy.pipeline import forkserver
from normstudy.pipeline.forkserver import Forkserver, Process
from tests.toy import write_notebook

SECONDS = 120
"""More than a notebook here takes on a busy machine."""

FACTS = """
import json, os
from ipykernel import get_connection_info
facts = {"number": number, "text": text, "kernel": os.getpid(), "parent": os.getppid(), "session": os.getsid(0)}
print(json.dumps(json.loads(get_connection_info()) | facts | {"folder": os.getcwd()}))
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with notebooks and the parameters of one."""
    folder = tmp_path_factory.mktemp("kernel").resolve()
    write_notebook(folder / "facts.ipynb", "number: int = 1\ntext: str = 'default'", FACTS)
    write_notebook(folder / "failing.ipynb", "number: int = 1", "print('before')", "1 / 0", "print('after')")
    write_notebook(folder / "long.ipynb", "number: int = 1", "raise ValueError('the first line,\\n    and\\nthe last')")
    (folder / "parameters.yaml").write_text("number: 5\ntext: Größe\n", encoding="utf-8")
    (folder / "none.yaml").write_text("", encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def server(folder: Path) -> Iterator[Forkserver]:
    """The process that notebooks' processes come from, as in a study."""
    with forkserver.start(folder, []) as server:
        yield server


def execute(server: Forkserver, source: str, target: str, parameters: str, log: str) -> tuple[Process, int]:
    """Execute a notebook to its end; its process, and how that ended."""
    process = server.execute(*map(Path, (source, target, parameters, log)))
    began = time.monotonic()
    while (code := process.exit_code()) is None:
        assert time.monotonic() < began + SECONDS, "it does not end"
        time.sleep(0.02)
    return process, code


def facts(notebook: Path) -> Any:
    """What the notebook of facts has printed."""
    printed = nbformat.read(notebook, 4).cells[-1].outputs[0].text
    return json.loads("".join(printed))


def at_work(folder: Path) -> list[int]:
    """The processes that work in a folder."""
    return [process.pid for process in psutil.process_iter(["cwd"]) if process.info["cwd"] == str(folder)]


@dataclass(frozen=True)
class Executed:
    """A notebook that was executed to its end: the number of its process, and its facts."""

    number: int
    facts: Any


@pytest.fixture(scope="module")
def executed(folder: Path, server: Forkserver) -> Executed:
    """The notebook of facts, executed with the parameters of a file."""
    (folder / "log.txt").write_text("what was there\n")
    process, code = execute(server, "facts.ipynb", "executed.ipynb", "parameters.yaml", "log.txt")
    assert code == 0, (folder / "log.txt").read_text()
    return Executed(process.number, facts(folder / "executed.ipynb"))


def test_a_notebook_is_executed_with_the_values_of_the_file_into_another_one(executed: Executed, folder: Path):
    assert (executed.facts["number"], executed.facts["text"]) == (5, "Größe")
    assert not any(cell.outputs for cell in nbformat.read(folder / "facts.ipynb", 4).cells)


def test_its_kernel_is_a_process_beside_its_own_in_the_same_folder(executed: Executed, folder: Path):
    assert executed.facts["kernel"] != executed.facts["parent"] == executed.number
    assert executed.facts["folder"] == str(folder)


def test_control_c_does_not_reach_its_kernel(executed: Executed):
    assert executed.facts["session"] == executed.facts["kernel"]


def test_its_kernel_is_reached_through_files_of_its_own_which_are_removed(executed: Executed):
    assert executed.facts["transport"] == "ipc"
    assert not Path(executed.facts["ip"]).parent.exists()


def test_nothing_is_at_work_when_it_has_ended(executed: Executed, folder: Path, server: Forkserver):
    assert not psutil.pid_exists(executed.facts["kernel"])
    assert at_work(folder) == [server.process.pid]


def test_without_parameters_a_notebook_has_its_defaults(folder: Path, server: Forkserver):
    _, code = execute(server, "facts.ipynb", "defaults.ipynb", "none.yaml", "defaults.txt")
    assert code == 0
    found = facts(folder / "defaults.ipynb")
    assert (found["number"], found["text"]) == (1, "default")


def test_a_cell_that_fails_ends_the_process_with_its_reason_in_the_last_line(folder: Path, server: Forkserver):
    (folder / "failed.txt").write_text("what was there\n")
    _, code = execute(server, "failing.ipynb", "failed.ipynb", "none.yaml", "failed.txt")
    assert code == 1
    lines = (folder / "failed.txt").read_text().splitlines()
    assert (lines[0], lines[-1]) == ("what was there", "ZeroDivisionError: division by zero")
    assert at_work(folder) == [server.process.pid]
    cells = [cell for cell in nbformat.read(folder / "failed.ipynb", 4).cells if cell.cell_type == "code"]
    assert [[output.output_type for output in cell.outputs] for cell in cells] == [[], ["stream"], ["error"], []]


def test_a_reason_of_several_lines_is_said_whole_in_the_last_one(folder: Path, server: Forkserver):
    _, code = execute(server, "long.ipynb", "failed.ipynb", "none.yaml", "long.txt")
    assert code == 1
    assert (folder / "long.txt").read_text().splitlines()[-1] == "ValueError: the first line, and the last"


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        (("nowhere.ipynb", "out.ipynb", "none.yaml"), "nowhere.ipynb: No such file or directory"),
        (("facts.ipynb", "out.ipynb", "nowhere.yaml"), "nowhere.yaml: No such file or directory"),
        (("facts.ipynb", "nowhere/out.ipynb", "none.yaml"), "nowhere/out.ipynb: output folder nowhere doesn't exist."),
        (("facts.ipynb", "folder.ipynb", "none.yaml"), "folder.ipynb: Is a directory"),
    ],
    ids=["no notebook", "no parameters", "no folder", "a folder in its place"],
)
def test_a_file_that_cannot_be_read_or_written_is_named_in_the_last_line(
    folder: Path, server: Forkserver, files: tuple[str, str, str], reason: str
):
    (folder / "folder.ipynb").mkdir(exist_ok=True)
    log = folder / "files.txt"
    log.write_text("")
    _, code = execute(server, *files, log.name)
    assert code == 1
    assert log.read_text().splitlines()[-1] == reason
    assert at_work(folder) == [server.process.pid]


def test_where_processes_are_not_forked_jupyter_starts_the_kernel(folder: Path, server: Forkserver):
    code = "import sys; from normstudy.pipeline import kernel; kernel.FORKS = False; kernel.execute(*sys.argv[1:])"
    files = ("facts.ipynb", "unforked.ipynb", "parameters.yaml", "unforked.txt")
    done = subprocess.run([sys.executable, "-c", code, *files], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, (folder / "unforked.txt").read_text()
    assert (done.stdout, done.stderr) == ("", "")
    found = facts(folder / "unforked.ipynb")
    assert (found["number"], found["text"], found["transport"]) == (5, "Größe", "ipc")
    assert at_work(folder) == [server.process.pid]
