"""What goes on inside a network while it learns: its activations, its gradient along a step, and gamma and beta.

A table of these has a row a run and epoch, as `experiments.run` makes them with `measure`; epoch 0 is before training.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from normstudy.analysis import inference
from normstudy.analysis.inference import LEVEL
from normstudy.display.figures import COLOURS, DASHES, new_figure
from normstudy.display.notation import INTERVAL, UNKNOWN, decimal, interval, out_of, p_value, significant, span

SMOOTHNESS = {
    "gradient_norm": "Norm of the gradient",
    "gradient_change": "Change of the gradient",
    "loss_range": "Range of the loss",
}


def layers(rows: pd.DataFrame, columns: Sequence[str]) -> pd.DataFrame:
    """Columns of lists, one number a layer, taken apart: a row for each run, epoch and layer.

    Layers count from 1, input side first. Rows without such lists are left out. The columns are `norm_arg`, `seed`,
    `epoch`, `layer` and those asked for.
    """
    table = rows.dropna(subset=list(columns))[["norm_arg", "seed", "epoch", *columns]].explode(list(columns))
    table["layer"] = table.groupby(level=0).cumcount() + 1
    return table.astype(dict.fromkeys(columns, float)).reset_index(drop=True)


def activations(rows: pd.DataFrame) -> Figure:
    """Mean and standard deviation of what goes into each normalization layer, over the epochs: means over the seeds."""
    table = layers(rows, ["given_mean", "given_sd"])
    drawn, axes = _small_multiples(table, ("Mean", "Standard deviation"))
    for (layer, name), part in table.groupby(["layer", "norm_arg"], sort=False):
        means = part.groupby("epoch")[["given_mean", "given_sd"]].mean()
        for axis, column in zip(axes[layer - 1], means, strict=True):
            axis.plot(means.index, means[column], color=COLOURS[name], linestyle=DASHES[name], label=name)
    for axis in axes[:, 1]:
        axis.set_yscale("log")
    _legend(drawn, axes[0, 0])
    return drawn


def gamma_beta(rows: pd.DataFrame) -> Figure:
    """Gamma and beta of each layer over the epochs: their mean over the channels, and a standard deviation either way.

    Both are means over the seeds.
    """
    columns = ["gamma_mean", "gamma_sd", "beta_mean", "beta_sd"]
    table = layers(rows, columns)
    drawn, axes = _small_multiples(table, ("γ", "β"))
    for (layer, name), part in table.groupby(["layer", "norm_arg"], sort=False):
        means = part.groupby("epoch")[columns].mean()
        for axis, parameter in zip(axes[layer - 1], ("gamma", "beta"), strict=True):
            mean, deviation = means[f"{parameter}_mean"], means[f"{parameter}_sd"]
            axis.plot(means.index, mean, color=COLOURS[name], linestyle=DASHES[name], label=name)
            axis.fill_between(means.index, mean - deviation, mean + deviation, color=COLOURS[name], alpha=0.15, lw=0)
    _legend(drawn, axes[0, 0])
    return drawn


def smoothness(rows: pd.DataFrame) -> Figure:
    """The gradient's norm, its change along a step and the range of the loss there, over the epochs.

    Lines are means over the seeds, bands go from the smallest to the largest seed.
    """
    drawn, axes = new_figure(5.2, 6.6, rows=len(SMOOTHNESS))
    for axis, (column, label) in zip(axes[:, 0], SMOOTHNESS.items(), strict=True):
        for name, part in rows.groupby("norm_arg", sort=False):
            found = part.groupby("epoch")[column].agg(["mean", "min", "max"])
            axis.plot(found.index, found["mean"], color=COLOURS[name], linestyle=DASHES[name], label=name)
            axis.fill_between(found.index, found["min"], found["max"], color=COLOURS[name], alpha=0.15, lw=0)
        axis.set_yscale("log")
        axis.set_ylabel(label)
        axis.xaxis.set_major_locator(MaxNLocator(integer=True, steps=[1, 2, 5, 10]))
    axes[-1, 0].set_xlabel("Epoch (0: before training)")
    _legend(drawn, axes[0, 0])
    return drawn


def _small_multiples(table: pd.DataFrame, titles: tuple[str, str]) -> tuple[Figure, np.ndarray]:
    """A row of axes a layer, two beside one another; those below one another share their scale."""
    number = table["layer"].max()
    drawn, axes = new_figure(5.2, 0.6 + 1.25 * number, rows=number, columns=2)
    for column, title in enumerate(titles):
        axes[0, column].set_title(title, fontsize=10)
        axes[-1, column].set_xlabel("Epoch")
        for layer, axis in enumerate(axes[:, column], start=1):
            axis.sharey(axes[0, column])
            axis.xaxis.set_major_locator(MaxNLocator(integer=True, steps=[1, 2, 5, 10]))
            if layer < number:
                axis.tick_params(labelbottom=False)
    for layer, axis in enumerate(axes[:, 0], start=1):
        axis.set_ylabel(f"Layer {layer}")
    return drawn, axes


def _legend(drawn: Figure, axis: Axes) -> None:
    lines, names = axis.get_legend_handles_labels()
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
    means = layers(rows, [column]).groupby(["norm_arg", "epoch", "layer"], sort=False)[column].mean()
    said = []
    for name in dict.fromkeys(means.index.get_level_values("norm_arg")):
        of_epochs = means[name].unstack()
        first, last = (", ".join(decimal(value, 2) for value in of_epochs.loc[epoch]) for epoch in _ends(rows))
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


def last_epoch(rows: pd.DataFrame) -> pd.DataFrame:
    """All that was measured after the last epoch: a row for each measure and normalization.

    Returns:
        `measure`, `normalization`, `penalty`, and over the seeds `mean`, `smallest` and `largest`. What has no such
        measure is left out.
    """
    last = inference.last_epochs(rows)
    measures = {"test accuracy (%)": 100 * last["test_accuracy"]}
    measures |= {label.lower(): last[column] for column, label in SMOOTHNESS.items()}
    for column, what in (
        ("given_sd", "standard deviation into layer"),
        ("gamma_mean", "mean of γ, layer"),
        ("beta_mean", "mean of β, layer"),
    ):
        for layer in (1, layers(rows, [column])["layer"].max()):
            measures[f"{what} {layer}"] = last[column].str[layer - 1]
    about = last[["normalization", "penalty"]].astype(str)
    table = pd.concat([about.assign(measure=measure, value=values) for measure, values in measures.items()])
    grouped = table.dropna().groupby(["measure", "normalization", "penalty"], sort=False)["value"]
    return grouped.agg(mean="mean", smallest="min", largest="max").reset_index()


def shown(table: pd.DataFrame) -> pd.DataFrame:
    """`last_epoch` as the report prints it, a column a normalization: means, and the smallest and largest seed."""
    powers = {label.lower() for label in SMOOTHNESS.values()}  # these span powers of ten
    cells: dict[str, dict[str, str]] = {}
    for row in table.itertuples():
        written = [
            significant(value) if row.measure in powers else decimal(value, 2)
            for value in (row.mean, row.smallest, row.largest)
        ]
        column = cells.setdefault(row.normalization, {"penalty": row.penalty})
        column[row.measure] = f"{written[0]} ({written[1]} to {written[2]})"
    wide = pd.DataFrame(cells, index=["penalty", *table["measure"].unique()]).fillna(UNKNOWN)
    return wide.rename_axis("after the last epoch").reset_index()


def per_run(rows: pd.DataFrame) -> pd.DataFrame:
    """A row a run that did not diverge: its `norm_arg` and `seed`, and what the findings compare.

    Those are the measures of smoothness, averaged over all epochs, `start` (the norm of the gradient before training),
    `growth_first` and `growth_last` (standard deviation of what goes into the first and the last normalization layer
    at the last epoch, divided by that before training) and `depth` (before training, that of the last layer divided by
    that of the first).
    """
    runs = rows[["run", "norm_arg", "seed"]].drop_duplicates().set_index("run")
    runs[list(SMOOTHNESS)] = rows.groupby("run")[list(SMOOTHNESS)].mean()
    ordered = rows.sort_values("epoch").groupby("run")
    first, last = (pd.DataFrame(ordered["given_sd"].agg(which).to_dict()).T for which in ("first", "last"))
    runs["start"] = ordered["gradient_norm"].first()
    runs["growth_first"], runs["growth_last"] = last.iloc[:, 0] / first.iloc[:, 0], last.iloc[:, -1] / first.iloc[:, -1]
    runs["depth"] = first.iloc[:, -1] / first.iloc[:, 0]
    return runs[~_diverged(rows)].reset_index(drop=True)


def _diverged(rows: pd.DataFrame) -> pd.Series:
    """Whether each `run` ended with an epoch that has no metrics."""
    return rows["test_accuracy"].isna().where(rows["epoch"] > 0, False).groupby(rows["run"]).any()


def against_none(rows: pd.DataFrame) -> pd.DataFrame:
    """How each normalization departs from none, seed by seed, over those seeds in which no run diverged.

    Returns:
        A row for each outcome and normalization: `outcome`, `norm_arg`, `scale` ("difference", or "ratio" for those
        that span powers of ten), `none` and `own` (the means over the seeds; geometric ones for ratios), `mean` (of the
        difference or, geometric, of the ratio), `low`, `high` (its 95 % interval, not corrected), `p` (corrected for
        the number of normalizations).
    """
    runs, tables = per_run(rows), []
    for outcome in runs.columns.drop(["norm_arg", "seed"]):
        wide = runs.pivot(index="seed", columns="norm_arg", values=outcome)[runs["norm_arg"].unique()].dropna()
        ratio = outcome not in SMOOTHNESS
        wide = np.log(wide) if ratio else wide
        others = wide.drop(columns="none")
        table = inference.student(others.sub(wide["none"], axis=0).to_numpy())
        table = table.assign(p=inference.holm(table["p"]), none=wide["none"].mean(), own=others.mean().to_numpy())
        if ratio:
            numbers = ["mean", "low", "high", "none", "own"]
            table[numbers] = np.exp(table[numbers])
        tables.append(table.assign(outcome=outcome, norm_arg=others.columns, scale="ratio" if ratio else "difference"))
    columns = ["outcome", "norm_arg", "scale", "none", "own", "mean", "low", "high", "p"]
    return pd.concat(tables, ignore_index=True)[columns]


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
    diverged = _diverged(rows)
    if diverged.any():
        sentences.append(
            f"{out_of(diverged.sum(), len(diverged), 'run').capitalize()} diverged. Their seeds are left out of the "
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
        certainty = (
            "a single seed"
            if np.isnan(most["p"])
            else f"{INTERVAL} {ends}, {inference.verdict(most['p'])}, {p_value(most['p'])} corrected for the "
            f"{len(departures)} layers"
        )
        sentences.append(
            f"With `{name}`, gamma departs most from 1, where it starts, in layer {layer}. There its mean over the "
            f"channels ends at {decimal(1 + most['mean'], 2)} ({certainty}). In the other layers it ends between "
            f"{decimal(1 + others.min(), 2)} and {decimal(1 + others.max(), 2)}. The gammas of a layer have a standard "
            f"deviation of {decimal(part['gamma_sd'].mean(), 2)} on average."
        )
    return sentences
