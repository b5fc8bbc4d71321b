"""What stands in the place of the page's interactive figures in the PDF, in print and without scripts."""

from collections.abc import Mapping

import pandas as pd
from matplotlib.figure import Figure
from torch import Tensor

from normstudy import statistics
from normstudy.data import Dataset
from normstudy.display import figures, sharing
from normstudy.display.notation import count, percent
from normstudy.normalizations import NORMALIZING

OFFERED = 20
"""How many test images a reader can pick."""


def sheets(x: Tensor, groups: int) -> tuple[Figure, str]:
    """The sheet of x (N, C, H, W) for each normalization, and the figure's text alternative."""
    counts = ", ".join(f"{name} {statistics.count(x.shape, name, groups)}" for name in NORMALIZING)
    return sharing.sharing_figure(x, groups, NORMALIZING), (
        f"The sheet of {x.shape[0]} images and {x.shape[1]} channels, for each normalization; what shares a mean "
        f"and a standard deviation has one colour, and a frame where it lies together: {counts} sets."
    )


def offered(predictions: Mapping[str, pd.DataFrame]) -> list[int]:
    """The numbers of the test images that most variants misclassify; variant → its predictions."""
    together = pd.concat([frame.assign(wrong=frame["label"] != frame["prediction"]) for frame in predictions.values()])
    times = together.groupby("index")["wrong"].sum().sort_values(ascending=False, kind="stable")
    return [int(index) for index in times.index[:OFFERED]]


def answers(predictions: Mapping[str, pd.DataFrame], index: int, dataset: Dataset) -> tuple[Figure, str]:
    """What each variant says of one test image, and the figure's text alternative."""
    said = {name: frame.set_index("index").loc[index] for name, frame in predictions.items()}
    words = {name: (dataset.classes[int(row.prediction)], percent(row.confidence, 0)) for name, row in said.items()}
    image = dataset.test_images[[index] * len(words)].cpu().numpy()
    titles = [f"{name}\n{guess}, {confidence}" for name, (guess, confidence) in words.items()]
    each = ", ".join(f"{name} {guess} ({confidence})" for name, (guess, confidence) in words.items())
    true = dataset.classes[int(dataset.test_labels[index])]
    return figures.digit_grid(image, titles, columns=len(titles)), (
        f"Test image {count(index)}, whose class is {true}, and what the {len(words)} networks say: {each}."
    )


def learned_from(digits: Dataset) -> tuple[Figure, str]:
    """The first training images of the built-in digits, and the figure's text alternative."""
    labels = [digits.classes[int(label)] for label in digits.train_labels[:OFFERED]]
    return figures.digit_grid(digits.train_images[:OFFERED].cpu().numpy(), labels, columns=10), (
        f"{len(labels)} of the {count(len(digits.train_labels))} training images, with their classes: "
        f"{', '.join(labels)}."
    )
