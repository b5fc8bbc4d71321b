"""The factorial, every normalization with every penalty: its tables, its figure, and what became of its predictions."""

import math
from collections.abc import Callable
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


def outcomes(runs: pd.DataFrame) -> dict[str, effects.Find]:
    """In what the combinations are compared; `odds`, those of a mistake, decide."""
    accuracy, odds = effects.over_both(runs)
    return {"odds": odds, "accuracy": accuracy, "loss": effects.over_seeds(runs, "test_loss")}


def results(runs: pd.DataFrame) -> pd.DataFrame:
    """Means of every combination over the seeds: a row each.

    Returns:
        `normalization`, `penalty`, `accuracy` (0 to 1) with `accuracy_low` and `accuracy_high`, `loss` with `loss_low`
        and `loss_high` (95 % intervals over the seeds), `near_zero` (the share of the weights, 0 to 1), `squares` (the
        sum of the squared weights).
    """
    by = ["normalization", "penalty"]
    weights = runs.groupby(by, observed=True)[["weights_near_zero", "weights_l2"]].mean()
    names = {"weights_near_zero": "near_zero", "weights_l2": "squares"}
    table = weights.rename(columns=names).reset_index()
    for name in ("accuracy", "loss"):
        part = inference.summary(runs, by, f"test_{name}")
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
    """Error over loss: a mark for each normalization at each penalty, with its 95 % interval over the seeds.

    Equal distances on the logarithmic axis of errors are, nearly, equal factors of the odds of a mistake.
    """
    drawn, axes = new_figure(6.2, 5.4, rows=2)
    penalties = list(runs["penalty"].cat.categories)
    runs = runs.assign(error=100 * (1 - runs["test_accuracy"]))
    above, below = axes[:, 0]
    above.set_yscale("log")
    above.yaxis.set_major_formatter("{x:g}")
    above.yaxis.set_minor_formatter("{x:g}")
    for axis, outcome, label in ((above, "error", "Test error (%)"), (below, "test_loss", "Test loss")):
        table = inference.summary(runs, ("normalization", "penalty"), outcome)
        table["low"] = table["low"].clip(lower=table["mean"].min() / 2)  # a logarithmic axis has no 0
        lines.draw(axis, table.assign(place=table["penalty"].cat.codes), "place", 1, spread=0.13, joined=False)
        axis.set_xticks(range(len(penalties)), penalties)
        axis.grid(visible=False, axis="x")
        axis.set_ylabel(label)
    below.set_xlabel("Penalty")
    above.legend(ncols=5, loc="lower center", bbox_to_anchor=(0.5, 1), columnspacing=1, frameon=False)
    return drawn


def describe(runs: pd.DataFrame) -> str:
    """The figure in words, with its numbers."""
    said = "; ".join(
        f"{row.normalization} with {row.penalty}, {percent(1 - row.accuracy)} and {decimal(row.loss, 4)}"
        for row in results(runs).itertuples()
    )
    return (
        f"Mean test error (above) and test loss (below) of each normalization, by penalty, with {INTERVAL}s over "
        f"the seeds: {said}."
    )


def in_all(runs: pd.DataFrame, table: Callable[[effects.Find], pd.DataFrame]) -> pd.DataFrame:
    """A table of `effects` for each outcome, one below the other; the column `outcome` says for which."""
    return pd.concat([table(find).assign(outcome=name) for name, find in outcomes(runs).items()], ignore_index=True)


def shown(found: pd.DataFrame) -> pd.DataFrame:
    """`in_all` as the report prints it: a row a difference, and a column an outcome."""
    odds, accuracy, loss = (found[found["outcome"] == name] for name in ("odds", "accuracy", "loss"))
    penalty = (odds["kind"] == "penalty").map({True: "penalty ", False: ""}) if "kind" in odds else ""
    columns = {"difference": penalty + odds["first"] + " − " + odds["second"]}
    if "source" in odds:
        columns["part"] = odds["source"].replace({"all": "whole", "order": "penalty last − first"})
    return pd.DataFrame(columns).assign(
        **{
            "odds of a mistake, times": [_times(row) for row in odds.itertuples()],
            "p": odds["p"].map(probability),
            "accuracy (points)": [_sure(row, 100, 2) for row in accuracy.itertuples()],
            "loss": [_sure(row, 1, 4) for row in loss.itertuples()],
        }
    )


def answer(runs: pd.DataFrame, contrasts: pd.DataFrame, parts: pd.DataFrame) -> list[str]:
    """What became of each prediction of the section, and what the penalties did; two tables are those of `in_all`."""
    contrasts, parts = (table[table["outcome"] == "odds"] for table in (contrasts, parts))
    diverged = int(runs["diverged"].sum())
    gains, pairs, penalties = (contrasts[contrasts["kind"] == kind] for kind in ("against none", "pair", "penalty"))
    sentences = []
    if len(gains):
        sentences += [
            f"**Whether** is {claims.verdict(list(gains['first']), gains, -1)}: beside `none`, the odds of a mistake "
            f"are {_listed(gains)}.",
            _which(gains, pairs),
        ]
    return [
        *sentences,
        f"**Penalty** is {claims.verdict(list(penalties['first']), penalties, +1)}: among the networks that "
        f"normalize, the odds of a mistake are {_listed(penalties)}.",
        *_owed(parts),
        *_penalties_act(runs),
        *([f"{out_of(diverged, len(runs), 'run').capitalize()} diverged and count as guessing."] if diverged else []),
    ]


def _listed(table: pd.DataFrame) -> str:
    return ", ".join(f"{_times(row)} times as high with `{row.first}`" for row in table.itertuples())


def _times(row: Any) -> str:
    return with_interval(math.exp(row.mean), math.exp(row.low), math.exp(row.high), 2)


def _sure(row: Any, scale: float, digits: int) -> str:
    return with_interval(scale * row.mean, scale * row.low, scale * row.high, digits, sign=True)


def _which(gains: pd.DataFrame, pairs: pd.DataFrame) -> str:
    """Whether those that normalize differ by less than the least that normalizing gains."""
    furthest: Any = next(pairs.loc[[pairs["mean"].abs().idxmax()]].itertuples())
    less = max(abs(pairs["low"]).max(), abs(pairs["high"]).max()) < -gains["high"].max()
    apart = out_of(int((pairs["p"] < LEVEL).sum()), len(pairs), "pair")
    return (
        f"**Which** is {claims.BORNE_OUT if less else 'not borne out'}: of those that normalize, {apart} can be "
        f"told apart, and the furthest apart are `{furthest.first}` and `{furthest.second}`, by "
        f"a factor {_times(furthest)}."
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
            f"**Owed** is {verdict} for {first} over {second}: of a factor {_times(rows['all'])}, "
            f"{_times(rows['normalization'])} is the normalization's and {_times(rows['penalty'])} the penalty's."
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
