"""Whether training gives the same numbers again on this machine: its first epoch, once more."""

from contextlib import suppress
from dataclasses import asdict

from normstudy.data import Dataset
from normstudy.notation import significant
from normstudy.training import EpochMetrics, Settings, build, fit


def repeat_first_epoch(norm_arg: str, groups: int, dataset: Dataset, settings: Settings) -> EpochMetrics:
    """The metrics of the first epoch of a training, from its beginning and with all of its settings."""
    found: list[EpochMetrics] = []

    def end(metrics: EpochMetrics) -> None:
        found.append(metrics)
        raise StopIteration

    with suppress(StopIteration):
        fit(build(norm_arg, groups, settings.seed), dataset, settings, end)
    return found[0]


def describe(norm_arg: str, first: EpochMetrics, again: EpochMetrics) -> str:
    """How far two trainings of the same epoch are apart, in a sentence. How long they took is not compared."""
    pairs = [(value, asdict(again)[name]) for name, value in asdict(first).items() if name != "seconds"]
    largest = max(abs(value - other) for value, other in pairs)
    if largest == 0:
        return f"Trained once more, the first epoch of the {norm_arg} variant gave the same numbers, bit for bit."
    return (
        f"Trained once more, the first epoch of the {norm_arg} variant gave other numbers: losses and accuracies "
        f"(0 to 1) that differ by up to {significant(largest)}."
    )
