"""What is said of runs while they last and of those that are not at work, and a sweep's bar."""

import contextlib
import io
import json
import signal
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console
from rich.live import Live

from normstudy.pipeline import progress
from normstudy.pipeline.attempts import State
from normstudy.pipeline.execution import Progress
from normstudy.pipeline.notebooks import NAMES
from normstudy.pipeline.plan import Run, plan
from normstudy.pipeline.staleness import record_of
from tests.toy import find


def run(name: str = "batch") -> Run:
    return Run(name, Path(f"{name}.ipynb"), {"epochs": 12}, {}, Path(name), (), ())


def epoch(number: int, seconds: float = 2.0) -> dict[str, float]:
    return {"epoch": number, "train_loss": 0.25, "test_loss": 0.125, "test_accuracy": 0.9712, "seconds": seconds}


def test_a_run_at_work_has_its_last_epoch_and_the_time_that_its_other_epochs_will_take():
    said = progress.line(Progress(run(), State.RUNNING, "", 100, [epoch(1, seconds=7), epoch(2, seconds=1)]))
    assert said == (
        "batch         epoch  2/12  training loss 0.2500  test loss 0.1250  test accuracy 97.12 %  40 s left"
    )


@pytest.mark.parametrize(("state", "why", "end"), [(State.DONE, "", "done"), (State.FAILED, "no room", "no room")])
def test_a_run_that_has_ended_has_its_last_epoch_how_it_ended_and_the_time_that_it_took(
    state: State, why: str, end: str
):
    untimed = [{name: value for name, value in epoch(12).items() if name != "seconds"}]
    said = progress.line(Progress(run(), state, why, 41.6, untimed))
    assert said.endswith(f"epoch 12/12  training loss 0.2500  test loss 0.1250  test accuracy 97.12 %  {end}, 42 s")


@pytest.mark.parametrize("epochs", [[], [{"depth": 4.0}]], ids=["none yet", "other numbers"])
def test_without_epochs_there_are_the_state_and_the_time(epochs: list[dict[str, float]]):
    assert progress.line(Progress(run(), State.RUNNING, "", 3, epochs)) == "batch         running, 3 s"


def test_what_is_said_begins_at_the_same_place_whatever_the_name():
    lines = {name: progress.line(Progress(run(name), State.DONE, "", 1, [])) for name in NAMES}
    assert {line.index("done, 1 s") for line in lines.values()} == {14}
    assert all(line.split(" ")[0] == name for name, line in lines.items())


def leave(run: Run) -> None:
    """What is left where a run is complete."""
    run.folder.mkdir(parents=True)
    run.notebook.touch()
    (run.folder / "record.json").write_text(json.dumps(record_of(run)))


def test_a_run_that_is_not_at_work_is_never_run_then_up_to_date_then_out_of_date(toy: Path):
    assert progress.standing(find(toy, "batch")) == "batch         never run"
    leave(find(toy, "batch"))
    assert progress.standing(find(toy, "batch")) == "batch         up to date"
    (toy / "params" / "batch.yaml").write_text("norm_arg: batch\nepochs: 3\ngroups: 2\n")
    found = progress.standing(find(toy, "batch"))
    assert found == "batch         out of date: groups was 4, is 2; epochs was 2, is 3"


def test_what_a_run_is_given_is_said_but_for_the_dataset(toy: Path):
    asked = plan(toy, {"dataset": "digits", "epochs": 5, "groups": 1})[0]
    assert progress.standing(asked) == "batch         never run (with -p epochs 5, groups 1)"
    leave(asked)
    assert progress.standing(asked) == "batch         up to date (with -p epochs 5, groups 1)"


def test_on_a_terminal_every_run_keeps_a_line():
    console = Console(file=io.StringIO(), width=200)
    with console.capture() as printed, Live(console=console, auto_refresh=False) as live:
        report = progress.on_terminal(live)
        for seconds in (1, 2):
            report([Progress(run(name), State.RUNNING, "", seconds, []) for name in ("batch", "layer")])
    lines = [line.rstrip() for line in printed.get().splitlines()]
    assert lines == ["batch         running, 2 s", "layer         running, 2 s"], "the newest alone"


def test_elsewhere_a_run_is_said_once_an_epoch():
    said: list[str] = []
    report = progress.plain(said.append)
    one, other = (Progress(run(name), State.RUNNING, "", 1, []) for name in ("batch", "layer"))
    report([one, other])
    assert said == [], "none has finished an epoch"
    first = [replace(one, epochs=[epoch(1)]), replace(other, epochs=[epoch(1)])]
    report(first)
    report(first)
    report([replace(one, epochs=[epoch(1), epoch(2)]), first[1]])
    assert [line.partition("/")[0].split() for line in said] == [
        ["batch", "epoch", "1"],
        ["layer", "epoch", "1"],
        ["batch", "epoch", "2"],
    ]


def test_elsewhere_the_end_of_a_run_is_left_to_others():
    said: list[str] = []
    progress.plain(said.append)([Progress(run(), State.DONE, "", 1, [epoch(12)])])
    assert said == []


def of_sweep(terminal: bool, *reports: tuple[int, int]) -> str:
    """What a sweep of the name [x] leaves where it writes."""
    written = io.StringIO()
    environment = {"COLUMNS": "100", "TERM": "xterm"}
    console = Console(file=written, force_terminal=terminal, color_system=None, _environ=environment)
    with progress.of_sweep(console, "[x]") as report:
        for finished, asked in reports:
            report(finished, asked)
    return written.getvalue()


def test_a_sweep_has_its_name_as_it_is_and_how_many_of_its_runs_are_finished():
    said = of_sweep(True, (3, 20), (5, 20))
    assert "[x]  5/20 runs" in said


def test_where_there_is_no_terminal_a_sweep_has_no_bar():
    assert of_sweep(False, (3, 20), (5, 20)) == ""


def test_an_interrupt_that_was_lost_comes_again_with_the_next_report():
    before = signal.getsignal(signal.SIGINT)
    with progress.of_sweep(Console(file=io.StringIO()), "x") as report:
        report(0, 2)
        with contextlib.suppress(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            report(1, 2)
    assert signal.getsignal(signal.SIGINT) is before, "afterwards an interrupt means what it meant"
