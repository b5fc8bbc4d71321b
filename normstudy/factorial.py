"""The factorial, every normalization with every penalty: its tables, its figure and its findings."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from normstudy import effects, variants
from normstudy.effects import LEVEL
from normstudy.figures import COLOURS, MARKERS, new_figure

OUTCOMES = {"test_accuracy": ("Test accuracy (%)", 100), "test_loss": ("Test loss", 1)}


def assigned(params: Path) -> dict[str, tuple[str, str]]:
    """The study's variants: their names → the normalization and the penalty that `params/<name>.yaml` gives them."""
    cells = {}
    for name in variants.VARIANTS:
        values = variants.read(params / f"{name}.yaml")
        cells[name] = (str(values["norm_arg"]), effects.penalty(float(values.get("l1", 0)), float(values.get("l2", 0))))
    return cells


def results(runs: pd.DataFrame) -> pd.DataFrame:
    """Every combination, as the report prints it: accuracy, loss and weights, with intervals over the seeds."""
    accuracy, loss = (effects.summary(runs, ("normalization", "penalty"), outcome) for outcome in OUTCOMES)
    weights = runs.groupby(["normalization", "penalty"], observed=True)[["weights_near_zero", "weights_l2"]].mean()
    images = int(runs["test_images"].iloc[0])
    wilson = [effects.wilson(mean, images) for mean in accuracy["mean"]]
    return pd.DataFrame(
        {
            "normalization": accuracy["normalization"],
            "penalty": accuracy["penalty"],
            "accuracy (%)": (100 * accuracy["mean"]).map("{:.2f}".format),
            "over the seeds": [
                f"{100 * low:.2f}–{100 * high:.2f}" for low, high in accuracy[["low", "high"]].to_numpy()
            ],
            "over images": [f"{100 * low:.2f}–{100 * high:.2f}" for low, high in wilson],
            "loss": loss["mean"].map("{:.4f}".format),
            "near zero (%)": (100 * weights["weights_near_zero"].to_numpy()).round(1),
            "sum of squares": weights["weights_l2"].to_numpy().round(1),
        }
    )


def figure(runs: pd.DataFrame) -> Figure:
    """Accuracy over loss: a mark for each normalization at each penalty, with its 95 % interval over the seeds."""
    drawn, axes = new_figure(6.2, 5.4, rows=2)
    penalties = list(runs["penalty"].cat.categories)
    normalizations = list(runs["normalization"].cat.categories)
    for axis, (outcome, (label, scale)) in zip(axes[:, 0], OUTCOMES.items(), strict=True):
        table = effects.summary(runs, ("normalization", "penalty"), outcome)
        for number, (name, part) in enumerate(table.groupby("normalization", observed=True)):
            places = [penalties.index(penalty) for penalty in part["penalty"]]
            shift = 0.13 * (number - (len(normalizations) - 1) / 2)
            axis.errorbar(
                np.asarray(places) + shift,
                scale * part["mean"],
                yerr=scale * np.array([part["mean"] - part["low"], part["high"] - part["mean"]]),
                fmt=MARKERS[name],
                color=COLOURS[name],
                capsize=2,
                label=name,
            )
        axis.set_xticks(range(len(penalties)), penalties)
        axis.grid(visible=False, axis="x")
        axis.set_ylabel(label)
    axes[1, 0].set_xlabel("Penalty")
    axes[0, 0].legend(ncols=len(normalizations), loc="lower center", bbox_to_anchor=(0.5, 1), columnspacing=1)
    return drawn


def describe(runs: pd.DataFrame) -> str:
    """The figure in words, with its numbers."""
    table = effects.summary(runs, ("normalization", "penalty"), "test_accuracy")
    return (
        "Mean test accuracy (above) and test loss (below) of each normalization, by penalty, with 95 % intervals over "
        "the seeds. Accuracy: "
        + "; ".join(f"{row.normalization} with {row.penalty}, {row.mean:.2%}" for row in table.itertuples())
        + "."
    )


def main_effects(runs: pd.DataFrame) -> pd.DataFrame:
    """How each normalization and each penalty departs from the mean of all, as the report prints it."""
    accuracy, loss = (effects.effects(runs, outcome) for outcome in OUTCOMES)
    shown = pd.DataFrame(
        {
            "effect of": accuracy["kind"] + " " + accuracy["normalization"].fillna(accuracy["penalty"]),
            "accuracy (points)": [_with_interval(row, 100, 2) for row in accuracy.itertuples()],
            "p": accuracy["p"].map(effects.printed),
            "loss": [_with_interval(row, 1, 4) for row in loss.itertuples()],
            "p of loss": loss["p"].map(effects.printed),
        }
    )
    return shown[accuracy["kind"] != "interaction"].rename(columns={"p of loss": "p "})


def parts(runs: pd.DataFrame, cells: Mapping[str, tuple[str, str]]) -> pd.DataFrame:
    """What makes the differences between the study's variants, in points of test accuracy, as the report prints it."""
    table = effects.decomposition(runs, "test_accuracy", cells)
    table["difference"] = table["first"] + " − " + table["second"]
    table["shown"] = [_with_interval(row, 100, 2) for row in table.itertuples()]
    wide = table.pivot(index="difference", columns="source", values="shown").reindex(table["difference"].unique())
    return wide[["all", "normalization", "penalty", "interaction"]].reset_index()


def wrong(runs: pd.DataFrame, cells: Mapping[str, tuple[str, str]]) -> pd.DataFrame:
    """McNemar's test of the study's variants on the same images, seed by seed, as the report prints it."""
    table = effects.disagreements(
        {
            name: runs[(runs["normalization"] == normalization) & (runs["penalty"] == penalty)]
            for name, (normalization, penalty) in cells.items()
        }
    )
    shown = pd.DataFrame(
        {
            "first": table["first"],
            "second": table["second"],
            "wrong in the first only": table["only_first"].map("{:.1f}".format),
            "in the second only": table["only_second"].map("{:.1f}".format),
            "seeds": table["seeds"],
            "of them apart": table["apart"],
            "smallest p": table["p"].map(effects.printed),
        }
    )
    shown.loc[table["seeds"] == 0, ["wrong in the first only", "in the second only", "smallest p"]] = "–"
    return shown


def findings(runs: pd.DataFrame, cells: Mapping[str, tuple[str, str]]) -> list[str]:
    """What the factorial says, a sentence each."""
    table = effects.effects(runs, "test_accuracy")
    sentences = [
        *_main_effects(table, "normalization", "penalties"),
        *_main_effects(table, "penalty", "normalizations"),
        _shares(effects.variation(runs, "test_accuracy").set_index("source")),
    ]
    pairs = effects.pairs(runs[runs["normalization"] != "none"], "normalization", "test_accuracy")
    if len(pairs):
        sentences.append(_normalized(pairs))
    sentences += _assigned(effects.decomposition(runs, "test_accuracy", cells))
    sentences += _penalties_act(runs)
    if runs["diverged"].any():
        sentences.append(
            f"{runs['diverged'].sum()} of the {len(runs)} runs diverged; they count as guessing, and are "
            "left out where mistakes are compared image by image."
        )
    trained, times = int((~runs["diverged"]).sum()), effects.times_wrong(runs)
    sentences.append(
        f"{(times == trained).sum() or 'None'} of the {int(runs['test_images'].iloc[0]):,} test images "
        f"{'is' if (times == trained).sum() == 1 else 'are'} misclassified in every one of the {trained} runs; "
        f"{len(times):,} are in at least one, and {(times > trained / 2).sum() or 'none'} in more than half."
    )
    return sentences


def _with_interval(row: Any, scale: float, digits: int) -> str:
    mean, low, high = (f"{scale * value:+.{digits}f}" for value in (row.mean, row.low, row.high))
    return f"{mean} ({low} to {high})"


def _listed(names: Sequence[str]) -> str:
    return " and ".join(part for part in (", ".join(names[:-1]), names[-1]) if part)


def _main_effects(table: pd.DataFrame, kind: str, others: str) -> list[str]:
    """Those effects of a kind that chance would not give, the largest first, and which the others are."""
    part = table[table["kind"] == kind].sort_values("mean", key=abs, ascending=False)
    sentences = [
        f"Averaged over the {others}, {kind} `{getattr(row, kind)}` changes test accuracy by {100 * row.mean:+.2f} "
        f"percentage points from the mean of all (95 % interval {100 * row.low:+.2f} to {100 * row.high:+.2f}, "
        f"corrected p = {row.p:.2g})."
        for row in part[part["p"] < LEVEL].itertuples()
    ]
    rest = [f"`{name}`" for name in part.loc[~(part["p"] < LEVEL), kind]]
    if rest:
        effect = "effects" if len(rest) > 1 else "effect"
        sentences.append(f"For {kind} {_listed(rest)}, the {effect} on test accuracy cannot be told from chance.")
    return sentences


def _shares(table: pd.DataFrame) -> str:
    share = {source: f"{100 * value:.0f} %" for source, value in table["share"].items()}
    shown = table.loc["interaction", "p"] < LEVEL
    return (
        f"Of the variation of test accuracy over all runs, normalization explains {share['normalization']}, penalty "
        f"{share['penalty']}, their interaction {share['interaction']} and the seed {share['seed']}; {share['rest']} "
        f"is left unexplained. That the effect of a penalty depends on the normalization {'is' if shown else 'is not'} "
        f"more than chance would give (p = {table.loc['interaction', 'p']:.2g})."
    )


def _normalized(pairs: pd.DataFrame) -> str:
    apart = int((pairs["p"] < LEVEL).sum())
    largest = pairs.loc[pairs["mean"].abs().idxmax()]
    better, worse = (
        (largest["first"], largest["second"]) if largest["mean"] > 0 else (largest["second"], largest["first"])
    )
    return (
        f"Among the networks that normalize, {apart or 'none'} of the {len(pairs)} pairs of normalizations differ in "
        f"test accuracy by more than chance would give. The largest difference is {abs(100 * largest['mean']):.2f} "
        f"percentage points, {better} over {worse} (corrected p = {largest['p']:.2g})."
    )


def _assigned(table: pd.DataFrame) -> list[str]:
    """What the study's variants owe to what."""
    sentences = []
    for (first, second), part in table.groupby(["first", "second"], sort=False):
        rows = {row.source: row for row in part.itertuples()}
        points = {source: f"{100 * row.mean:+.2f}" for source, row in rows.items()}
        whole = rows["all"]
        verdict = "more than chance would give" if whole.p < LEVEL else "no more than chance would give"
        sentences.append(
            f"With the kinds of penalty that the study gives them, {first} minus {second} is {points['all']} "
            f"percentage points (95 % interval {100 * whole.low:+.2f} to {100 * whole.high:+.2f}), {verdict} "
            f"(corrected p = {whole.p:.2g}): {points['normalization']} from the normalization, {points['penalty']} "
            f"from the penalty, {points['interaction']} from their going together."
        )
    return sentences


def _penalties_act(runs: pd.DataFrame) -> list[str]:
    """What L1 and L2 alone do to the weights, averaged over the normalizations."""
    sentences = []
    for name, outcome, what, scale, digits in (
        ("L1", "weights_near_zero", "the part of the weights that are near zero (%)", 100, 1),
        ("L2", "weights_l2", "the sum of the squared weights", 1, 1),
    ):
        if {"none", name} <= set(runs["penalty"]):
            means = effects.summary(runs, ["penalty"], outcome).set_index("penalty")["mean"]
            table = effects.pairs(runs[runs["penalty"].isin(["none", name])], "penalty", outcome)
            row = table.iloc[0]
            low, high = sorted((-row["low"], -row["high"]))
            acts = "It acts" if row["p"] < LEVEL else "That it acts is not shown"
            sentences.append(
                f"{name} alone changes {what} from {scale * means['none']:.{digits}f} to "
                f"{scale * means[name]:.{digits}f} (95 % interval of the change {scale * low:+.{digits}f} to "
                f"{scale * high:+.{digits}f}). {acts} (p = {row['p']:.2g})."
            )
    return sentences
