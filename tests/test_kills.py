"""Commands that are killed: nothing that was complete is lost, and in the end all is as if nobody had killed them.

One kill for each command; the environment's NORMSTUDY_KILLS asks for more.
"""

import csv
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import psutil
import pytest
import safetensors

from normstudy.pipeline import attempts, staleness
from normstudy.pipeline.plan import plan
from normstudy.rendering import render
from normstudy.rendering.render import find_quarto
from tests.commands import ROOT, WITHOUT_QUARTO
from tests.grids import make_project, stored, untimed, write
from tests.toy import run_all, write_toy
from tests.watching import contents

pytestmark = pytest.mark.slow

KILLS = int(os.environ.get("NORMSTUDY_KILLS", "1"))

Look = Callable[[Path], dict[str, Any]]
"""What a project has of each thing that changes in one step."""


def start(project: Path, words: Sequence[str]) -> subprocess.Popen[str]:
    """A command in a process group of its own."""
    environment = os.environ | {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "QUARTO_PYTHON": sys.executable,
    }
    return subprocess.Popen(
        words,
        cwd=project,
        env=environment,
        start_new_session=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def complete(project: Path, words: Sequence[str]) -> float:
    """Run a command to its end; how many seconds that took."""
    began = time.monotonic()
    process = start(project, words)
    said, _ = process.communicate()
    assert process.returncode == 0, said
    return time.monotonic() - began


def kill(process: subprocess.Popen[str], group: bool = True) -> list[psutil.Process]:
    """Kill a command, with its process group or alone; the processes that had come from it."""
    family = psutil.Process(process.pid).children(recursive=True)
    if group:
        os.killpg(process.pid, signal.SIGKILL)
    else:
        process.kill()
    process.communicate() if group else process.wait()
    return family


def alive(processes: list[psutil.Process], seconds: float) -> list[psutil.Process]:
    """Those that are still at work after so many seconds."""
    _, left = psutil.wait_procs(processes, timeout=seconds)
    return [process for process in left if process.is_running() and process.status() != psutil.STATUS_ZOMBIE]


def lasting(file: Path) -> Any:
    """What a file holds without what differs whenever it is made: seconds, times of day, names given at random."""
    if file.suffix == ".csv":
        with file.open(newline="") as rows:
            return [{name: row[name] for name in row if name != "seconds"} for row in csv.DictReader(rows)]
    if file.suffix == ".safetensors":  # the order of its metadata is random
        return dict(safetensors.deserialize(file.read_bytes()))
    if file.suffix == ".ipynb":
        cells = json.loads(file.read_text(encoding="utf-8"))["cells"]
        return [(cell["cell_type"], "".join(cell["source"]), cell.get("outputs")) for cell in cells]
    if file.suffix == ".html":
        named = r'(id|data-execution_count)="[0-9a-f-]{8,36}"|data-quarto-private-\d+="[^"]*papermill[^"]*"'
        made_of = r'"made-of" content="[0-9a-f]{64}"'  # what the notebook's bytes are known by, times of its cells too
        return re.sub(f"{named}|{made_of}", "", file.read_text(encoding="utf-8"))
    if file.suffix == ".pdf":
        at_random_too = rb"\(D:\d{14}Z\)|Date>[^<]*<|\([\w+/]{22}==\)|ID>[\w+/]{22}==<"
        return re.sub(at_random_too, b"", file.read_bytes())
    return file.read_bytes()


def everything(folder: Path) -> dict[str, Any]:
    return {file.relative_to(folder).as_posix(): lasting(file) for file in folder.rglob("*") if file.is_file()}


def differing(one: dict[str, Any], other: dict[str, Any]) -> set[str]:
    """What is not the same in both."""
    return {name for name in one | other if one.get(name) != other.get(name)}


def endure(initial: Path, words: Sequence[str], look: Look) -> tuple[Path, Path]:
    """Kill a command at random moments, over all the time that it takes, and start it again; at last let it end.

    Whenever it gets to its end before it is killed, it begins again with the initial project. After each kill,
    everything must be as it was or as it is to be.

    Returns:
        The project in which it was killed, and one in which it was not.
    """
    undisturbed, project = initial.with_name("undisturbed"), initial.with_name("killed")
    shutil.copytree(initial, undisturbed)
    shutil.copytree(initial, project)
    seconds = complete(undisturbed, words)
    wanted, before = look(undisturbed), look(initial)
    assert differing(wanted, before)
    chance = random.Random(KILLS)
    moments = [(number + chance.random()) / KILLS * seconds for number in range(KILLS)]
    chance.shuffle(moments)
    kills: list[psutil.Process] = []
    for moment in moments:
        while True:
            process = start(project, words)
            try:
                said, _ = process.communicate(timeout=moment)
            except subprocess.TimeoutExpired:
                kills += kill(process)
                break
            assert process.returncode == 0, said
            assert not differing(look(project), wanted)
            shutil.rmtree(project)
            shutil.copytree(initial, project)
            before, moment = look(initial), 0.9 * moment
        now = look(project)
        assert not differing(now, wanted) & differing(now, before), "neither as before nor as it is to be"
        before = now
    complete(project, words)
    assert not differing(look(project), wanted)
    assert not alive(kills, 10)
    return project, undisturbed


def test_a_run_survives_kills(study: Path, tmp_path: Path):
    initial = shutil.copytree(study, tmp_path / "initial")

    def look(project: Path) -> dict[str, Any]:
        places = project / "report" / "executed" / "digits"
        # Between two renamings, a result is beside its place; the next command puts it back.
        return {
            name: everything(places / name if (places / name).exists() else places / f"..{name}")
            for name in ("batch", "layer", "comparison")
        }

    words = ("normstudy", "run", "layer", "-p", "dataset", "digits", "-p", "epochs", "2")
    project, _ = endure(initial, words, look)
    metrics = pd.read_csv(project / "report" / "executed" / "digits" / "layer" / "metrics.csv")
    assert list(metrics["epoch"]) == [1, 2]


def test_a_sweep_survives_kills(tmp_path: Path):
    (tmp_path / "initial").mkdir()
    initial = make_project(tmp_path / "initial")
    write(initial, "seed: [0, 1, 2, 3]\nnorm_arg: batch\nepochs: 2\nbatch_size: 64\n")
    file = Path("params", "grid.yaml")
    words = ("normstudy", "sweep", str(file), "--jobs", "2")
    project, _ = endure(initial, words, lambda project: untimed(stored(project, project / file)))
    assert len(stored(project, project / file)) == 4


@pytest.mark.parametrize("renderer", ["pandoc", "quarto"])
def test_making_the_report_survives_kills(study: Path, tmp_path: Path, renderer: str):
    if renderer == "quarto" and find_quarto() is None:
        pytest.skip("Quarto is not installed")
    command = ("quarto", "render", "--profile") if renderer == "quarto" else (*WITHOUT_QUARTO, "render", "--dataset")
    words = (*command, "digits")
    initial = shutil.copytree(study, tmp_path / "initial")
    (initial / "report" / "index.qmd").write_text(
        "---\ntitle: Short\n---\n\n{{< embed shown/tuning.ipynb#trials >}}\n\n{{< var batch.epochs >}} epochs\n"
    )
    complete(initial, words)
    published = initial / "report" / "results" / "tuning.csv"
    rows = pd.read_csv(published)
    rows["held_out_accuracy"] -= 0.01
    rows.to_csv(published, index=False)

    def look(project: Path) -> dict[str, Any]:
        shown = everything(project / "report" / "shown") | {"variables": (project / "_variables.yml").read_bytes()}
        # Quarto puts what it makes of a notebook beside it, on its way to the report.
        on_the_way = re.compile(r"\.aside$|_files/|\.out\.ipynb$")
        things = {name: thing for name, thing in shown.items() if not on_the_way.search(name)}
        # Between two renamings, the earlier report is beside its place; the next command puts it back.
        report, earlier = project / "_report", (project / ".quarto").glob("report-*/earlier")
        things["_report"] = everything(report if report.exists() else next(earlier))
        return things

    project, undisturbed = endure(initial, words, look)
    assert not differing(everything(project / "_report"), everything(undisturbed / "_report"))
    assert differing(everything(project / "_report"), everything(initial / "_report"))


def test_training_goes_on_from_the_last_completed_epoch(project: Path, tmp_path: Path):
    copy = shutil.copytree(project, tmp_path / "project")
    words = ("normstudy", "run", "layer", "-p", "dataset", "digits", "-p", "epochs", "8")
    places = copy / "report" / "executed" / "digits"
    shutil.rmtree(places, ignore_errors=True)
    process = start(copy, words)
    rows: list[str] = []
    while len(rows) < 3:  # a header and two epochs
        assert process.poll() is None, process.communicate()
        time.sleep(0.02)
        rows = [line for file in places.glob(".layer.*/metrics.csv") for line in file.read_text().splitlines(True)]
        rows = [line for line in rows if line.endswith("\n")]
    kill(process)
    complete(copy, words)
    times = (places / "layer" / "times.csv").read_text().splitlines()
    assert len(times) == 9
    # The seconds that an epoch took are never the same twice: these epochs were not trained again.
    assert [line.split(",")[-1] for line in times[1:3]] == [line.strip().split(",")[-1] for line in rows[1:3]]


@pytest.mark.parametrize("group", [True, False], ids=["its whole group is killed", "it alone is killed"])
def test_a_killed_command_leaves_no_process_behind(tmp_path: Path, group: bool):
    write_toy(tmp_path)
    variant = tmp_path / "report" / "notebooks" / "variant.ipynb"
    content = json.loads(variant.read_text())
    content["cells"][1]["source"] = "import time\ntime.sleep(600)"
    variant.write_text(json.dumps(content))
    process = start(tmp_path, ("normstudy", "run", "batch"))
    busy = False
    while not busy:
        assert process.poll() is None, process.communicate()
        time.sleep(0.1)
        notebooks = (tmp_path / "report" / "executed" / "digits").glob(".batch.*/batch.ipynb")
        busy = any('"status": "running"' in file.read_text() for file in notebooks)
    family = kill(process, group)
    assert len(family) == 3, "what the notebook's process is forked from, that process, and its kernel"
    assert not alive(family, 20)
    if not group:
        process.communicate()


KILLED_BEFORE_EACH_STEP = """
import itertools, os, shutil, signal, sys
from pathlib import Path

initial, states = map(Path, sys.argv[1:3])

def die_before(number):
    steps = itertools.count(1)
    def hook(event, arguments):
        changes = event in ("os.rename", "os.remove", "os.rmdir", "os.mkdir", "os.truncate") or (
            event == "open" and isinstance(arguments[1], str) and set("wax+") & set(arguments[1])
        )
        if changes and next(steps) == number:
            if event == "open" and "w" in arguments[1]:  # dead between opening and writing
                os.close(os.open(arguments[0], os.O_CREAT | os.O_TRUNC | os.O_WRONLY))
            os.kill(os.getpid(), signal.SIGKILL)
    sys.addaudithook(hook)

for number in itertools.count(1):
    root = shutil.copytree(initial, states / str(number))
    child = os.fork()
    if child == 0:
        os.chdir(root)
        root = Path.cwd()
        die_before(number)
        {step}
        os._exit(0)
    ended = os.waitpid(child, 0)[1]
    if not os.WIFSIGNALED(ended):  # it came to its end, or failed
        sys.exit(os.waitstatus_to_exitcode(ended))
"""


def killed_before_each_step(imports: str, step: str, initial: Path, states: Path) -> list[Path]:
    """What a project is like when a process was killed before the first, second … thing that it did to the disk.

    The last one is as it is when the process gets to its end.
    """
    states.mkdir()
    code = imports + KILLED_BEFORE_EACH_STEP.replace("{step}", textwrap.indent(step, 8 * " ").strip())
    made = subprocess.run([sys.executable, "-c", code, initial, states], cwd=ROOT, capture_output=True, text=True)
    assert made.returncode == 0, made.stderr
    found = sorted(states.iterdir(), key=lambda folder: int(folder.name))
    assert len(found) > 3
    return found


def test_a_new_result_takes_the_place_of_the_earlier_one_whole_or_not_at_all(finished: Path, tmp_path: Path):
    initial = shutil.copytree(finished, tmp_path / "initial")
    folder = initial / "report" / "executed" / "digits" / "batch"
    aside = shutil.copytree(folder, folder.with_name(".batch.0"))
    (aside / "metrics.csv").write_text("epoch\n2\n")
    earlier, new = contents(folder), contents(aside)
    states = killed_before_each_step(
        "from normstudy.pipeline import attempts\nfrom normstudy.pipeline.plan import plan\n",
        'attempts.put_in_place(plan(root, None)[0], root / "report/executed/digits/.batch.0")',
        initial,
        tmp_path / "states",
    )
    seen = []
    for state in states:
        without = shutil.copytree(state, tmp_path / "without" / state.name)
        folder = without / "report" / "executed" / "digits" / "batch"
        shutil.rmtree(folder, ignore_errors=True)
        attempts.restore(plan(without, None)[0])
        assert not folder.exists() or contents(folder) == earlier, "the rest of an interrupted removal is no result"

        folder = state / "report" / "executed" / "digits" / "batch"
        assert run_all(state) == {}, "there is a complete result, so nothing is to be made"
        seen.append(contents(folder))
        assert seen[-1] in (earlier, new)
        assert not folder.with_name("..batch").exists()
    assert seen[0] == earlier
    assert seen[-1] == new


def test_a_checkpoint_passes_to_the_next_attempt_whole_or_not_at_all(finished: Path, tmp_path: Path):
    initial = shutil.copytree(finished, tmp_path / "initial")
    folder = initial / "report" / "executed" / "digits" / "batch"
    leftover = folder.rename(folder.with_name(".batch.0"))
    (leftover / "checkpoint.safetensors").write_text("the first epochs")
    states = killed_before_each_step(
        "from unittest.mock import Mock\nfrom normstudy.pipeline import attempts\n"
        "from normstudy.pipeline.plan import plan\n",
        "attempts.start(root, plan(root, None)[0], Mock())",
        initial,
        tmp_path / "states",
    )
    for state in states:
        run = plan(state, None)[0]
        record = staleness.record_of(run)
        usable = [
            folder
            for folder in run.folder.parent.glob(".batch.*")
            if (folder / "checkpoint.safetensors").is_file() and staleness.read_record(folder) == record
        ]
        assert len(usable) == 1, f"killed before step {state.name}"


def test_what_is_published_is_whole_at_any_moment(finished: Path, tmp_path: Path):
    initial = shutil.copytree(finished, tmp_path / "initial")
    publish = 'handover.publish(root, plan(root, None, "digits"))'
    imports = "from normstudy.pipeline import handover\nfrom normstudy.pipeline.plan import plan\n"
    *_, initial = killed_before_each_step(imports, publish, initial, tmp_path / "first")
    shown = initial / "report" / "shown"
    earlier = contents(shown)
    for name in ("batch", "layer"):
        (initial / "report" / "executed" / "digits" / name / "metrics.csv").write_text(1000 * f"{name}\n")
    states = killed_before_each_step(imports, publish, initial, tmp_path / "second")
    new = contents(states[-1] / "report" / "shown")
    for state in states:
        files = contents(state / "report" / "shown")
        for name in earlier.keys() | new.keys():
            assert files.get(name) in (earlier.get(name), new.get(name)), f"{name}, killed before step {state.name}"


def test_the_earlier_report_stays_or_comes_back(tmp_path: Path):
    initial = tmp_path / "initial"
    (initial / "report").mkdir(parents=True)
    (initial / "_quarto.yml").write_text(
        "project: {type: website, output-dir: _report, render: [report/index.qmd]}\nformat: {html: {}, typst: {}}\n"
    )
    (initial / "report" / "index.qmd").write_text("---\ntitle: A\n---\n\nText.\n")
    (initial / "_report").mkdir()
    (initial / "_report" / "index.html").write_text("earlier")
    imports = textwrap.dedent("""
        from normstudy.rendering import render
        def made(root, article, output, profile):
            output.mkdir()
            (output / "index.html").write_text("new")
            return []
        render.with_pandoc = made
    """)
    states = killed_before_each_step(imports, "render.render(root)", initial, tmp_path / "states")
    seen = []
    for state in states:
        code = f"{imports}\ndef made(*_): raise render.RenderError('no')\nrender.with_pandoc = made\n"
        code += "try: render.render(render.Path())\nexcept render.RenderError: pass"
        subprocess.run([sys.executable, "-c", code], cwd=state, check=True)
        seen.append((state / "_report" / "index.html").read_text())
        assert not list((state / ".quarto").iterdir())
    assert seen[0] == "earlier"
    assert seen[-1] == "new"
    assert set(seen) == {"earlier", "new"}


def test_a_format_that_quarto_has_made_alone_joins_the_other_in_one_step(tmp_path: Path):
    initial = tmp_path / "initial"
    (initial / "report").mkdir(parents=True)
    (initial / "_quarto.yml").write_text("project: {render: [report/index.qmd]}\n")
    for name in ("_report/report/index.html", "_report/report/index.pdf", ".quarto/report/report/index.pdf"):
        (initial / name).parent.mkdir(parents=True, exist_ok=True)
        (initial / name).write_text(f"{name}\n")
    earlier = contents(initial / "_report")
    states = killed_before_each_step(
        "from normstudy.rendering import render\n",
        'render.finish(root, root / ".quarto" / "report", lambda _: None)',
        initial,
        tmp_path / "states",
    )
    new = contents(states[-1] / "_report")
    assert new == earlier | {"report/index.pdf": b".quarto/report/report/index.pdf\n"}
    for state in states:
        with render.in_place_of_earlier(state) as made:  # what the next command does first
            shutil.copytree(state / "_report", made)
        assert contents(state / "_report") in (earlier, new), f"killed before step {state.name}"
