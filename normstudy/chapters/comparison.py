"""The variants side by side: the table of results with intervals, and the findings as sentences made from the data."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from safetensors.numpy import load_file

from normstudy.analysis import inference, mistakes
from normstudy.analysis.inference import LEVEL
from normstudy.display.figures import METRICS, escape
from normstudy.display.notation import INTERVAL, count, counted, decimal, interval, p_value, percent

COLUMNS = ("variant", "epochs", "train_loss", "test_loss", "train_accuracy", "test_accuracy", "test_accuracy_low",
           "test_accuracy_high", "mistakes", "test_images")  # fmt: skip


def wrong_images(predictions: Mapping[str, pd.DataFrame]) -> dict[str, np.ndarray]:
    """Variant → the test images that it misclassifies, from its `mistakes.predictions`."""
    return {
        name: frame.loc[frame["label"] != frame["prediction"], "index"].to_numpy()
        for name, frame in predictions.items()
    }


def results(histories: Mapping[str, pd.DataFrame], predictions: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """The final epoch of each variant, a row each: losses, accuracies (0 to 1), and the test accuracy's interval.

    The 95 % interval is Wilson's, for the test images seen as a sample; it says nothing about other seeds.
    A variant without predictions has diverged: all of its numbers but the epochs that it finished are NaN.
    """
    rows: list[dict[str, Any]] = []
    for name, history in histories.items():
        row: dict[str, Any] = {"variant": name, "epochs": len(history)}
        if name in predictions:
            images, wrong = len(predictions[name]), len(wrong_images(predictions)[name])
            low, high = inference.wilson(1 - wrong / images, images)
            row |= history.iloc[-1][["train_loss", "test_loss", "train_accuracy"]].to_dict()
            row |= {"test_accuracy": (images - wrong) / images, "test_accuracy_low": low, "test_accuracy_high": high}
            row |= {"mistakes": wrong, "test_images": images}
        rows.append(row)
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
        accuracies = ", ".join(f"{row.variant} {percent(row.test_accuracy)}" for row in trained.itertuples())
        images = count(int(trained["test_images"].iloc[0]))
        sentences.append(f"Test accuracy after the last epoch: {accuracies} of {images} images.")
    if len(trained) > 1:
        sentences += [*_apart(predictions), _together(predictions)]
    if len(trained):
        gaps = ", ".join(
            f"{row.variant} {decimal(100 * (row.train_accuracy - row.test_accuracy), 2, sign=True)}"
            for row in trained.itertuples()
        )
        sentences.append(
            f"Training accuracy (measured while training, on augmented images) minus test accuracy: {gaps} percentage "
            "points."
        )
    penalties = {
        name: inference.penalty(float(values["l1"]), float(values["l2"])).replace("none", "no penalty")
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
    tests = mistakes.disagreements({name: pd.Series([wrong]) for name, wrong in wrong_images(predictions).items()})
    apart = tests[tests["p"] < LEVEL]
    if apart.empty:
        return [
            "In the number of their mistakes no two networks differ by more than chance would give (McNemar's test, "
            f"smallest corrected {p_value(tests['p'].min())})."
        ]
    sentences = []
    for row in apart.itertuples():
        better, worse = (row.first, row.second) if row.only_first < row.only_second else (row.second, row.first)
        fewer, more = sorted((int(row.only_first), int(row.only_second)))
        sentences.append(
            f"On these images the trained {better} network is better than the trained {worse} network by more than "
            f"chance would give: "
            f"{worse} alone misclassifies {count(more)} of them, {better} alone {count(fewer)} (McNemar's test, "
            f"corrected {p_value(row.p)})."
        )
    return sentences


def _together(predictions: Mapping[str, pd.DataFrame]) -> str:
    """What the variants get wrong together."""
    wrong = [set(images) for images in wrong_images(predictions).values()]
    together, sizes = len(set.intersection(*wrong)), sorted(map(len, wrong))
    every = {2: "both variants", 3: "all three variants"}.get(len(wrong), "all variants")
    if not together:
        return f"No test image is misclassified by {every}."
    fewest, most = (percent(together / sizes[end], 0) for end in (0, -1))
    of_each = f"{fewest} of the mistakes of each"
    of_ends = f"{fewest} of the mistakes of the variant with the fewest, {most} of those of the variant with the most"
    return (
        f"{counted(together, 'test image')} {'is' if together == 1 else 'are'} misclassified by {every}: "
        f"{of_each if sizes[0] == sizes[-1] else of_ends}."
    )
