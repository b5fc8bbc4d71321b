"""The command: what it refuses in one line with exit code 2, and what it says."""

import shutil
import subprocess
from pathlib import Path

import pytest
from rich.live import Live

from normstudy import cli
from normstudy.pipeline import progress
from normstudy.pipeline.attempts import State
from normstudy.pipeline.execution import Progress
from normstudy.pipeline.notebooks import NAMES
from normstudy.pipeline.plan import plan
from tests.commands import ROOT, WITHOUT_QUARTO, command
from tests.grids import make_project, write

REFUSED = {
    "a wrong value": (["run", "-p", "norm_arg", "batchh"], "norm_arg is batchh; it must be 'batch'"),
    "a wrong command": (["runn"], "No such command 'runn'"),
}
"""As a user meets them; tests/test_refusals.py has them all."""


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sources")
    shutil.copytree(ROOT / "report" / "notebooks", folder / "report" / "notebooks")
    shutil.copytree(ROOT / "params", folder / "params")
    shutil.copy(ROOT / "_quarto.yml", folder)
    return folder


def refused(run: subprocess.CompletedProcess[str]) -> str:
    """The one line with which a command refused its input."""
    assert run.returncode == 2, run.stdout + run.stderr
    assert "Traceback" not in run.stderr
    assert run.stdout == ""
    (line,) = run.stderr.splitlines()
    return line


@pytest.mark.parametrize(("words", "right"), REFUSED.values(), ids=REFUSED)
def test_a_wrong_input_is_one_line_and_exit_code_2(words: list[str], right: str, sources: Path):
    assert right in refused(command(sources, "normstudy", *words))


def test_damaged_data_are_named_before_anything_is_trained(
    sources: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    raw = tmp_path / "MNIST" / "raw"
    raw.mkdir(parents=True)
    for name in ("train-images-idx3", "train-labels-idx1", "t10k-images-idx3", "t10k-labels-idx1"):
        (raw / f"{name}-ubyte").write_bytes(b"not an image")
    monkeypatch.setenv("NORMSTUDY_DATA", str(tmp_path))
    line = refused(command(sources, "normstudy", "run"))
    assert "train-images-idx3-ubyte begins with" in line
    assert not list((sources / "report" / "executed").glob("mnist/*"))


def test_outside_a_project_it_says_where_to_go(tmp_path: Path):
    run = command(tmp_path, "normstudy", "status")
    assert run.returncode == 1
    assert "is not in a normstudy project" in run.stderr


def test_status_says_what_was_never_run(sources: Path):
    run = command(sources, "normstudy", "status", "--dataset", "digits")
    assert run.returncode == 0
    assert run.stdout.count("never run") == len(NAMES)


@pytest.fixture
def bracketed(tmp_path: Path) -> Path:
    """A folder whose name looks like markup, an emoji and a format."""
    folder = tmp_path / "a [x] b [bold] :star: {c}"
    folder.mkdir()
    return folder


def test_the_report_s_path_reads_as_it_is(study: Path, bracketed: Path):
    copy = shutil.copytree(study, bracketed / "project")
    (copy / "report" / "index.qmd").write_text("---\ntitle: Short\n---\n\n{{< embed shown/tuning.ipynb#trials >}}\n")
    made = command(copy, *WITHOUT_QUARTO, "render", "--dataset", "digits")
    assert made.returncode == 0, made.stderr
    assert made.stdout.splitlines()[-2:] == [f"{copy}/_report/report/index{suffix}" for suffix in (".html", ".pdf")]


@pytest.mark.slow
def test_a_sweep_s_path_reads_as_it_is(bracketed: Path):
    project = make_project(bracketed)
    file = write(project, "epochs: 1\nbatch_size: 512", name="[x] :star: {c}")
    made = command(project, "normstudy", "sweep", str(file), "-p", "dataset", "digits")
    assert made.returncode == 0, made.stderr
    assert made.stdout.splitlines() == [f"{project}/report/executed/digits/sweeps/{file.stem}.parquet"]


def test_what_a_run_says_while_it_lasts_reads_as_it_is():
    run = plan(ROOT, {})[0]
    why = "failed: NameError: name 'a [x] :star:' is not defined"
    with cli.console.capture() as printed, Live(console=cli.console) as live:
        progress.on_terminal(live)([Progress(run, State.FAILED, why, 0, [])])
    assert why in printed.get()


def test_the_notebook_explains_its_parameters(sources: Path):
    run = command(sources, "papermill", "--help-notebook", "report/notebooks/variant.ipynb")
    assert run.returncode == 0
    for name in ("norm_arg: str", "epochs: int", "learning_rate: float", "l1: float", "seed: int"):
        assert name in run.stdout
    assert "of as many images as there are for training" in run.stdout


@pytest.mark.slow
def test_a_variant_runs_with_plain_papermill_and_beside_an_earlier_run_of_it(sources: Path):
    words = ("papermill", "report/notebooks/variant.ipynb", "out.ipynb", "-f", "params/batch.yaml", "--no-progress-bar",
             "-p", "dataset", "digits", "-p", "epochs")  # fmt: skip
    run = command(sources, *words, "1", "-p", "output", "earlier")
    assert run.returncode == 0, run.stderr
    alone = (sources / "out.ipynb").read_text()
    assert "misclassif" in alone
    assert "Earlier (grey)" not in alone
    run = command(sources, *words, "2", "-p", "baseline", "earlier")
    assert run.returncode == 0, run.stderr
    assert "Earlier (grey), 1 epoch" in (sources / "out.ipynb").read_text()
    assert not (sources / "report" / "executed" / "digits").exists()
    run = command(sources, *words, "2", "-p", "baseline", "nowhere")
    assert run.returncode != 0
    assert "baseline is nowhere; it must be the folder of an earlier run" in run.stderr.strip().splitlines()[-1]
