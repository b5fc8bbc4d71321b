"""Misclassified images: which they are, and which the variants share."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from normstudy.notation import count, counted, out_of


def predictions(log_probabilities: np.ndarray, labels: np.ndarray) -> pd.DataFrame:
    """What a model says of every test image.

    Args:
        log_probabilities: (N, K), the logarithm of the probability of each class.
        labels: (N,), the true classes.

    Returns:
        A row an image: `index`, `label`, `prediction`, `confidence` (the probability of the predicted class, 0 to 1),
        `label_probability` (the probability of the true class).
    """
    prediction = log_probabilities.argmax(axis=1)
    rows = np.arange(len(labels))
    return pd.DataFrame(
        {
            "index": rows,
            "label": labels,
            "prediction": prediction,
            "confidence": np.exp(log_probabilities[rows, prediction]),
            "label_probability": np.exp(log_probabilities[rows, labels]),
        }
    )


def mistakes(frame: pd.DataFrame) -> pd.DataFrame:
    """The rows of `predictions` that are wrong, the most confident first."""
    wrong = frame[frame["label"] != frame["prediction"]]
    return wrong.sort_values(["confidence", "index"], ascending=[False, True], ignore_index=True)


def confusion(frame: pd.DataFrame, classes: int) -> np.ndarray:
    """Counts (K, K) of test images: row = true class, column = predicted class."""
    counts = np.zeros((classes, classes), dtype=int)
    np.add.at(counts, (frame["label"], frame["prediction"]), 1)
    return counts


def shared(frames: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """How many images exactly these variants misclassify: a row for every set of variants that share at least one.

    Args:
        frames: variant → its `predictions`, all of the same images in the same order.

    Returns:
        A column a variant (bool: wrong or not) and `images`, the largest count first, without those that all get right.
    """
    if not frames:
        return pd.DataFrame(columns=["images"])
    wrong = pd.DataFrame({name: frame["label"] != frame["prediction"] for name, frame in frames.items()})
    counts = wrong[wrong.any(axis=1)].value_counts().rename("images").reset_index()
    return counts.sort_values("images", ascending=False, ignore_index=True, kind="stable")


def wrong_for_all(frames: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """The images that every variant misclassifies: `index`, `label`, and a column of predictions a variant."""
    if not frames:
        return pd.DataFrame(columns=["index", "label"])
    first = next(iter(frames.values()))
    wrong = np.logical_and.reduce([frame["label"] != frame["prediction"] for frame in frames.values()])
    columns = {name: frame["prediction"] for name, frame in frames.items()}
    return pd.DataFrame({"index": first["index"], "label": first["label"], **columns})[wrong].reset_index(drop=True)


def caption(shown: int, wrong: int, who: str) -> str:
    """What a picture of misclassified images shows: so many of all that `who`, such as "every variant", gets wrong."""
    if not wrong:
        return f"There is no test image that {who} misclassifies."
    part = out_of(shown, wrong, "test image").capitalize()
    return f"{part} that {who} misclassifies."


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
