"""Whether training gives the same numbers again on this machine: its first epoch, once more."""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from normstudy.data import Dataset
from normstudy.training import EpochMetrics, Settings, build, fit


def repeat_first_epoch(parameters: Mapping[str, Any], dataset: Dataset) -> EpochMetrics:
    """The metrics of the first epoch of a variant's training, from its beginning and with all of its parameters."""
    found: list[EpochMetrics] = []

    def end(metrics: EpochMetrics) -> None:
        found.append(metrics)
        raise StopIteration

    with suppress(StopIteration):
        fit(build(parameters), dataset, Settings.of(parameters), end)
    return found[0]
