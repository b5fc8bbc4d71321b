"""A variant's run beside an earlier one: what changed in its parameters, its curves, its accuracy and its mistakes."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from normstudy.analysis import inference, mistakes
from normstudy.chapters import pictures
from normstudy.data import Dataset
from normstudy.display import figures
from normstudy.display.notation import (
    INTERVAL,
    UNKNOWN,
    count,
    counted,
    decimal,
    interval,
    out_of,
    percent,
    probability,
)
from normstudy.experiments import artefacts

PLACES = ("runs", "output", "baseline")
"""Parameters that say where, not what."""


@dataclass(frozen=True)
class Earlier:
    """What is read of an earlier run; see `experiments.artefacts`."""

    parameters: dict[str, Any]
    history: pd.DataFrame
    predictions: pd.DataFrame


def read(folder: str) -> Earlier | None:
    """The earlier run in a folder; none if its name is empty."""
    if not folder:
        return None
    where = Path(folder)
    return Earlier(artefacts.parameters(where), artefacts.history(where), artefacts.predictions(where))


def changed(earlier: Mapping[str, Any], now: Mapping[str, Any]) -> pd.DataFrame:
    """The parameters that are not what they were, a row each."""
    names = [name for name in now if name not in PLACES and earlier.get(name) != now[name]]
    rows = [(name, str(earlier.get(name, UNKNOWN)), str(now[name])) for name in names]
    return pd.DataFrame(rows or [("none", UNKNOWN, UNKNOWN)], columns=["parameter", "earlier", "now"])


def curves(earlier: pd.DataFrame, now: pd.DataFrame, norm_arg: str) -> tuple[Figure, str]:
    """Loss and accuracy over the epochs, the earlier run's in grey, and the figure's text alternative."""
    ends = [
        f"{name}, {counted(len(history), 'epoch')}"
        + (
            f", test loss {decimal(history['test_loss'].iloc[-1], 4)}, "
            f"test accuracy {percent(history['test_accuracy'].iloc[-1])}"
            if len(history)
            else ""
        )
        for name, history in (("Earlier (grey)", earlier), ("Now", now))
    ]
    return figures.learning_curves(now, norm_arg, earlier), f"Loss and accuracy over the epochs. {'. '.join(ends)}."


def accuracies(earlier: pd.DataFrame, now: pd.DataFrame) -> pd.DataFrame:
    """The test accuracy of both runs with Wilson's interval, from their predictions of the same images."""
    rows = []
    for name, frame in (("earlier", earlier), ("now", now)):
        wrong, images = len(mistakes.mistakes(frame)), len(frame)
        low, high = inference.wilson(1 - wrong / images, images)
        row = {"run": name, "test accuracy (%)": decimal(100 * (1 - wrong / images), 2)}
        rows.append(row | {INTERVAL: interval(100 * low, 100 * high, 2), "misclassified": count(wrong)})
    return pd.DataFrame(rows)


def moved(earlier: pd.DataFrame, now: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The test images gained, which only the earlier run gets wrong, and those lost, which only this one does.

    Each is a row with `index`, `label`, `before` and `after` (the predictions), the surest answers of now first.
    """
    both = now.assign(before=earlier["prediction"].to_numpy()).rename(columns={"prediction": "after"})
    both = both.sort_values(["confidence", "index"], ascending=[False, True], ignore_index=True)
    was_wrong, is_wrong = both["before"] != both["label"], both["after"] != both["label"]
    return both[was_wrong & ~is_wrong], both[is_wrong & ~was_wrong]


def exchanged(gained: pd.DataFrame, lost: pd.DataFrame) -> pd.DataFrame:
    """How many images were gained and lost, and the probability of so unequal numbers by chance (McNemar's test)."""
    p = probability(mistakes.mcnemar(len(lost), len(gained)))
    return pd.DataFrame([{"gained": count(len(gained)), "lost": count(len(lost)), "p": p}])


def shown(images: pd.DataFrame, what: str, dataset: Dataset) -> tuple[Figure, str]:
    """The images that were `what`, such as "gained", and the figure's text alternative."""
    if images.empty:
        nothing = f"No test image was {what}."
        return figures.notice(nothing), nothing
    name = dataset.classes
    figure, titles = pictures.first(
        images, dataset, lambda row: f"{name[row.label]}: {name[row.before]} → {name[row.after]}"
    )
    number = out_of(len(titles), len(images), "test image").capitalize()
    return figure, (
        f"{number} that {'was' if len(images) == 1 else 'were'} {what}; true class: what the earlier run says → what "
        f"this one says: {'; '.join(titles)}."
    )
