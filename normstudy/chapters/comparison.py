"""The variants side by side: the table of results with intervals, who gets wrong what, numbers and claims."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from safetensors.numpy import load_file

from normstudy.analysis import inference, mistakes
from normstudy.analysis.inference import LEVEL
from normstudy.chapters.claims import Holds
from normstudy.display.figures import METRICS, digit_grid, new_figure
from normstudy.display.notation import INTERVAL, count, counted, decimal, exact, interval, listed, percent
from normstudy.normalizations import NORMALIZATIONS

STRIP = 5
"""Images in a strip of mistakes: so many can be told apart on a phone."""

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


def strip(images: Mapping[int, np.ndarray], predictions: pd.DataFrame, name: str) -> Figure:
    """The mistakes that a variant makes with the most confidence, in a row: true class → predicted class over each.

    Args:
        images: index of a test image → its pixels (28, 28).
        predictions: what the variant says (see `mistakes.predictions`).
        name: of the variant.
    """
    wrong = mistakes.mistakes(predictions).head(STRIP)
    titles = [f"{row.label} → {row.prediction}" for row in wrong.itertuples()]
    figure = digit_grid([images[index] for index in wrong["index"]], titles, columns=STRIP, side=0.7, size=10)
    figure.suptitle(name, x=0.01, ha="left", fontsize=10, color=NORMALIZATIONS[name].colour, weight="bold")
    return figure


def describe_strip(predictions: pd.DataFrame, name: str) -> str:
    """The strip in words."""
    wrong = mistakes.mistakes(predictions).head(STRIP)
    said = "; ".join(f"{row.label} taken for {row.prediction}" for row in wrong.itertuples())
    return f"The mistakes that {name} makes with the most confidence: {said}."


def who_gets_wrong_what(together: pd.DataFrame) -> Figure:
    """How many images each set of variants misclassifies: a bar a set, dots below it that say which variants.

    That is an UpSet plot (Lex et al., 2014, doi:10.1109/TVCG.2014.2346248). `together` is the table of
    `mistakes.shared`.
    """
    names = [name for name in together if name != "images"]
    figure, axes = new_figure(0.75 + 0.62 * max(4, len(together)), 3.4, rows=2)
    bars, dots = axes[:, 0]
    bars.get_subplotspec().get_gridspec().set_height_ratios([3, 0.45 * max(1, len(names))])
    places = range(len(together))
    shades = ["#222222" if row[names].all() else "#777777" for _, row in together.iterrows()]
    bars.bar(places, together["images"], color=shades, width=0.6)
    for place, images in zip(places, together["images"], strict=True):
        bars.annotate(
            count(images), (place, images), ha="center", va="bottom", xytext=(0, 2), textcoords="offset points"
        )
    bars.set_ylabel("Test images")
    bars.grid(visible=False, axis="x")
    for row, name in enumerate(names):
        dots.axhline(row, color="#dddddd", linewidth=1, zorder=0)
        wrong = together[name].to_numpy(dtype=bool)
        dots.plot(np.flatnonzero(~wrong), np.full((~wrong).sum(), row), "o", color="#cccccc", markersize=5)
        dots.plot(
            np.flatnonzero(wrong), np.full(wrong.sum(), row), "o", color=NORMALIZATIONS[name].colour, markersize=9
        )
    dots.set_yticks(range(len(names)), names)
    dots.set_ylim(len(names) - 0.5, -0.5)
    dots.grid(visible=False)
    dots.spines[:].set_visible(False)
    dots.tick_params(length=0)
    for axis in (bars, dots):
        axis.set_xticks([])
        axis.set_xlim(-0.6, max(4, len(together)) - 0.4)
    return figure


def describe_sets(together: pd.DataFrame) -> str:
    """The figure of who gets wrong what, in words."""
    names = [name for name in together if name != "images"]
    said = [
        f"{count(row['images'])} by {listed([name for name in names if row[name]])}" for _, row in together.iterrows()
    ]
    return f"Test images by the variants that misclassify them, and no others: {'; '.join(said) or 'none'}."


def numbers(
    table: pd.DataFrame, predictions: Mapping[str, pd.DataFrame], parameters: Mapping[str, Mapping[str, Any]]
) -> dict[str, str]:
    """What the text says of the results, as it is printed; a variant that diverged is not among them."""
    trained = table.dropna(subset="test_accuracy")
    wrong = [set(images) for images in wrong_images(predictions).values()]
    together, most = len(set.intersection(*wrong)) if wrong else 0, max(map(len, wrong), default=0)
    fewest = min(map(len, wrong), default=0)
    tests = _tests(predictions)
    penalties = {
        name: inference.penalty(float(values["l1"]), float(values["l2"])).replace("none", "no penalty")
        for name, values in parameters.items()
    }
    return {
        "accuracies": listed([f"{row.variant} {percent(row.test_accuracy)}" for row in trained.itertuples()]),
        "images": count(int(trained["test_images"].max())) if len(trained) else "0",
        "gaps": listed(
            [
                f"{row.variant} {decimal(100 * (row.train_accuracy - row.test_accuracy), 2, sign=True)}"
                for row in trained.itertuples()
            ]
        ),
        "penalties": listed([f"{name} with {each}" for name, each in penalties.items()]),
        "easy": listed(list(dict.fromkeys(f"{exact(_easy(values))} times" for values in parameters.values()))),
        "apart": listed([f"{row.first} beside {row.second}" for row in tests[tests["p"] < LEVEL].itertuples()]),
        "network": listed(list(dict.fromkeys(map(_network, parameters.values())))),
        "together": counted(together, "image"),
        "together_of_fewest": percent(together / fewest, 0) if fewest else "none",
        "together_of_most": percent(together / most, 0) if most else "none",
    }


def claims(
    table: pd.DataFrame,
    predictions: Mapping[str, pd.DataFrame],
    parameters: Mapping[str, Mapping[str, Any]],
    diverged: Mapping[str, str],
) -> dict[str, Holds]:
    """What the text may say of the results.

    `trained`: no variant diverged. `apart`: some two of the trained networks differ in their mistakes by more than the
    choice of test images would give (McNemar's test, corrected; None where no two do). `shared`: some images are
    misclassified by all, and they are at least half of the mistakes of the variant with the fewest. `harder`: every
    variant is less accurate on the training images, as they are changed, than on the test images. `mixed`: the
    penalties differ along with the normalizations. `own`: the variants are those of the project's network. `evenly`: in
    every epoch each training image is drawn once.
    """
    trained = table.dropna(subset="test_accuracy")
    wrong = [set(images) for images in wrong_images(predictions).values()]
    together, fewest = len(set.intersection(*wrong)) if wrong else 0, min(map(len, wrong), default=0)
    return {
        "trained": not diverged,
        "apart": True if (_tests(predictions)["p"] < LEVEL).any() else None,
        "shared": bool(together and 2 * together >= fewest),
        "harder": bool((trained["train_accuracy"] < trained["test_accuracy"]).all()),
        "mixed": len({(float(values["l1"]) > 0, float(values["l2"]) > 0) for values in parameters.values()}) > 1,
        "own": not any(values.get("model") for values in parameters.values()),
        "evenly": all(_easy(values) == 1 for values in parameters.values()),
    }


def _easy(values: Mapping[str, Any]) -> float:
    return float(values.get("easy", 1))  # a run of an earlier version has none


def _network(values: Mapping[str, Any]) -> str:
    """The file of a variant's network, by its name, and the class where it is not the project's; as code.

    Quarto takes a value that is no more than the name of a file for a path, and changes it.
    """
    return f"`{Path(str(values['model'])).name if values.get('model') else 'normstudy/model.py'}`"


def _tests(predictions: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    return mistakes.disagreements({name: pd.Series([wrong]) for name, wrong in wrong_images(predictions).items()})
