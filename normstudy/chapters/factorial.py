"""The factorial, every normalization with every penalty: its tables, its figure, and what became of its predictions."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

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
    percent,
    probability,
    with_interval,
)
from normstudy.experiments import parameters

OUTCOMES = {"test_loss": ("Test loss", 1, 4), "test_accuracy": ("Test accuracy (%)", 100, 2)}
"""A column of the table of runs → its name, what it is multiplied with, digits after the point. The first decides."""

LOSS = "test_loss"


def assigned(params: Path) -> dict[str, tuple[str, str]]:
    """The study's variants: their names → the normalization and the penalty that `params/<name>.yaml` gives them."""
    own = {name: parameters.read(params / f"{name}.yaml") for name in parameters.VARIANTS}
    return {
        name: (values["norm_arg"], inference.penalty(float(values.get("l1", 0)), float(values.get("l2", 0))))
        for name, values in own.items()
    }


def strengths(runs: pd.DataFrame, params: Path) -> str:
    """How strong the penalties of these runs are, beside those that `params/<name>.yaml` gives the study's variants."""
    own = [parameters.read(params / f"{name}.yaml") for name in parameters.VARIANTS]
    said = []
    for name in ("l1", "l2"):
        given = runs[name], [values.get(name, 0) for values in own]
        here, there = (listed([exact(value) for value in sorted({*map(float, of)} - {0.0})]) for of in given)
        beside = "as in" if here == there else f"and {there} in"
        said.append(f"The factor of {name.upper()} is {here} here, {beside} the study's variants.")
    return " ".join(said)


def results(runs: pd.DataFrame) -> pd.DataFrame:
    """Means of every combination over the seeds: a row each.

    Returns:
        `normalization`, `penalty`, `loss` with `loss_low` and `loss_high`, `accuracy` (0 to 1) with `accuracy_low` and
        `accuracy_high` (95 % intervals over the seeds), `near_zero` (the share of the weights, 0 to 1), `squares` (the
        sum of the squared weights).
    """
    by = ["normalization", "penalty"]
    loss, accuracy = (inference.summary(runs, by, outcome) for outcome in OUTCOMES)
    weights = runs.groupby(by, observed=True)[["weights_near_zero", "weights_l2"]].mean()
    table = loss[by].assign(near_zero=weights["weights_near_zero"].to_numpy(), squares=weights["weights_l2"].to_numpy())
    for name, part in (("loss", loss), ("accuracy", accuracy)):
        table[[name, f"{name}_low", f"{name}_high"]] = part[["mean", "low", "high"]]
    return table


def shown_results(table: pd.DataFrame) -> pd.DataFrame:
    """`results` as the report prints it."""
    loss = table[["loss", "loss_low", "loss_high"]].to_numpy().tolist()
    accuracy = (100 * table[["accuracy", "accuracy_low", "accuracy_high"]]).to_numpy().tolist()
    return pd.DataFrame(
        {
            "normalization": table["normalization"],
            "penalty": table["penalty"],
            "test loss": [with_interval(mean, low, high, 4) for mean, low, high in loss],
            "test accuracy (%)": [with_interval(mean, low, high, 2) for mean, low, high in accuracy],
            "near zero (%)": [decimal(100 * share, 1) for share in table["near_zero"]],
            "Σw²": [decimal(squares, 1) for squares in table["squares"]],
        }
    )


def figure(runs: pd.DataFrame) -> Figure:
    """Loss over accuracy: a mark for each normalization at each penalty, with its 95 % interval over the seeds."""
    drawn, axes = new_figure(6.2, 5.4, rows=2)
    penalties = list(runs["penalty"].cat.categories)
    for axis, (outcome, (label, scale, _)) in zip(axes[:, 0], OUTCOMES.items(), strict=True):
        table = inference.summary(runs, ("normalization", "penalty"), outcome)
        lines.draw(axis, table.assign(place=table["penalty"].cat.codes), "place", scale, spread=0.13, joined=False)
        axis.set_xticks(range(len(penalties)), penalties)
        axis.grid(visible=False, axis="x")
        axis.set_ylabel(label)
    axes[1, 0].set_xlabel("Penalty")
    axes[0, 0].legend(ncols=5, loc="lower center", bbox_to_anchor=(0.5, 1), columnspacing=1, frameon=False)
    return drawn


def describe(runs: pd.DataFrame) -> str:
    """The figure in words, with its numbers."""
    said = "; ".join(
        f"{row.normalization} with {row.penalty}, {decimal(row.loss, 4)} and {percent(row.accuracy)}"
        for row in results(runs).itertuples()
    )
    return (
        f"Mean test loss (above) and test accuracy (below) of each normalization, by penalty, with {INTERVAL}s over "
        f"the seeds: {said}."
    )


def shown_contrasts(runs: pd.DataFrame) -> pd.DataFrame:
    """`effects.contrasts` of both outcomes as the report prints them."""
    tables = [effects.contrasts(runs, outcome) for outcome in OUTCOMES]
    penalty = (tables[0]["kind"] == "penalty").map({True: "penalty ", False: ""})
    return _in_outcomes(tables, {"difference": penalty + _difference(tables[0])})


def shown_parts(runs: pd.DataFrame, cells: Mapping[str, tuple[str, str]]) -> pd.DataFrame:
    """`effects.decomposition` of the study's variants as the report prints it."""
    tables = [effects.decomposition(runs, outcome, cells) for outcome in OUTCOMES]
    sources = tables[0]["source"].replace({"all": "whole", "order": "penalty last − first"})
    return _in_outcomes(tables, {"difference": _difference(tables[0]), "part": sources})


def _difference(table: pd.DataFrame) -> pd.Series:
    return table["first"] + " − " + table["second"]


def _in_outcomes(tables: Sequence[pd.DataFrame], labels: Mapping[str, pd.Series]) -> pd.DataFrame:
    """What differs, beside its means with their intervals, and p, in each outcome."""
    columns: dict[str, Any] = dict(labels)
    for table, (name, scale, digits) in zip(tables, OUTCOMES.values(), strict=True):
        name = name.replace("(%)", "(points)")
        columns[name] = [_sure(row, scale, digits) for row in table.itertuples()]
        columns["p" if "p" not in columns else "p "] = table["p"].map(probability)
    return pd.DataFrame(columns)


def answer(runs: pd.DataFrame, cells: Mapping[str, tuple[str, str]]) -> list[str]:
    """What became of each prediction of the section, in test loss, and what the penalties did."""
    table = effects.contrasts(runs, LOSS)
    kinds = {kind: table[table["kind"] == kind] for kind in ("against none", "pair", "penalty")}
    gains, penalties = kinds["against none"], kinds["penalty"]
    sentences = []
    if len(gains):
        sentences += [
            f"**Whether** is {claims.verdict(list(gains['first']), gains, -1)}: "
            f"beside `none`, the test loss changes by {_listed(gains)}.",
            _which(gains, kinds["pair"]),
        ]
    return [
        *sentences,
        f"**Penalty** is {claims.verdict(list(penalties['first']), penalties, +1)}: among the networks that "
        f"normalize, the test loss changes by {_listed(penalties)}.",
        *_owed(effects.decomposition(runs, LOSS, cells)),
        *_penalties_act(runs),
        *_diverged(runs),
    ]


def _listed(table: pd.DataFrame) -> str:
    return ", ".join(f"{_sure(row)} with `{row.first}`" for row in table.itertuples())


def _sure(row: Any, scale: float = 1, digits: int = 4) -> str:
    return with_interval(scale * row.mean, scale * row.low, scale * row.high, digits, sign=True)


def _which(gains: pd.DataFrame, pairs: pd.DataFrame) -> str:
    """Whether those that normalize differ by less than the least that normalizing gains."""
    furthest: Any = next(pairs.loc[[pairs["mean"].abs().idxmax()]].itertuples())
    less = max(abs(pairs["low"]).max(), abs(pairs["high"]).max()) < -gains["high"].max()
    apart = out_of(int((pairs["p"] < LEVEL).sum()), len(pairs), "pair")
    return (
        f"**Which** is {claims.BORNE_OUT if less else 'not borne out'}: of those that normalize, {apart} can be "
        f"told apart, and the furthest apart are `{furthest.first}` and `{furthest.second}`, by "
        f"{_sure(furthest)}."
    )


def _owed(table: pd.DataFrame) -> list[str]:
    """What the study's variants owe to what."""
    sentences = []
    for (first, second), part in table.groupby(["first", "second"], sort=False):
        rows = {row.source: row for row in part.itertuples()}
        verdict = claims.OPEN
        if _exceeds(rows["penalty"], rows["normalization"]):
            verdict = claims.BORNE_OUT
        elif _exceeds(rows["normalization"], rows["penalty"]):
            verdict = claims.CONTRADICTED
        sentences.append(
            f"**Owed** is {verdict} for {first} minus {second}: of {_sure(rows['all'])}, "
            f"{_sure(rows['normalization'])} is from the normalization and {_sure(rows['penalty'])} from the penalty."
        )
    return sentences


def _exceeds(one: Any, other: Any) -> bool:
    """Whether a part is larger than another, whatever their signs, wherever in their intervals they lie."""
    least = min(abs(one.low), abs(one.high)) if one.low * one.high > 0 else 0
    return bool(least > max(abs(other.low), abs(other.high)))


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
            acts = "acts" if row["p"] < LEVEL else "is not shown to act"
            sentences.append(
                f"{name} {acts}: alone it changes {what} from {before} to {after}{unit}, on average over the "
                f"normalizations ({INTERVAL} of the change {change})."
            )
    return sentences


def _diverged(runs: pd.DataFrame) -> list[str]:
    number = int(runs["diverged"].sum())
    return [f"{out_of(number, len(runs), 'run').capitalize()} diverged and count as guessing."] if number else []


def hardest(runs: pd.DataFrame) -> str:
    """How many test images how many of the runs misclassify."""
    times, trained = mistakes.times_wrong(runs), int((~runs["diverged"]).sum())
    images = int(runs["test_images"].iloc[0])
    any_run, half, every = (int((times > least).sum()) for least in (0, trained / 2, trained - 1))
    return (
        f"Of the {count(images)} test images, {count(any_run)} {'is' if any_run == 1 else 'are'} misclassified in at "
        f"least one of the {count(trained)} runs that trained, {count(half) if half else 'none'} in more than half of "
        f"them, and {count(every) if every else 'none'} in every one."
    )
