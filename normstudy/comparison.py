"""The variants side by side: the table of results with intervals, and the findings as sentences made from the data."""

import itertools
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from safetensors.numpy import load_file

from normstudy.effects import LEVEL, holm, mcnemar, wilson
from normstudy.figures import METRICS, escape

COLUMNS = ("variant", "epochs", "train_loss", "test_loss", "train_accuracy", "test_accuracy", "test_accuracy_low",
           "test_accuracy_high", "mistakes", "test_images")  # fmt: skip


def results(histories: Mapping[str, pd.DataFrame], predictions: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """The final epoch of each variant, a row each: losses, accuracies (0 to 1), and the test accuracy's interval.

    The 95 % interval is Wilson's, for the test images seen as a sample; it says nothing about other seeds.
    A variant without predictions has diverged: all of its numbers but the epochs that it finished are NaN.
    """
    rows: list[dict[str, Any]] = []
    for name, history in histories.items():
        if name not in predictions:
            rows.append({"variant": name, "epochs": len(history)})
            continue
        last, wrong = history.iloc[-1], int((predictions[name]["label"] != predictions[name]["prediction"]).sum())
        images = len(predictions[name])
        low, high = wilson(1 - wrong / images, images)
        rows.append(
            {
                "variant": name,
                "epochs": int(last["epoch"]),
                "train_loss": last["train_loss"],
                "test_loss": last["test_loss"],
                "train_accuracy": last["train_accuracy"],
                "test_accuracy": (images - wrong) / images,
                "test_accuracy_low": low,
                "test_accuracy_high": high,
                "mistakes": wrong,
                "test_images": images,
            }
        )
    return pd.DataFrame(rows, columns=COLUMNS)


def shown(table: pd.DataFrame) -> pd.DataFrame:
    """`results` as the report prints it."""
    printed = pd.DataFrame(
        {
            "variant": table["variant"],
            "training loss": table["train_loss"].map("{:.4f}".format),
            "test loss": table["test_loss"].map("{:.4f}".format),
            "training accuracy (%)": (100 * table["train_accuracy"]).map("{:.2f}".format),
            "test accuracy (%)": (100 * table["test_accuracy"]).map("{:.2f}".format),
            "95 % interval": [
                f"{100 * row.test_accuracy_low:.2f}–{100 * row.test_accuracy_high:.2f}" for row in table.itertuples()
            ],
            "mistakes": table["mistakes"].map("{:.0f}".format),
        }
    )
    printed.loc[table["test_accuracy"].isna(), printed.columns[1:]] = "diverged"
    return printed


def describe(histories: Mapping[str, pd.DataFrame], metric: str) -> str:
    """What a graph of one metric shows, in words: where each variant begins and ends."""
    percent = metric.endswith("accuracy")
    scale, unit = (100, " %") if percent else (1, "")
    digits = 2 if percent else 4
    parts = [
        f"{name} from {scale * history[metric].iloc[0]:.{digits}f}{unit} after epoch {int(history['epoch'].iloc[0])} "
        f"to {scale * history[metric].iloc[-1]:.{digits}f}{unit} after epoch {int(history['epoch'].iloc[-1])}"
        for name, history in histories.items()
        if len(history)
    ]
    return f"{METRICS[metric].removesuffix(' (%)')} over the epochs, a line a variant: {'; '.join(parts)}."


def pixels(file: Path) -> dict[int, np.ndarray]:
    """Index of a test image → its pixels (28, 28), from the misclassified images that a variant's run has written."""
    content = load_file(file)
    return dict(zip(content["index"].tolist(), content["images"], strict=True))


def paired_tests(predictions: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """McNemar's exact test of every pair of variants on the same images, with Holm's correction for their number.

    Returns:
        A row a pair: `first`, `second`, `only_first` and `only_second` (images that only this one misclassifies),
        `p` (corrected).
    """
    rows: list[dict[str, Any]] = []
    for first, second in itertools.combinations(predictions, 2):
        wrong = [predictions[name]["label"] != predictions[name]["prediction"] for name in (first, second)]
        only_first, only_second = int((wrong[0] & ~wrong[1]).sum()), int((wrong[1] & ~wrong[0]).sum())
        p = mcnemar(only_first, only_second)
        rows.append({"first": first, "second": second, "only_first": only_first, "only_second": only_second, "p": p})
    table = pd.DataFrame(rows)
    table["p"] = holm(table["p"])
    return table


def findings(
    table: pd.DataFrame,
    predictions: Mapping[str, pd.DataFrame],
    parameters: Mapping[str, Mapping[str, Any]],
    diverged: Mapping[str, str],
) -> list[str]:
    """What the results say, a sentence each, and no more than they say.

    `diverged` has a sentence for each variant that diverged; nothing else is said of these.
    """
    ordered = table.dropna(subset="test_accuracy").sort_values("test_accuracy", ascending=False)
    sentences = [escape(sentence) for sentence in diverged.values()]
    if len(ordered):
        sentences.append(
            "Test accuracy after the last epoch: "
            + ", ".join(f"{row.variant} {100 * row.test_accuracy:.2f} %" for row in ordered.itertuples())
            + f" of {int(ordered['test_images'].iloc[0]):,} images."
        )
    if len(ordered) > 1:
        sentences += _compared(ordered, predictions)
    if len(ordered):
        sentences.append(
            "Training accuracy (measured while training, on augmented images) minus test accuracy: "
            + ", ".join(
                f"{row.variant} {100 * (row.train_accuracy - row.test_accuracy):+.2f}"
                for row in table.dropna(subset="test_accuracy").itertuples()
            )
            + " percentage points."
        )
    penalties = {
        name: " + ".join(kind for kind, key in (("L1", "l1"), ("L2", "l2")) if float(values[key]) > 0) or "no penalty"
        for name, values in parameters.items()
    }
    if len(set(penalties.values())) > 1:
        sentences.append(
            "The variants differ in normalization and in penalty at once ("
            + ", ".join(f"{name} with {penalty}" for name, penalty in penalties.items())
            + "). From these runs alone, a difference can be laid to neither."
        )
    return sentences


def _compared(ordered: pd.DataFrame, predictions: Mapping[str, pd.DataFrame]) -> list[str]:
    """Which variants differ by more than chance, and what they get wrong together; the best comes first."""
    sentences = []
    tests = paired_tests(predictions)
    apart = tests[tests["p"] < LEVEL]
    if apart.empty:
        sentences.append(
            f"No two variants differ by more than chance would: they disagree on too few images "
            f"(McNemar's test, smallest corrected p = {tests['p'].min():.2f})."
        )
    for row in apart.itertuples():
        better, worse = (row.first, row.second) if row.only_first < row.only_second else (row.second, row.first)
        fewer, more = sorted((row.only_first, row.only_second))
        sentences.append(
            f"The {better} variant is better than the {worse} variant by more than chance on these images: "
            f"{more} images are wrong only for {worse}, {fewer} only for {better} "
            f"(McNemar's test, corrected p = {row.p:.2g})."
        )
    together = int(
        np.logical_and.reduce([frame["label"] != frame["prediction"] for frame in predictions.values()]).sum()
    )
    best, worst = (max(1, int(ordered["mistakes"].iloc[place])) for place in (0, -1))
    every = {2: "both", 3: "all three"}.get(len(ordered), "all")
    sentences.append(
        f"{together} images are misclassified by {every}: {100 * together / best:.0f} % of the mistakes of the best "
        f"variant and {100 * together / worst:.0f} % of those of the worst."
    )
    return sentences
