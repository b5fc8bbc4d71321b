"""Several seeds: means with the right intervals, and differences called by their name only beyond chance."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from normstudy import seeds


def runs(**accuracies: list[float]) -> pd.DataFrame:
    rows = [
        {"norm_arg": name, "seed": seed, "epoch": epoch, "test_accuracy": value if epoch == 2 else 0.5}
        for name, values in accuracies.items()
        for seed, value in enumerate(values)
        for epoch in (1, 2)
    ]
    return pd.DataFrame(rows)


def test_only_the_last_epoch_counts():
    last = seeds.last_epoch(runs(batch=[0.99, 0.98], layer=[0.97, 0.96]))
    assert last["test_accuracy"].tolist() == [0.99, 0.98, 0.97, 0.96]


def test_the_interval_is_students():
    values = [0.9948, 0.9951, 0.9940, 0.9946, 0.9949]
    row = seeds.summary(seeds.last_epoch(runs(batch=values))).iloc[0]
    low, high = stats.t.interval(0.95, 4, loc=np.mean(values), scale=stats.sem(values))
    assert (row["low"], row["high"]) == (pytest.approx(low), pytest.approx(high))
    assert (row["worst"], row["best"]) == (0.9940, 0.9951)


def test_a_difference_that_every_seed_shows_is_found():
    noise = np.array([0.0, 0.001, -0.001, 0.0005, -0.0002])
    last = seeds.last_epoch(runs(batch=list(0.99 + noise), layer=list(0.98 + noise + [0, 1e-4, 0, -1e-4, 0])))
    pair = seeds.paired(last).iloc[0]
    assert pair["low"] < pair["difference"] < pair["high"]
    assert pair["difference"] == pytest.approx(0.01, abs=1e-4)
    assert pair["p"] < 0.001
    assert "more than chance would give" in seeds.findings(last)[-1]


def test_none_is_found_where_seeds_disagree():
    last = seeds.last_epoch(runs(batch=[0.99, 0.98, 0.99, 0.98], layer=[0.98, 0.99, 0.98, 0.99]))
    assert "within what chance would give" in seeds.findings(last)[-1]


def test_the_best_trials_come_first_and_no_more_than_asked_for():
    trials = pd.DataFrame(
        {
            "network": list("abcdefg"), "note": None, "optimizer": "Adam", "learning_rate": 0.01, "batch_size": 128,
            "l1": 0.0, "l2": 0.0, "norm_arg": "batch", "epochs": 5, "held_out_accuracy": 0.99, "core_seconds": 1.0,
            "held_out_loss": [0.7, 0.1, 0.5, 0.2, 0.3, 0.4, 0.6],
        }
    )  # fmt: skip
    assert seeds.tuning_table(trials)["network"].tolist() == ["b", "d", "e"]


def test_a_single_seed_has_no_interval():
    last = seeds.last_epoch(runs(batch=[0.99], layer=[0.98]))
    assert seeds.summary(last)["low"].isna().all()
    assert len(seeds.findings(last)) == 2
