"""The command `normstudy`: run the notebooks that are out of date, say which those are, make the report."""

import json
import math
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.live import Live

from normstudy.checking import process, template, verdict
from normstudy.experiments import places
from normstudy.experiments.parameters import VARIANTS
from normstudy.experiments.places import StudyError
from normstudy.files import DATASETS
from normstudy.machine import whole
from normstudy.machine.model_files import ModelError
from normstudy.pipeline import execution, handover, progress
from normstudy.pipeline.attempts import State
from normstudy.pipeline.execution import Progress
from normstudy.pipeline.notebooks import NAMES
from normstudy.pipeline.plan import Run, plan
from normstudy.pipeline.staleness import reasons

console = Console(highlight=False, soft_wrap=True, markup=False, emoji=False)  # text reads as it stands


class Commands(click.Group):
    """Commands whose errors are one line: exit code 2 for a wrong input, 1 for a study or a report that failed."""

    def main(self, *args: Any, **settings: Any) -> Any:
        """Run the command; see `click.Command.main`."""
        try:
            return super().main(*args, **settings | {"standalone_mode": False})
        except click.exceptions.Abort:
            sys.exit(130)
        except click.ClickException as error:
            print(f"normstudy: {error.format_message()}", file=sys.stderr)
            sys.exit(2)
        except ValueError as error:
            print(f"normstudy: {error}", file=sys.stderr)
            sys.exit(2)
        except (StudyError, OSError) as error:
            print(f"normstudy: {error}", file=sys.stderr)
            sys.exit(1)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="normstudy", message="%(version)s")
def main() -> None:
    """The study of normalization layers: train the variants, make the report."""


DATASET = click.option("--dataset", type=click.Choice(DATASETS), help="The data whose results are meant.")


def _positive(_context: click.Context, _parameter: click.Parameter, seconds: float | None) -> float | None:
    if seconds is not None and not 0 < seconds < math.inf:  # click's own range lets NaN through
        raise click.BadParameter(f"{seconds:g} is not a number of seconds above 0")
    return seconds


def _once(_context: click.Context, _parameter: click.Parameter, given: tuple[tuple[str, str], ...]) -> dict[str, str]:
    overrides = dict(given)
    for name in overrides:
        if sum(name == other for other, _ in given) > 1:
            raise click.BadParameter(f"{name} is given twice")
    return overrides


SET = click.option(
    "-p", "overrides", metavar="NAME VALUE", type=(str, str), multiple=True, callback=_once, help="Set a parameter."
)
TIME_LIMIT = click.option(
    "--time-limit",
    type=float,
    callback=_positive,
    envvar="NORMSTUDY_TIME_LIMIT",  # for quarto render, whose options are its own
    show_envvar=True,
    help="Seconds a notebook may take.",
)


@main.command()
@click.argument("names", metavar="[VARIANT]…", nargs=-1, type=click.Choice(NAMES))
@SET
@TIME_LIMIT
def run(names: tuple[str, ...], overrides: dict[str, str], time_limit: float | None) -> None:
    """Run the notebooks that are out of date: all of them, or those that are named.

    Results land in report/executed/<dataset>/<name>/.
    """
    root = places.find_root()
    runs = plan(root, overrides)
    chosen = [run for run in runs if not names or run.name in names]
    with execution.only_one(root, console.print):
        ended = _bring_up_to_date(root, chosen, time_limit)
    for run in chosen:
        if run.name not in {end.run.name for end in ended} and not reasons(run):
            console.print(f"{run.name}: up to date")
    _stop_if_failed(chosen, ended)


@main.command()
@DATASET
def status(dataset: str | None) -> None:
    """Say of each notebook whether it is up to date, out of date (and why), or was never run."""
    root = places.find_root()
    executed = root / "report" / "executed"
    present = [name for name in DATASETS if (executed / name).is_dir()]
    names: list[str | None] = [dataset] if dataset else [*present] or [None]
    for name in names:
        runs = plan(root, None, name)
        console.print(str(runs[0].parameters["dataset"]), style="bold")
        for run in runs:
            console.print(f"  {progress.standing(run)}")


@main.command()
@click.argument("file", type=click.Path(path_type=Path))
@SET
@click.option(
    "-j", "--jobs", type=click.IntRange(min=1), help="Runs at a time on this machine; one a core if left out."
)
@click.option("--scheduler", metavar="ADDRESS", help="Let the workers of a Dask scheduler make the runs.")
def sweep(file: Path, overrides: dict[str, str], jobs: int | None, scheduler: str | None) -> None:
    """Make the runs that a sweep file asks for and that have no result yet, such as params/factorial.yaml.

    A finished run is kept whatever happens; the same command goes on from there. Results land in
    report/executed/<dataset>/sweeps/.
    """
    from normstudy.experiments.sweep import sweep as make  # here, since importing torch takes long

    with progress.of_sweep(console, file.stem) as report:
        table = make(places.find_root(), file, overrides, jobs, scheduler, report, console.print)
    console.print(str(table))


@main.command()
@click.argument("file", default="model.py", type=click.Path(path_type=Path, dir_okay=False))
def new(file: Path) -> None:
    """Write a model.py to start from, and beside it a notebook that checks it, trains it and draws the four graphs."""
    for made in template.write(file):
        console.print(str(made))


@main.command()
@click.argument("models", metavar="[FILE[:CLASS]]…", nargs=-1)
@click.option("--json", "as_json", is_flag=True, help="Print what was found for a program to read.")
@click.option("--html", type=click.Path(path_type=Path, dir_okay=False), help="Write what was found as a page.")
@click.option("--time-limit", type=float, callback=_positive, default=process.SECONDS, help="Seconds a file may take.")
@click.option("--traceback", is_flag=True, help="Print the traceback of a network that cannot be built or run.")
def check(models: tuple[str, ...], as_json: bool, html: Path | None, time_limit: float, traceback: bool) -> None:
    """Measure what the normalization layers of a model.py really compute; of the project's own if none is named.

    A file is executed: check only those that you trust. The exit code is 0 if each does what its argument says, 1 if
    one does not, and 2 if one cannot be checked.
    """
    from normstudy.checking import report as check_report  # here, since no other command waits for what it imports

    if html and not html.parent.is_dir():
        raise ValueError(f"{html.parent} is not a folder; the page of --html goes into one that is there")
    all_checked: list[dict[str, Any]] = []
    for model in models or ("",):
        name = model or "the project's own"
        try:
            variants = verdict.judge(process.examined(model, time_limit))
            all_checked.append({"model": name, "variants": variants})
            raised = [found.get("traceback", "") for found in variants.values()]
        except ModelError as error:
            all_checked.append({"model": name, "error": str(error)})
            raised = getattr(error, "__notes__", [])
        if traceback:
            print(*raised, sep="", end="", file=sys.stderr)
        if len(models) > 1 and not as_json:
            console.print(check_report.line(all_checked[-1]))
    if html:
        whole.write(html, check_report.page(all_checked).encode())
    if as_json:
        print(json.dumps(all_checked, indent=1))
    elif len(all_checked) > 1:
        console.print(check_report.summary(all_checked))
    elif "error" in all_checked[0]:
        raise ModelError(all_checked[0]["error"])
    else:
        for part in check_report.lines(all_checked[0]):
            console.print(part)
    sys.exit(max(map(check_report.code, all_checked)))


@main.command()
@DATASET
@TIME_LIMIT
def prepare(dataset: str | None, time_limit: float | None) -> None:
    """Do what comes before a render: run what is out of date, hand the results to the renderers."""
    root = places.find_root()
    with execution.only_one(root, console.print):
        _prepare(root, dataset, time_limit)


@main.command()
@DATASET
@TIME_LIMIT
def render(dataset: str | None, time_limit: float | None) -> None:
    """Make the report, HTML and PDF: with Quarto where it is installed, otherwise with Pandoc and Typst."""
    from normstudy.rendering import render as rendering  # here, since no other command waits for what it imports

    root = places.find_root()
    with execution.only_one(root, console.print):  # until the end, since another dataset's results go to the same place
        quarto = rendering.find_quarto()
        console.print(f"Renderer: {rendering.renderer(quarto)}")
        _prepare(root, dataset, time_limit)
        files = rendering.render(root, dataset, quarto)
    for file in files:
        console.print(str(file))


def _prepare(root: Path, dataset: str | None, time_limit: float | None) -> None:
    runs = plan(root, None, dataset)
    ended = _bring_up_to_date(root, runs, time_limit)
    _stop_if_failed(runs, ended)
    handover.publish(root, runs)


def _bring_up_to_date(root: Path, runs: Sequence[Run], time_limit: float | None) -> list[Progress]:
    with Live(console=console, transient=True, auto_refresh=False) as live:
        report = progress.on_terminal(live) if console.is_terminal else progress.plain(console.print)
        ended = execution.bring_up_to_date(root, runs, report, time_limit)
    for end in ended:
        console.print(progress.line(end))
        if end.state is State.DONE and (said := handover.variables(end.run).get("diverged")):
            console.print(said)
    return ended


def _stop_if_failed(runs: Sequence[Run], ended: Sequence[Progress]) -> None:
    failed = [end.run.name for end in ended if end.state is State.FAILED]
    if failed:
        raise StudyError(f"{', '.join(failed)} failed; the earlier results stay as they were")
    waiting = [run.name for run in runs if run.results and reasons(run)]
    if waiting:
        raise StudyError(
            f"{', '.join(waiting)} needs the results of {', '.join(VARIANTS)}; 'normstudy run' makes them all"
        )
