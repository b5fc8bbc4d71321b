"""How the network and the settings were chosen: the trials on held-out training images."""

from collections.abc import Mapping, Sequence

import pandas as pd

from normstudy.display.notation import NO_BREAK, count, decimal, exact, percent
from normstudy.experiments.parameters import Value
from normstudy.normalizations import ordered

NETWORK = "3×3/2 8, 3×3 12, 3×3 16, pool, 3×3 16, 3×3v 16, filter 5×5"
"""The network of `model.py`, in the words of report/results/README.md."""

HOW = ["norm_arg", "epochs", "easy", "learning_rate", "batch_size", "l1", "l2", "rotation", "shift", "scale"]


def best(runs: pd.DataFrame, used: Sequence[Mapping[str, Value]] = (), number: int = 2) -> pd.DataFrame:
    """The best trials for each number of epochs and variant, the lowest loss first.

    A trial is the mean over its seeds. Those with the parameters in `used`, one mapping a variant, are `chosen`, and
    are listed whatever their loss.

    Returns:
        A row a trial: `network`, `changed` (what is unlike the study's training), `optimizer`, the columns `HOW`,
        `seeds`, `loss` and `accuracy` (0 to 1) on the held-out images, `chosen`.
    """
    # A moving average was tested beside the weights themselves, whose numbers these are.
    changed = runs["note"].fillna("").str.replace(r"(; )?moving average of weights instead: .*", "", regex=True)
    groups = runs.assign(changed=changed).groupby(["network", "changed", "optimizer", *HOW], sort=False)
    table = groups.agg(
        seeds=("seed", "nunique"), loss=("held_out_loss", "mean"), accuracy=("held_out_accuracy", "mean")
    ).reset_index()
    ours = [tuple(values[name] for name in HOW) for values in used]
    table["chosen"] = (
        table[HOW].apply(tuple, axis=1).isin(ours) & table["network"].eq(NETWORK) & table["changed"].eq("")
    )
    table["norm_arg"] = pd.Categorical(table["norm_arg"], ordered(table["norm_arg"]), ordered=True)
    table = table.sort_values(["epochs", "norm_arg", "loss"], ascending=[False, True, True])
    rank = table.groupby(["epochs", "norm_arg"], sort=False, observed=True).cumcount()
    return table[(rank < number) | table["chosen"]].reset_index(drop=True)


def shown(table: pd.DataFrame) -> pd.DataFrame:
    """`best` as the report prints it."""
    rows = list(table.itertuples())
    return pd.DataFrame(
        {
            "epochs": table["epochs"],
            "variant": table["norm_arg"],
            "network": [f"{row.network} ({row.changed})" if row.changed else row.network for row in rows],
            "optimizer, batch": [
                f"{row.optimizer} {exact(row.learning_rate)}, {count(row.batch_size)}" for row in rows
            ],
            "easy": [exact(row.easy) for row in rows],
            "L1, L2": [f"{exact(row.l1)}, {exact(row.l2)}" for row in rows],
            "augmentation": [
                f"{exact(row.rotation)}°, {exact(row.shift)}{NO_BREAK}px, {percent(row.scale, 0)}" for row in rows
            ],
            "seeds": table["seeds"],
            "held-out loss": [decimal(row.loss, 4) for row in rows],
            "accuracy (%)": [decimal(100 * row.accuracy, 2) for row in rows],
            "used": table["chosen"].map({True: "yes", False: ""}),
        }
    )
