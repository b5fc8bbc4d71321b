"""Every picture of the report, in one style: data in, figure out; and how notebooks show pictures and tables."""

import io
import re
import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib
import numpy as np
import pandas as pd
from IPython.display import Markdown, display
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from normstudy.display import notation
from normstudy.normalizations import NORMALIZATIONS

STYLE: dict[Any, Any] = {
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.formatter.use_mathtext": True,
    "grid.alpha": 0.3,
    "savefig.transparent": True,
    "savefig.bbox": "tight",
    "svg.hashsalt": "normstudy",
}


def show(figure: Figure, alt: str) -> None:
    """Display a figure as SVG with a text alternative that says what it shows, with its numbers."""
    svg = io.StringIO()
    with matplotlib.rc_context(STYLE):
        figure.savefig(svg, format="svg", metadata={"Date": None})
    bundle = {"image/svg+xml": svg.getvalue(), "text/plain": alt}
    display(bundle, metadata={"image/svg+xml": {"alt": alt}}, raw=True)  # type: ignore[no-untyped-call]


def escape(text: object) -> str:
    """Markdown in which `text` reads as it stands, whatever it holds (HTML, pipes, links, shortcodes)."""
    return re.sub(r"([\\`*_{}\[\]<>()#+!|$~^@\"'&]|-(?=-))", r"\\\1", str(text)).replace("\n", " ")


def table(frame: pd.DataFrame, digits: int | None = None) -> None:
    """Display a table as Markdown, the one form that the page and the PDF share.

    Numbers are written as `notation` writes them, floating ones with so many digits after the point, or else in full.
    Columns in which most cells are numbers are aligned to the right.
    """
    cells = frame.map(lambda value: _written(value, digits))
    numbers = cells.map(lambda cell: bool(notation.NUMBER.fullmatch(cell))).mean()
    markdown = cells.map(escape).to_markdown(
        index=False,
        headers=[escape(column) for column in frame],
        colalign=["right" if share > 0.5 else "left" for share in numbers],
        disable_numparse=True,
    )
    display({"text/markdown": markdown, "text/plain": cells.to_string(index=False)}, raw=True)  # type: ignore[no-untyped-call]


def _written(value: object, digits: int | None) -> str:
    match value:
        case bool() | np.bool_():
            return str(value)
        case int() | np.integer():
            return notation.count(int(value))
        case float() | np.floating():
            return notation.exact(float(value)) if digits is None else notation.decimal(float(value), digits)
    return str(value)


def say(*sentences: str) -> None:
    """Display sentences made from data, as a list with one item each (a single one as a paragraph)."""
    text = sentences[0] if len(sentences) == 1 else "\n".join(f"- {sentence}" for sentence in sentences)
    display(Markdown(text))  # type: ignore[no-untyped-call]


def new_figure(width: float, height: float, rows: int = 1, columns: int = 1) -> tuple[Figure, np.ndarray]:
    """A figure of the house style, width and height in inches, and its axes as an array (rows, columns)."""
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(width, height), layout="constrained")
        return figure, figure.subplots(rows, columns, squeeze=False)


def legend_above(figure: Figure, axis: Axes, columns: int) -> None:
    """What the lines of an axis are called, in so many columns above all of the figure's."""
    handles, labels = axis.get_legend_handles_labels()
    figure.legend(handles, labels, ncols=columns, loc="outside upper center", columnspacing=1, frameon=False)


HE = " (He)"
"""Follows a normalization's name where the network begins with He's initialization, if others do not."""


def look(name: str, **other: Any) -> dict[str, Any]:
    """How Matplotlib draws a normalization's line, and `other` properties."""
    each = NORMALIZATIONS[name.removesuffix(HE)]
    from_he = {"linestyle": "-.", "marker": "+"} if name.endswith(HE) else {}
    return {"color": each.colour, "linestyle": each.dash, "marker": each.marker, "label": name} | from_he | other


def notice(text: str) -> Figure:
    """A figure that says in words why there is nothing to see."""
    figure, axes = new_figure(5.2, 1.2)
    axes[0, 0].axis("off")
    axes[0, 0].text(0.5, 0.5, textwrap.fill(text, 70), ha="center", va="center", parse_math=False)
    return figure


METRICS = {
    "train_loss": "Training loss",
    "test_loss": "Test loss",
    "train_accuracy": "Training accuracy (%)",
    "test_accuracy": "Test accuracy (%)",
}


def comparison_curves(histories: Mapping[str, pd.DataFrame], metric: str) -> Figure:
    """One metric of every epoch, a line a variant.

    `histories` maps a variant to its metrics, a row an epoch, with the columns `epoch` and `metric` (a key of
    `METRICS`).
    Losses are on a logarithmic axis. The axis of accuracies shows all epochs after the first, which would flatten them.
    """
    figure, axes = new_figure(4.1, 2.6)
    axis: Axes = axes[0, 0]
    scale = 100 if metric.endswith("accuracy") else 1
    for name, history in histories.items():
        axis.plot(history["epoch"], scale * history[metric], **look(name))
    later = np.concatenate([np.zeros(0), *(scale * history[metric].to_numpy()[1:] for history in histories.values())])
    if metric.endswith("loss"):
        axis.set_yscale("log")
    elif later.size and later.max() > later.min():
        margin = 0.06 * (later.max() - later.min())
        axis.set_ylim(later.min() - margin, later.max() + margin)
    _over_epochs(axis, METRICS[metric])
    return figure


def _over_epochs(axis: Axes, label: str) -> None:
    axis.xaxis.set_major_locator(MaxNLocator(integer=True))
    axis.set_xlabel("Epoch")
    axis.set_ylabel(label)
    axis.legend()


def learning_curves(history: pd.DataFrame, normalization: str, earlier: pd.DataFrame | None = None) -> Figure:
    """Loss without and with the penalty, and accuracy, of one variant: training beside test, a panel each.

    Those of an earlier run are grey.
    """
    figure, axes = new_figure(6.6, 2.8, columns=2)
    for axis, what, scale in zip(axes[0], ("loss", "accuracy"), (1, 100), strict=True):
        for part, label, dash, marker in (("train", "training", "--", "o"), ("test", "test", "-", "s")):
            if earlier is not None:
                was = {"color": "#999999", "linestyle": dash, "marker": marker, "label": f"{label}, earlier"}
                axis.plot(earlier["epoch"], scale * earlier[f"{part}_{what}"], **was)
            values = scale * history[f"{part}_{what}"]
            axis.plot(history["epoch"], values, **look(normalization, linestyle=dash, marker=marker, label=label))
    loss, accuracy = axes[0]
    if (history["train_penalty"] > 0).any():
        loss.plot(history["epoch"], history["train_penalty"], color="#555555", linestyle=":", label="penalty")
    loss.set_yscale("log")
    _over_epochs(loss, "Loss")
    _over_epochs(accuracy, "Accuracy (%)")
    for axis in axes[0] if earlier is not None else ():
        axis.legend(fontsize=8)
    return figure


def digit_grid(
    images: np.ndarray | Sequence[np.ndarray],
    titles: Sequence[str],
    columns: int = 10,
    side: float = 0.8,
    size: float = 8,
) -> Figure:
    """Images (N, H, W), dark on light, in rows of `columns`, a title over each.

    `side` is that of an image with its margin, in inches, `size` that of the titles, in points.
    """
    rows = max(1, -(-len(images) // columns))
    figure, axes = new_figure(side * columns, (side + 0.2) * rows, rows, columns)
    for axis in axes.flat:
        axis.set(xticks=[], yticks=[])  # without them laying out takes half the time
        axis.axis("off")
    for axis, image, title in zip(axes.flat, images, titles, strict=False):
        axis.imshow(image, cmap="gray_r", interpolation="none", vmin=0, vmax=255)
        axis.set_title(title, fontsize=size)
    return figure


def confusion_matrix(counts: np.ndarray, classes: Sequence[str], normalization: str) -> Figure:
    """Counts (K, K): row = true class, column = predicted class. Shades show mistakes only; every count is written."""
    figure, axes = new_figure(4.6, 4.3)
    axis: Axes = axes[0, 0]
    mistakes = counts - np.diag(np.diag(counts))
    colours = matplotlib.colors.LinearSegmentedColormap.from_list(
        "mistakes", ["#ffffff", NORMALIZATIONS[normalization].colour]
    )
    axis.imshow(mistakes, cmap=colours, vmin=0, vmax=max(1, mistakes.max()))
    axis.grid(visible=False)
    for (row, column), count in np.ndenumerate(counts):
        strong = mistakes[row, column] > 0.55 * max(1, mistakes.max())
        weight = "bold" if row == column else "normal"
        text = notation.count(count) if count else "·"
        axis.text(column, row, text, ha="center", va="center", fontsize=8, weight=weight, color="w" if strong else "k")
    axis.set_xticks(range(len(classes)), classes)
    axis.set_yticks(range(len(classes)), classes)
    if max(map(len, classes)) > 2:
        axis.tick_params(axis="x", rotation=60)
    axis.set_xlabel("Predicted class")
    axis.set_ylabel("True class")
    return figure
