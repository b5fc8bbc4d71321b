"""What goes on inside a network while it learns: its activations, its gradient along a step, and gamma and beta.

A table of these is that of `analysis.inside`: a row a run and epoch.
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from normstudy.analysis import inference
from normstudy.analysis.inference import LEVEL
from normstudy.analysis.inside import SMOOTHNESS, against_none, diverged, layers
from normstudy.display.figures import look, new_figure
from normstudy.display.notation import INTERVAL, UNKNOWN, decimal, interval, out_of, p_value, significant, span


def activations(rows: pd.DataFrame) -> Figure:
    """Mean and standard deviation of what goes into each normalization layer, over the epochs: means over the seeds."""
    drawn = _by_layer(rows, {"Mean": ("given_mean", None), "Standard deviation": ("given_sd", None)})
    for axis in drawn.axes[1::2]:
        axis.set_yscale("log")
    return drawn


def gamma_beta(rows: pd.DataFrame) -> Figure:
    """Gamma and beta of each layer over the epochs: their mean over the channels, and a standard deviation either way.

    Both are means over the seeds.
    """
    return _by_layer(rows, {"γ": ("gamma_mean", "gamma_sd"), "β": ("beta_mean", "beta_sd")})


def _by_layer(rows: pd.DataFrame, shown: Mapping[str, tuple[str, str | None]]) -> Figure:
    """A row of axes a layer, two beside one another, which show a title → a column and perhaps what to go either way.

    Those below one another share their scale.
    """
    columns = [column for pair in shown.values() for column in pair if column]
    table = layers(rows, columns)
    number = table["layer"].max()
    drawn, axes = new_figure(5.2, 0.6 + 1.25 * number, rows=number, columns=len(shown))
    for (layer, name), part in table.groupby(["layer", "norm_arg"], sort=False):
        means = part.groupby("epoch")[columns].mean()
        for axis, (middle, spread) in zip(axes[layer - 1], shown.values(), strict=True):
            either_way = means[spread] if spread else 0
            _line(axis, name, means[middle], means[middle] - either_way, means[middle] + either_way)
    for column, title in enumerate(shown):
        axes[0, column].set_title(title, fontsize=10)
        axes[-1, column].set_xlabel("Epoch")
        for axis in axes[1:, column]:
            axis.sharey(axes[0, column])
        for axis in axes[:-1, column]:
            axis.tick_params(labelbottom=False)
    for layer, axis in enumerate(axes[:, 0], start=1):
        axis.set_ylabel(f"Layer {layer}")
    _legend(drawn)
    return drawn


def smoothness(rows: pd.DataFrame) -> Figure:
    """The gradient's norm, its change along a step and the range of the loss there, over the epochs.

    Lines are means over the seeds, bands go from the smallest to the largest seed.
    """
    drawn, axes = new_figure(5.2, 6.6, rows=len(SMOOTHNESS))
    for axis, (column, label) in zip(axes[:, 0], SMOOTHNESS.items(), strict=True):
        for name, part in rows.groupby("norm_arg", sort=False):
            found = part.groupby("epoch")[column].agg(["mean", "min", "max"])
            _line(axis, str(name), found["mean"], found["min"], found["max"])
        axis.set_yscale("log")
        axis.set_ylabel(label)
    axes[-1, 0].set_xlabel("Epoch (0: before training)")
    _legend(drawn)
    return drawn


def _line(axis: Axes, name: str, middle: pd.Series, low: pd.Series, high: pd.Series) -> None:
    """A normalization's line over the epochs, with a band around it."""
    (line,) = axis.plot(middle.index, middle, **look(name, marker=""))
    axis.fill_between(middle.index, low, high, color=line.get_color(), alpha=0.15, lw=0)
    axis.xaxis.set_major_locator(MaxNLocator(integer=True, steps=[1, 2, 5, 10]))


def _legend(drawn: Figure) -> None:
    lines, names = drawn.axes[0].get_legend_handles_labels()
    drawn.legend(lines, names, ncols=len(names), loc="outside upper center", columnspacing=1, frameon=False)


def describe_activations(rows: pd.DataFrame) -> str:
    """The figure of activations in words, with its numbers before training and at the last epoch."""
    return (
        "Mean and standard deviation of what goes into each normalization layer, over the epochs, means over the "
        f"seeds. Standard deviations into layers 1 to {layers(rows, ['given_sd'])['layer'].max()}: "
        f"{_first_and_last(rows, 'given_sd')}."
    )


def describe_gamma_beta(rows: pd.DataFrame) -> str:
    """The figure of gamma and beta in words, with their means before training and at the last epoch."""
    return (
        "Gamma and beta of each layer over the epochs: means over channels and seeds, with a standard deviation over "
        f"the channels either way. Gamma: {_first_and_last(rows, 'gamma_mean')}. Beta: "
        f"{_first_and_last(rows, 'beta_mean')}."
    )


def _first_and_last(rows: pd.DataFrame, column: str) -> str:
    """Means over the seeds of the layers' numbers, in the first epoch and in the last."""
    means = layers(rows, [column]).pivot_table(index=["norm_arg", "epoch"], columns="layer", values=column, sort=False)
    said = []
    for name in dict.fromkeys(means.index.get_level_values("norm_arg")):
        first, last = (", ".join(decimal(value, 2) for value in means.loc[(name, epoch)]) for epoch in _ends(rows))
        said.append(f"{name} before training {first}, at the last epoch {last}")
    return "; ".join(said)


def describe_smoothness(rows: pd.DataFrame) -> str:
    """The figure of smoothness in words, with its means before training and at the last epoch."""
    means = rows.groupby(["norm_arg", "epoch"], sort=False)[list(SMOOTHNESS)].mean()
    said = [
        f"{label}: "
        + "; ".join(
            f"{name} " + ", then ".join(significant(means.loc[(name, epoch), column]) for epoch in _ends(rows))
            for name in rows["norm_arg"].unique()
        )
        for column, label in SMOOTHNESS.items()
    ]
    return (
        "Three measures of how smooth the loss is, over the epochs; lines are means over the seeds, bands go from the "
        f"smallest to the largest seed. Means before training, then at the last epoch. {'. '.join(said)}."
    )


def _ends(rows: pd.DataFrame) -> tuple[int, int]:
    return int(rows["epoch"].min()), int(rows["epoch"].max())


def shown(table: pd.DataFrame) -> pd.DataFrame:
    """`last_epoch` as the report prints it, a column a normalization: means, and the smallest and largest seed."""
    powers = {label.lower() for label in SMOOTHNESS.values()}  # these span powers of ten
    cells: dict[str, dict[str, str]] = {}
    for row in table.itertuples():
        mean, smallest, largest = (
            significant(value) if row.measure in powers else decimal(value, 2)
            for value in (row.mean, row.smallest, row.largest)
        )
        cells.setdefault(row.normalization, {"penalty": row.penalty})[row.measure] = f"{mean} ({smallest} to {largest})"
    wide = pd.DataFrame(cells, index=["penalty", *table["measure"].unique()]).fillna(UNKNOWN)
    return wide.rename_axis("after the last epoch").reset_index()


def findings(rows: pd.DataFrame) -> list[str]:
    """What the measurements say of each normalization, a sentence each."""
    table = against_none(rows)
    number = layers(rows, ["given_sd"])["layer"].max()
    spread = "the standard deviation of what goes into layer"
    leads = {
        "depth": f"Before training, {spread} {number}, divided by that of layer 1",
        "start": "Before training, the norm of the gradient",
        "growth_first": f"The factor by which training changes {spread} 1",
        "growth_last": f"The factor by which training changes {spread} {number}",
    } | {column: f"{label}, averaged over all epochs" for column, label in SMOOTHNESS.items()}
    sentences = [
        "Each normalization is compared with none, seed by seed. In brackets: the ratio (×) or the difference, its "
        f"{INTERVAL}, and p, corrected for the {table['norm_arg'].nunique()} normalizations. With ratios, means are "
        "geometric."
    ]
    for outcome, lead in leads.items():
        part = table[table["outcome"] == outcome]
        told = f"{lead}: {significant(part['none'].iloc[0], 3)} without normalization. {_compared(part)}"
        sentences.append(f"{told} {_smoother(part)}" if outcome == "gradient_change" else told)
    sentences += _gamma(rows)
    lost = diverged(rows)
    if lost.any():
        sentences.append(
            f"{out_of(lost.sum(), len(lost), 'run').capitalize()} diverged. Their seeds are left out of the "
            "comparisons with none."
        )
    return sentences


def _compared(part: pd.DataFrame) -> str:
    """The normalizations that differ from none, then those that cannot be told from it."""
    said: dict[str, list[str]] = {"Apart by more than chance": [], "Within noise": [], "With a single seed": []}
    for row in part.itertuples():
        mean, low, high = (
            f"×{significant(value)}" if row.scale == "ratio" else significant(value, sign=True)
            for value in (row.mean, row.low, row.high)
        )
        if np.isnan(row.p):
            verdict, certainty = "With a single seed", ""
        else:
            verdict = "Apart by more than chance" if row.p < LEVEL else "Within noise"
            certainty = f", {span(low, high)}, {p_value(row.p)}"
        said[verdict].append(f"`{row.norm_arg}` {significant(row.own, 3)} ({mean}{certainty})")
    return " ".join(f"{verdict}: {', '.join(items)}." for verdict, items in said.items() if items)


def _smoother(part: pd.DataFrame) -> str:
    """With which normalizations the gradient holds better along a step than with none, and with which worse."""
    apart = part[part["p"] < LEVEL]
    said = [
        f"{kind} smooth with {', '.join(f'`{name}`' for name in chosen['norm_arg'])} than without normalization"
        for kind, chosen in (("more", apart[apart["mean"] < 0]), ("less", apart[apart["mean"] > 0]))
        if len(chosen)
    ]
    if said:
        return f"By this measure the loss is {', and '.join(said)}."
    return "By this measure, no normalization is shown to make the loss smoother or less smooth."


def _gamma(rows: pd.DataFrame) -> list[str]:
    """In which layer gamma departs most from 1, where it starts, for each normalization."""
    table = layers(rows, ["gamma_mean", "gamma_sd"])
    table = table[table["epoch"] == table["epoch"].max()]
    sentences = []
    for name, part in table.groupby("norm_arg", sort=False):
        wide = part.pivot(index="seed", columns="layer", values="gamma_mean")
        departures = inference.student(wide.to_numpy() - 1).set_index(wide.columns)
        departures["p"] = inference.holm(departures["p"])
        layer = departures["mean"].abs().idxmax()
        most, others = departures.loc[layer], departures["mean"].drop(layer)
        ends = interval(1 + most["low"], 1 + most["high"], 2)
        sure = "a single seed"
        if not np.isnan(most["p"]):
            corrected = f"{p_value(most['p'])} corrected for the {len(departures)} layers"
            sure = f"{INTERVAL} {ends}, {inference.verdict(most['p'])}, {corrected}"
        sentences.append(
            f"With `{name}`, gamma departs most from 1, where it starts, in layer {layer}. There its mean over the "
            f"channels ends at {decimal(1 + most['mean'], 2)} ({sure}). In the other layers it ends between "
            f"{decimal(1 + others.min(), 2)} and {decimal(1 + others.max(), 2)}. The gammas of a layer have a standard "
            f"deviation of {decimal(part['gamma_sd'].mean(), 2)} on average."
        )
    return sentences
