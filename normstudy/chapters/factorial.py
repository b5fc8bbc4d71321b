"""The factorial, every normalization with every penalty: its tables, its figure, and what became of its predictions."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from normstudy.analysis import effects, inference, mistakes
from normstudy.analysis.inference import LEVEL
from normstudy.chapters import claims
from normstudy.chapters.claims import Holds
from normstudy.display import forest
from normstudy.display.estimates import ENDS, cells
from normstudy.display.figures import new_figure
from normstudy.display.notation import (
    INTERVAL,
    UNKNOWN,
    count,
    decimal,
    estimate,
    exact,
    listed,
    out_of,
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


def strengths(runs: pd.DataFrame, params: Path) -> dict[str, str]:
    """How strong the penalties of these runs are, and those that `params/<name>.yaml` gives the study's variants."""
    own = [parameters.read(params / f"{name}.yaml") for name in parameters.VARIANTS]
    found = {}
    for name in ("l1", "l2"):
        for whose, values in (("here", runs[name]), ("study", [values.get(name, 0) for values in own])):
            found[f"{name}_{whose}"] = listed([exact(value) for value in sorted({*map(float, values)} - {0.0})])
    return found


def as_studied(strengths: dict[str, str]) -> bool:
    """Whether the penalties are as strong as those of the study's variants (`strengths`)."""
    return all(strengths[f"{name}_here"] == strengths[f"{name}_study"] for name in ("l1", "l2"))


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


def figure(contrasts: pd.DataFrame, parts: pd.DataFrame) -> Figure:
    """By what each difference multiplies the odds of a mistake: those against none, and those between the variants."""
    table = compared(contrasts, parts)
    drawn, axes = new_figure(5.0, forest.height(table) + 0.6)
    forest.draw(axes[0, 0], table, factors=True)
    axes[0, 0].set_xlabel("Odds of a mistake, times")
    return drawn


def describe(contrasts: pd.DataFrame, parts: pd.DataFrame) -> str:
    """The figure in words, with its numbers."""
    said = [
        f"{group}: "
        + ", ".join(f"{row.name} {with_interval(row.mean, row.low, row.high, 2)}" for row in part.itertuples())
        for group, part in compared(contrasts, parts).groupby("group", sort=False)
    ]
    return f"Factors of the odds of a mistake with {INTERVAL}s over seeds and test images. {'. '.join(said)}."


def compared(contrasts: pd.DataFrame, parts: pd.DataFrame) -> pd.DataFrame:
    """What the figure shows of two tables of `in_all`: `group`, `name`, factors of the odds (`mean`, `low`, `high`)."""
    groups = {"against none": "Normalization, beside none", "penalty": "Penalty, beside none"}
    names = {"all": "whole", "normalization": "its normalization", "penalty": "its penalty"}
    above, below = _odds(contrasts), _odds(parts)
    above = above.assign(group=above["kind"].map(groups), name=above["first"])
    below = below.assign(
        group=(below["first"] + ", beside " + below["second"]).str.capitalize(), name=below["source"].map(names)
    )
    table = pd.concat([above, below], ignore_index=True).dropna(subset=["group", "name"])
    return table[["group", "name"]].join(np.exp(table[["mean", "low", "high"]]))


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
            "odds of a mistake, times": cells(np.exp(odds[ENDS]), scale=1),
            "p": odds["p"].map(probability),
            "accuracy (points)": cells(accuracy, sign=True),
            "loss": cells(loss, scale=1, digits=4, sign=True),
        }
    )


def predictions(contrasts: pd.DataFrame, parts: pd.DataFrame) -> dict[str, dict[str, Holds]]:
    """Whether each prediction of the section holds, in each of its cases; two tables are those of `in_all`."""
    contrasts = _odds(contrasts)
    gains, pairs, penalties = (contrasts[contrasts["kind"] == kind] for kind in ("against none", "pair", "penalty"))
    return {
        "whether": dict(zip(gains["first"], claims.signs(gains, -1), strict=True)),
        "which": {"pairs": _which(gains, pairs)},
        "penalty": dict(zip(penalties["first"], claims.signs(penalties, +1), strict=True)),
        "owed": {
            f"{first} beside {second}": _owed(part.set_index("source"))
            for (first, second), part in _odds(parts).groupby(["first", "second"], sort=False)
        },
    }


def concluded(runs: pd.DataFrame, contrasts: pd.DataFrame, parts: pd.DataFrame) -> dict[str, Holds]:
    """The claims of the section: `claims.concluded` of its `predictions`, and whether the penalties act (`acts`)."""
    return claims.concluded(predictions(contrasts, parts)) | {"acts": acts(runs)[0]}


def _which(gains: pd.DataFrame, pairs: pd.DataFrame) -> Holds:
    """Whether those that normalize differ by less than the least that normalizing gains, wherever in the intervals."""
    if _at_most(pairs).max() < -gains["high"].max():
        return True
    return False if _at_least(pairs).max() > -gains["low"].max() else None


def _owed(part: pd.DataFrame) -> Holds:
    """Whether the penalty's part of a difference is larger than the normalization's, wherever in the intervals."""
    least, most = _at_least(part), _at_most(part)
    if least["penalty"] > most["normalization"]:
        return True
    return False if least["normalization"] > most["penalty"] else None


def _at_least(table: pd.DataFrame) -> pd.Series:
    """How far from 0 each difference is at least, within its interval."""
    return pd.concat([table["low"], -table["high"]], axis=1).max(axis=1, skipna=False).clip(lower=0)


def _at_most(table: pd.DataFrame) -> pd.Series:
    return table[["low", "high"]].abs().max(axis=1, skipna=False)


def acts(runs: pd.DataFrame) -> tuple[Holds, dict[str, str]]:
    """Whether L1 alone makes weights near zero, and L2 alone the squares smaller, where networks normalize; how far."""
    runs, found = runs[runs["normalization"] != "none"], dict[str, str]()
    holds: list[Holds] = []
    for name, outcome, scale, sign in (("L1", "weights_near_zero", 100, +1), ("L2", "weights_l2", 1, -1)):
        alone = runs[runs["penalty"].isin(["none", name])]
        means = alone.groupby("penalty", observed=True)[outcome].mean()
        found |= {
            f"{name}_{key}": decimal(scale * means[kind], 1) for key, kind in (("without", "none"), ("with", name))
        }
        holds += claims.signs(inference.pairs(alone, "penalty", outcome), -sign)  # of none minus the penalty
    return claims.overall(holds), found


def numbers(runs: pd.DataFrame, contrasts: pd.DataFrame, parts: pd.DataFrame) -> dict[str, Any]:
    """What the text says of each prediction, `whether`, `which`, `penalty` and `owed`, and of weights and runs."""
    cases = predictions(contrasts, parts)
    found: dict[str, Any] = {name: claims.cases(each) for name, each in cases.items()}
    contrasts, parts = _odds(contrasts), _odds(parts)
    gains, pairs, penalties = (contrasts[contrasts["kind"] == kind] for kind in ("against none", "pair", "penalty"))
    columns = ["first", "second", "factor"]
    by_gain = gains.sort_values("mean")[columns].to_dict("records") or [dict.fromkeys(columns, UNKNOWN)]
    found["whether"] |= {"most": by_gain[0], "least": by_gain[-1]}
    found["which"] |= {"apart": out_of(int((pairs["p"] < LEVEL).sum()), len(pairs), "pair")}
    found["which"] |= pairs.loc[pairs["mean"].abs().idxmax(), columns].to_dict()
    found["penalty"] |= dict(zip(penalties["first"].replace("L1 + L2", "both"), penalties["factor"], strict=True))
    ends = ["first", "second"]
    widest = parts.loc[parts["mean"].abs().where(parts["source"] == "all").idxmax(), ends]
    between = parts[(parts[ends] == widest).all(axis=1)]
    found["owed"] |= widest.to_dict() | dict(zip(between["source"], between["factor"], strict=True))
    found["weights"] = acts(runs)[1]
    return found | {"diverged": out_of(int(runs["diverged"].sum()), len(runs), "run")}


def hardest(runs: pd.DataFrame) -> dict[str, str]:
    """How many test images `any` of the runs that trained misclassifies, more than `half` of them, and `every` one."""
    times, trained = mistakes.times_wrong(runs), int((~runs["diverged"]).sum())
    least = {"any": 0, "half": trained / 2, "every": trained - 1}
    return {name: count(int((times > more).sum())) for name, more in least.items()} | {
        "images": count(int(runs["test_images"].iloc[0])),
        "trained": count(trained),
    }


def _odds(table: pd.DataFrame) -> pd.DataFrame:
    """The rows of `in_all` that decide, each with its `factor` of the odds as the text says it."""
    table = table[table["outcome"] == "odds"]
    factors = np.exp(table[["mean", "low", "high"]]).to_numpy().tolist()
    return table.assign(factor=[estimate(mean, low, high, 2) for mean, low, high in factors])
