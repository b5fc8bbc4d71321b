"""The chapter of a variant: its tables and figures, each with its text alternative, and what its run leaves behind."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
import pandas as pd
import torch
from matplotlib.figure import Figure
from torch import nn

from normstudy import statistics
from normstudy.analysis import mistakes
from normstudy.analysis.trained_layers import Layer
from normstudy.chapters import pictures
from normstudy.data import Dataset
from normstudy.display import figures, network, sharing
from normstudy.display.notation import count, counted, decimal, exact, out_of, percent, significant
from normstudy.model import count_parameters
from normstudy.normalizations import NORMALIZATIONS
from normstudy.training import Diverged, EpochMetrics, Settings

Shown = tuple[Figure, str]
"""A figure and its text alternative."""


def parts(dataset: Dataset) -> pd.DataFrame:
    """The training and the test images: how many, their size and classes."""
    named = {
        "training": (dataset.train_images, dataset.train_labels),
        "test": (dataset.test_images, dataset.test_labels),
    }
    return pd.DataFrame(
        [
            {
                "part": name,
                "images": len(labels),
                "pixels": "×".join(map(str, images.shape[1:])),
                "classes": len(dataset.classes),
            }
            for name, (images, labels) in named.items()
        ]
    )


def tensors(net: nn.Module) -> pd.DataFrame:
    """The trained tensors of a network, and all of them together."""
    rows = [
        {"tensor": name, "shape": "×".join(map(str, tensor.shape)), "parameters": tensor.numel()}
        for name, tensor in net.named_parameters()
    ]
    return pd.DataFrame([*rows, {"tensor": "all", "shape": "", "parameters": count_parameters(net)}])


def drawing(net: nn.Module, dataset: Dataset) -> Shown:
    """The network, with the shapes that an image of the dataset has in it."""
    found = network.stages(net, torch.zeros(1, 1, *dataset.train_images.shape[1:], device=dataset.device))
    return network.figure(found), network.alternative(found)


def before_and_after(layer: Layer, norm_arg: str, groups: int) -> pd.DataFrame:
    """Mean and standard deviation of each set of values that share, as a layer was given them and as it returned them.

    Without normalization nothing is shared; the sets are then those of batch normalization.
    """
    kind = norm_arg if NORMALIZATIONS[norm_arg].count else "batch"
    given, returned = (statistics.statistics(x, kind, groups, epsilon=0) for x in (layer.given, layer.returned))
    return pd.DataFrame(
        {
            "who shares": sharing.members(layer.given.shape, kind, groups),
            "mean before": given.means,
            "deviation before": given.standard_deviations,
            "mean after": returned.means,
            "deviation after": returned.standard_deviations,
        }
    )


def what_a_layer_does(table: pd.DataFrame) -> Shown:
    """The figure of `before_and_after`."""
    ends = table.drop(columns="who shares").agg(["min", "max"]).map(lambda value: decimal(value, 2))
    words = [f"{what} from {' to '.join(ends[what])}" for what in ends]
    return sharing.before_and_after_figure(table), (
        f"Means and standard deviations of {counted(len(table), 'set')} of values that share: {', '.join(words)}."
    )


def diverged(norm_arg: str, settings: Settings, error: Diverged) -> str:
    """When a variant's training diverged, and which settings are the likely culprits."""
    peak, l1, l2 = map(exact, (settings.learning_rate, settings.l1, settings.l2))
    return (
        f"The {norm_arg} variant diverged: the loss is not finite in epoch {error.epoch}, batch {error.batch}. Too "
        f"high is probably learning_rate ({peak}), l1 ({l1}) or l2 ({l2})."
    )


def epochs(history: pd.DataFrame) -> pd.DataFrame:
    """The metrics of every epoch as the report prints them."""
    return pd.DataFrame(
        {
            "epoch": history["epoch"],
            "learning rate": history["learning_rate"].map(lambda rate: significant(rate, 3)),
            "training loss": history["train_loss"].map(lambda loss: decimal(loss, 4)),
            "penalty": history["train_penalty"].map(lambda loss: decimal(loss, 4)),
            "training accuracy (%)": history["train_accuracy"].map(lambda accuracy: decimal(100 * accuracy, 2)),
            "test loss": history["test_loss"].map(lambda loss: decimal(loss, 4)),
            "test accuracy (%)": history["test_accuracy"].map(lambda accuracy: decimal(100 * accuracy, 2)),
        }
    )


def curves(history: pd.DataFrame, norm_arg: str, stopped: str) -> Shown:
    """Loss and accuracy over the epochs; where training was `stopped` before its first epoch ended, that it was."""
    if history.empty:
        return figures.notice(stopped), stopped
    loss, penalty, test_loss = (
        " to ".join(decimal(history[name].iloc[place], 4) for place in (0, -1))
        for name in ("train_loss", "train_penalty", "test_loss")
    )
    accuracy, test_accuracy = (
        " to ".join(percent(history[name].iloc[place]) for place in (0, -1))
        for name in ("train_accuracy", "test_accuracy")
    )
    return figures.learning_curves(history, norm_arg), (
        f"Two panels over {counted(len(history), 'epoch')}. Left, the loss: training {loss}, test {test_loss}, penalty "
        f"{penalty}. Right, the accuracy: training {accuracy}, test {test_accuracy}."
    )


def misclassified(wrong: pd.DataFrame, dataset: Dataset, norm_arg: str, stopped: str) -> Shown:
    """The mistakes with the most confidence: `wrong` as `mistakes.mistakes` has them."""
    if stopped:
        return figures.notice(stopped), stopped
    name = dataset.classes
    figure, titles = pictures.first(
        wrong, dataset, lambda row: f"{name[row.label]} → {name[row.prediction]}, {percent(row.confidence, 0)}"
    )
    return figure, (
        f"{caption(len(titles), len(wrong), f'the {norm_arg} variant')} Those with the most confidence; true class → "
        f"predicted class, confidence: {'; '.join(titles)}."
    )


def caption(shown: int, wrong: int, who: str) -> str:
    """What a picture of misclassified images shows: so many of all that `who`, such as "every variant", gets wrong."""
    if not wrong:
        return f"There is no test image that {who} misclassifies."
    part = out_of(shown, wrong, "test image").capitalize()
    return f"{part} that {who} misclassifies."


def confusion(predictions: pd.DataFrame, classes: Sequence[str], norm_arg: str, stopped: str) -> Shown:
    """Which classes are taken for which."""
    if stopped:
        return figures.notice(stopped), stopped
    counts = mistakes.confusion(predictions, len(classes))
    return figures.confusion_matrix(counts, classes, norm_arg), describe_confusion(
        counts, classes, f"the {norm_arg} variant"
    )


def describe_confusion(counts: np.ndarray, classes: Sequence[str], who: str) -> str:
    """A confusion matrix (K, K) in words: how many images are right, and the most frequent mistake."""
    errors = counts - np.diag(np.diag(counts))
    true, predicted = np.unravel_index(errors.argmax(), errors.shape)
    most = (
        f"The most frequent mistake is {classes[true]} taken for {classes[predicted]}, {counted(errors.max(), 'time')}."
        if errors.any()
        else "There are no mistakes."
    )
    right, images = (count(int(number)) for number in (np.trace(counts), counts.sum()))
    return f"Confusion matrix of {who}: {right} of {images} test images are on the diagonal. {most}"


def repetition(first: EpochMetrics | None, again: EpochMetrics | None) -> pd.DataFrame:
    """Two trainings of the same epoch, a row a number. How long they took is not compared."""
    once, twice = ({} if metrics is None else asdict(metrics) for metrics in (first, again))
    rows = [(name, once[name], twice[name]) for name in once if name != "seconds"]
    return pd.DataFrame(rows, columns=["first epoch", "once", "once more"])


def apart(table: pd.DataFrame) -> float:
    """How far two trainings of the same epoch are apart, from `repetition`: the largest difference; NaN for none."""
    return float((table["once"] - table["once more"]).abs().max())


def numbers(
    values: Mapping[str, Any],
    net: nn.Module,
    dataset: Dataset,
    wrong: pd.DataFrame,
    stopped: str,
    repeated: pd.DataFrame,
) -> dict[str, Any]:
    """The values for the text. `repeats`: the first epoch, trained once more, gave the same numbers."""
    who = f"the {values['norm_arg']} variant"
    return {
        "parameters": count(count_parameters(net)),
        "device": str(dataset.device),
        "epochs": values["epochs"],
        "train_images": count(len(dataset.train_labels)),
        "test_images": count(len(dataset.test_labels)),
        "pixel_mean": decimal(dataset.mean, 4),
        "pixel_deviation": decimal(dataset.std, 4),
        "diverged": stopped,
        "misclassified": stopped or caption(min(pictures.SHOWN, len(wrong)), len(wrong), who),
        "repeated_gap": significant(apart(repeated)),
        "claims": {"repeats": apart(repeated) == 0 if len(repeated) else None},
        "torch": torch.__version__,
        "l1": exact(values["l1"]),
        "l2": exact(values["l2"]),
        "groups": values["groups"],
    }
