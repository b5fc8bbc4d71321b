"""The chapter of a variant: what its pictures show and its first epoch said, in words."""

from collections.abc import Sequence
from dataclasses import asdict

import numpy as np

from normstudy.display.notation import count, counted, out_of, significant
from normstudy.training import EpochMetrics


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


def describe_repetition(norm_arg: str, first: EpochMetrics, again: EpochMetrics) -> str:
    """How far two trainings of the same epoch are apart, in a sentence. How long they took is not compared."""
    pairs = [(value, asdict(again)[name]) for name, value in asdict(first).items() if name != "seconds"]
    largest = max(abs(value - other) for value, other in pairs)
    if largest == 0:
        return f"Trained once more, the first epoch of the {norm_arg} variant gave the same numbers, bit for bit."
    return (
        f"Trained once more, the first epoch of the {norm_arg} variant gave other numbers: losses and accuracies "
        f"(0 to 1) that differ by up to {significant(largest)}."
    )
