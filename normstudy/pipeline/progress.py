"""How far runs are, a line each; and how far a sweep is, in a bar."""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.live import Live
from rich.progress import MofNCompleteColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar
from rich.table import Table

from normstudy.pipeline.attempts import State
from normstudy.pipeline.execution import Progress
from normstudy.pipeline.plan import Run
from normstudy.pipeline.staleness import Cause, reasons


def line(progress: Progress) -> str:
    """One line on a run: its last epoch, losses, test accuracy and the time left."""
    run, epochs = progress.run, progress.epochs
    text = f"{run.name:<14}"
    if epochs and "test_accuracy" in epochs[-1]:
        last, total = epochs[-1], int(run.parameters["epochs"])
        done = int(last["epoch"])
        text += (
            f"epoch {done:>2}/{total}  training loss {last['train_loss']:.4f}  test loss {last['test_loss']:.4f}  "
            f"test accuracy {100 * last['test_accuracy']:.2f} %  "
        )
        if progress.state is State.RUNNING:
            seconds = sum(row.get("seconds", 0) for row in epochs) / len(epochs)  # the finished file has none
            return f"{text}{seconds * (total - done):.0f} s left"
    return f"{text}{progress.why or progress.state.value}, {progress.seconds:.0f} s"


def standing(run: Run) -> str:
    """One line on a run that is not at work: whether it is up to date, out of date and why, or was never run."""
    why = reasons(run)
    state = f"out of date: {'; '.join(reason.text for reason in why)}" if why else "up to date"
    state = why[0].text if why and why[0].cause is Cause.NEVER_RUN else state
    given = ", ".join(f"{key} {value}" for key, value in run.overrides.items() if key != "dataset")
    return f"{run.name:<14}{state}{f' (with -p {given})' if given else ''}"


def on_terminal(live: Live) -> Callable[[list[Progress]], None]:
    """A report that keeps a line for each run on the terminal."""

    def report(stand: list[Progress]) -> None:
        lines = Table.grid()
        for progress in stand:
            lines.add_row(line(progress))
        live.update(lines, refresh=True)

    return report


def plain(say: Callable[[str], None]) -> Callable[[list[Progress]], None]:
    """Where there is no terminal to draw on: a line whenever a run has finished an epoch."""
    seen: dict[str, int] = {}

    def report(stand: list[Progress]) -> None:
        for progress in stand:
            if progress.state is State.RUNNING and len(progress.epochs) > seen.get(progress.run.name, 0):
                seen[progress.run.name] = len(progress.epochs)
                say(line(progress))

    return report


@contextmanager
def of_sweep(console: Console, name: str) -> Iterator[Callable[[int, int], None]]:
    """A bar on the terminal, moved by what is called with how many runs are finished and how many are asked for.

    An interrupt is raised again from that call: an exception is lost if it comes while another library destroys an
    object.
    """
    pressed: list[int] = []

    def interrupt(number: int, _frame: object) -> None:
        pressed.append(number)
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGINT, interrupt)
    with Bar(
        TextColumn("{task.description}", markup=False),
        MofNCompleteColumn(),
        TextColumn("runs"),
        TimeRemainingColumn(),
        TextColumn("left"),
        console=console,
        disable=not console.is_terminal,
        transient=True,
        speed_estimate_period=3600,
    ) as bar:

        def report(finished: int, asked: int) -> None:
            if pressed:
                raise KeyboardInterrupt
            if bar.task_ids:
                bar.update(bar.task_ids[0], completed=finished)
            else:
                bar.add_task(name, total=asked, completed=finished)

        try:
            yield report
        finally:
            signal.signal(signal.SIGINT, before)
