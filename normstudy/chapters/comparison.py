"""The variants side by side: the table of results with intervals, and the findings as sentences made from the data."""

import itertools
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from safetensors.numpy import load_file

from normstudy.analysis.inference import LEVEL, holm, mcnemar, wilson
from normstudy.display.figures import METRICS, escape
from normstudy.display.notation import INTERVAL, count, counted, decimal, interval, p_value, percent

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
            "training loss": [decimal(loss, 4) for loss in table["train_loss"]],
            "test loss": [decimal(loss, 4) for loss in table["test_loss"]],
            "training accuracy (%)": [decimal(100 * accuracy, 2) for accuracy in table["train_accuracy"]],
            "test accuracy (%)": [decimal(100 * accuracy, 2) for accuracy in table["test_accuracy"]],
            INTERVAL: [
                interval(100 * row.test_accuracy_low, 100 * row.test_accuracy_high, 2) for row in table.itertuples()
            ],
            "mistakes": [decimal(mistakes, 0) for mistakes in table["mistakes"]],
        }
    )
    printed.loc[table["test_accuracy"].isna(), printed.columns[1:]] = "diverged"
    return printed


def describe(histories: Mapping[str, pd.DataFrame], metric: str) -> str:
    """What a graph of one metric shows, in words: where each variant begins and ends."""
    written = percent if metric.endswith("accuracy") else (lambda loss: decimal(loss, 4))
    parts = [
        f"{name} from {written(history[metric].iloc[0])} after epoch {int(history['epoch'].iloc[0])} "
        f"to {written(history[metric].iloc[-1])} after epoch {int(history['epoch'].iloc[-1])}"
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
    trained = table.dropna(subset="test_accuracy")
    sentences = [escape(sentence) for sentence in diverged.values()]
    if len(trained):
        sentences.append(
            "Test accuracy after the last epoch: "
            + ", ".join(f"{row.variant} {percent(row.test_accuracy)}" for row in trained.itertuples())
            + f" of {count(int(trained['test_images'].iloc[0]))} images."
        )
    if len(trained) > 1:
        sentences += [*_apart(predictions), _together(trained["mistakes"], predictions)]
    if len(trained):
        gaps = 100 * (trained["train_accuracy"] - trained["test_accuracy"])
        sentences.append(
            "Training accuracy (measured while training, on augmented images) minus test accuracy: "
            + ", ".join(
                f"{name} {decimal(gap, 2, sign=True)}" for name, gap in zip(trained["variant"], gaps, strict=True)
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


def _apart(predictions: Mapping[str, pd.DataFrame]) -> list[str]:
    """Which trained networks differ by more than chance in the choice of test images would give."""
    tests = paired_tests(predictions)
    apart = tests[tests["p"] < LEVEL]
    if apart.empty:
        return [
            "In the number of their mistakes no two variants differ by more than chance would give (McNemar's test, "
            f"smallest corrected {p_value(tests['p'].min())})."
        ]
    sentences = []
    for row in apart.itertuples():
        better, worse = (row.first, row.second) if row.only_first < row.only_second else (row.second, row.first)
        fewer, more = sorted((row.only_first, row.only_second))
        sentences.append(
            f"On these images the {better} variant is better than the {worse} variant by more than chance would give: "
            f"{worse} alone misclassifies {count(more)} of them, {better} alone {count(fewer)} (McNemar's test, "
            f"corrected {p_value(row.p)})."
        )
    return sentences


def _together(mistakes: pd.Series, predictions: Mapping[str, pd.DataFrame]) -> str:
    """What the variants get wrong together."""
    wrong = [frame["label"] != frame["prediction"] for frame in predictions.values()]
    together = int(np.logical_and.reduce(wrong).sum())
    every = {2: "both variants", 3: "all three variants"}.get(len(wrong), "all variants")
    if not together:
        return f"No test image is misclassified by {every}."
    fewest, most = (percent(together / number, 0) for number in (mistakes.min(), mistakes.max()))
    of_each = f"{fewest} of the mistakes of each"
    of_ends = f"{fewest} of the mistakes of the variant with the fewest, {most} of those of the variant with the most"
    return (
        f"{counted(together, 'test image')} {'is' if together == 1 else 'are'} misclassified by {every}: "
        f"{of_each if mistakes.nunique() == 1 else of_ends}."
    )
