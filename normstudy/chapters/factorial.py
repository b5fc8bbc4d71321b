"""The factorial, every normalization with every penalty: its tables, its figure and its findings."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from normstudy.analysis import effects, inference, mistakes
from normstudy.analysis.inference import LEVEL
from normstudy.chapters import claims
from normstudy.display import lines
from normstudy.display.figures import new_figure
from normstudy.display.notation import (
    INTERVAL,
    NO_BREAK,
    count,
    decimal,
    exact,
    interval,
    listed,
    out_of,
    p_value,
    percent,
    points,
    probability,
    with_interval,
)
from normstudy.experiments import parameters

OUTCOMES = {"test_accuracy": ("Test accuracy (%)", 100), "test_loss": ("Test loss", 1)}


def assigned(params: Path) -> dict[str, tuple[str, str]]:
    """The study's variants: their names → the normalization and the penalty that `params/<name>.yaml` gives them."""
    own = {name: parameters.read(params / f"{name}.yaml") for name in parameters.VARIANTS}
    return {
        name: (values["norm_arg"], inference.penalty(float(values.get("l1", 0)), float(values.get("l2", 0))))
        for name, values in own.items()
    }


def results(runs: pd.DataFrame) -> pd.DataFrame:
    """Means of every combination over the seeds: a row each.

    Returns:
        `normalization`, `penalty`, `accuracy` (0 to 1), `low` and `high` (its 95 % interval over the seeds),
        `images_low` and `images_high` (that over the choice of test images, for one network of this accuracy), `loss`,
        `near_zero` (the share of the weights, 0 to 1), `squares` (the sum of the squared weights).
    """
    accuracy, loss = (inference.summary(runs, ("normalization", "penalty"), outcome) for outcome in OUTCOMES)
    weights = runs.groupby(["normalization", "penalty"], observed=True)[["weights_near_zero", "weights_l2"]].mean()
    images = int(runs["test_images"].iloc[0])
    wilson = np.array([inference.wilson(mean, images) for mean in accuracy["mean"]])
    return accuracy.rename(columns={"mean": "accuracy"}).assign(
        images_low=wilson[:, 0],
        images_high=wilson[:, 1],
        loss=loss["mean"],
        near_zero=weights["weights_near_zero"].to_numpy(),
        squares=weights["weights_l2"].to_numpy(),
    )


def shown_results(table: pd.DataFrame) -> pd.DataFrame:
    """`results` as the report prints it."""
    rows = list(table.itertuples())
    return pd.DataFrame(
        {
            "normalization": table["normalization"],
            "penalty": table["penalty"],
            "mean (%)": [decimal(100 * row.accuracy, 2) for row in rows],
            "over the seeds": [interval(100 * row.low, 100 * row.high, 2) for row in rows],
            "over images": [interval(100 * row.images_low, 100 * row.images_high, 2) for row in rows],
            "loss": [decimal(row.loss, 4) for row in rows],
            "near zero (%)": [decimal(100 * row.near_zero, 1) for row in rows],
            "Σw²": [decimal(row.squares, 1) for row in rows],
        }
    )


def figure(runs: pd.DataFrame) -> Figure:
    """Accuracy over loss: a mark for each normalization at each penalty, with its 95 % interval over the seeds."""
    drawn, axes = new_figure(6.2, 5.4, rows=2)
    penalties = list(runs["penalty"].cat.categories)
    for axis, (outcome, (label, scale)) in zip(axes[:, 0], OUTCOMES.items(), strict=True):
        table = inference.summary(runs, ("normalization", "penalty"), outcome)
        lines.draw(axis, table.assign(place=table["penalty"].cat.codes), "place", scale, spread=0.13, joined=False)
        axis.set_xticks(range(len(penalties)), penalties)
        axis.grid(visible=False, axis="x")
        axis.set_ylabel(label)
    axes[1, 0].set_xlabel("Penalty")
    axes[0, 0].legend(ncols=5, loc="lower center", bbox_to_anchor=(0.5, 1), columnspacing=1)
    return drawn


def describe(runs: pd.DataFrame) -> str:
    """The figure in words, with its numbers."""
    table = inference.summary(runs, ("normalization", "penalty"), "test_accuracy")
    return (
        f"Mean test accuracy (above) and test loss (below) of each normalization, by penalty, with {INTERVAL}s over "
        "the seeds. Accuracy: "
        + "; ".join(f"{row.normalization} with {row.penalty}, {percent(row.mean)}" for row in table.itertuples())
        + "."
    )


def main_effects(runs: pd.DataFrame) -> pd.DataFrame:
    """How each normalization and each penalty departs from the mean of all, as the report prints it."""
    accuracy, loss = (effects.effects(runs, outcome) for outcome in OUTCOMES)
    shown = pd.DataFrame(
        {
            "effect of": accuracy["kind"] + " " + accuracy["normalization"].fillna(accuracy["penalty"]),
            "accuracy (points)": [_with_interval(row, 100, 2) for row in accuracy.itertuples()],
            "p": accuracy["p"].map(probability),
            "loss": [_with_interval(row, 1, 4) for row in loss.itertuples()],
            "p ": loss["p"].map(probability),
        }
    )
    return shown[accuracy["kind"] != "interaction"]


def shown_parts(table: pd.DataFrame) -> pd.DataFrame:
    """`effects.decomposition` of the study's variants as the report prints it, in percentage points."""
    shown = [_with_interval(row, 100, 2) for row in table.itertuples()]
    table = table.assign(difference=table["first"] + " − " + table["second"], shown=shown)
    wide = table.pivot(index="difference", columns="source", values="shown").reindex(table["difference"].unique())
    return wide[["all", "normalization", "penalty", "interaction"]].reset_index()


def _with_interval(row: Any, scale: float, digits: int) -> str:
    return with_interval(scale * row.mean, scale * row.low, scale * row.high, digits, sign=True)


def wrong(runs: pd.DataFrame, cells: Mapping[str, tuple[str, str]]) -> pd.DataFrame:
    """McNemar's test of the study's variants on the same images, seed by seed: `mistakes.disagreements`."""
    by_cell = runs.set_index(["normalization", "penalty", "seed"])["wrong"].sort_index()
    return mistakes.disagreements({name: by_cell.loc[cell] for name, cell in cells.items()})


def shown_wrong(table: pd.DataFrame) -> pd.DataFrame:
    """`wrong` as the report prints it."""
    only = table[["only_first", "only_second"]].map(lambda images: decimal(images, 1))
    shown = table[["first", "second"]].join([only, table[["seeds", "apart"]], table["p"].map(probability)])
    names = ["wrong in the first only", "in the second only", "seeds", "of them apart", "smallest p"]
    return shown.set_axis(["first", "second", *names], axis=1)


def strengths(runs: pd.DataFrame, params: Path) -> str:
    """How strong the penalties of these runs are, beside those that `params/<name>.yaml` gives the study's variants."""
    own = [parameters.read(params / f"{name}.yaml") for name in parameters.VARIANTS]
    said = []
    for name in ("l1", "l2"):
        given = runs[name], [values.get(name, 0) for values in own]
        here, there = (listed([exact(value) for value in sorted({*map(float, of)} - {0.0})]) for of in given)
        said.append(f"The factor of {name.upper()} is {here} here, and {there} in the study's variants.")
    return " ".join(said)


def findings(runs: pd.DataFrame, cells: Mapping[str, tuple[str, str]]) -> list[str]:
    """What the factorial says, a sentence each."""
    table = effects.effects(runs, "test_accuracy")
    diverged = int(runs["diverged"].sum())
    pairs = inference.pairs(runs, "normalization", "test_accuracy")
    return [
        *_main_effects(table, "normalization", "penalties"),
        *_main_effects(table, "penalty", "normalizations"),
        _shares(effects.variation(runs, "test_accuracy").set_index("source")),
        *claims.largest(pairs, "test accuracy", "percentage points", 100),
        *_assigned(effects.decomposition(runs, "test_accuracy", cells)),
        *_penalties_act(runs),
        *([f"{out_of(diverged, len(runs), 'run').capitalize()} diverged; they count as guessing, and are left out "
           "where mistakes are compared image by image."] if diverged else []),
        _hardest(runs),
    ]  # fmt: skip


def _main_effects(table: pd.DataFrame, kind: str, others: str) -> list[str]:
    """Those effects of a kind that chance would not give, and which the others are."""
    part = table[table["kind"] == kind]
    sentences = [
        f"Averaged over the {others}, {kind} `{getattr(row, kind)}` moves test accuracy from the mean of all by "
        f"{points(row)}."
        for row in part[part["p"] < LEVEL].itertuples()
    ]
    rest = [f"`{name}`" for name in part.loc[~(part["p"] < LEVEL), kind]]
    if rest:
        effect = "effects" if len(rest) > 1 else "effect"
        sentences.append(f"For {kind} {listed(rest)}, the {effect} on test accuracy cannot be told from chance.")
    return sentences


def _shares(table: pd.DataFrame) -> str:
    share = {source: percent(value, 0) for source, value in table["share"].items()}
    p = table.loc["interaction", "p"]
    shown = "is more than chance would give" if p < LEVEL else "is not shown"
    return (
        f"Of the variation of test accuracy over all runs, normalization explains {share['normalization']}, penalty "
        f"{share['penalty']}, their interaction {share['interaction']} and the seed {share['seed']}; {share['rest']} "
        f"is left unexplained. That the effect of a penalty depends on the normalization {shown} ({p_value(p)})."
    )


def _assigned(table: pd.DataFrame) -> list[str]:
    """What the study's variants owe to what."""
    sentences = []
    for (first, second), part in table.groupby(["first", "second"], sort=False):
        rows = {row.source: row for row in part.itertuples()}
        of = {source: decimal(100 * row.mean, 2, sign=True) for source, row in rows.items()}
        sentences.append(
            f"With the kinds of penalty that the study gives them, {first} minus {second} is {points(rows['all'])}, "
            f"{inference.verdict(rows['all'].p)}: {of['normalization']} from the normalization, {of['penalty']} from "
            f"the penalty, {of['interaction']} from their going together."
        )
    return sentences


def _penalties_act(runs: pd.DataFrame) -> list[str]:
    """What L1 and L2 alone do to the weights, averaged over the normalizations."""
    sentences = []
    for name, outcome, what, scale, unit in (
        ("L1", "weights_near_zero", "the share of weights that are near zero", 100, f"{NO_BREAK}%"),
        ("L2", "weights_l2", "the sum of the squared weights", 1, ""),
    ):
        if {"none", name} <= set(runs["penalty"]):
            means = inference.summary(runs, ["penalty"], outcome).set_index("penalty")["mean"]
            row = inference.pairs(runs[runs["penalty"].isin(["none", name])], "penalty", outcome).iloc[0]
            before, after = (decimal(scale * means[kind], 1) for kind in ("none", name))
            change = interval(-scale * row["high"], -scale * row["low"], 1, sign=True)
            acts = "It acts" if row["p"] < LEVEL else "That it acts is not shown"
            sentences.append(
                f"Averaged over the normalizations, {name} alone changes {what} from {before} to {after}{unit} "
                f"({INTERVAL} of the change {change}). {acts} ({p_value(row['p'])})."
            )
    return sentences


def _hardest(runs: pd.DataFrame) -> str:
    """How many test images how many of the runs misclassify."""
    times, trained = mistakes.times_wrong(runs), int((~runs["diverged"]).sum())
    images = int(runs["test_images"].iloc[0])
    any_run, half, every = (int((times > least).sum()) for least in (0, trained / 2, trained - 1))
    return (
        f"Of the {count(images)} test images, {count(any_run)} {'is' if any_run == 1 else 'are'} misclassified in at "
        f"least one of the {count(trained)} runs that trained, {count(half) if half else 'none'} in more than half of "
        f"them, and {count(every) if every else 'none'} in every one."
    )
