"""How far runs are, a line each."""

from collections.abc import Callable

from rich.live import Live
from rich.table import Table

from normstudy.pipeline.attempts import State
from normstudy.pipeline.execution import Progress


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
