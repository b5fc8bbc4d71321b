"""Misclassified images: which they are, and which the variants share."""

from collections.abc import Mapping

import numpy as np
import pandas as pd


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
