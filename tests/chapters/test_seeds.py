"""Several seeds: means with the right intervals, and differences called by their name only beyond chance."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from normstudy.analysis import inference
from normstudy.chapters import seeds


def runs(**accuracies: list[float]) -> pd.DataFrame:
    """Two epochs a run, the second with the accuracy that is given."""
    rows = [
        {"run": f"{name} {seed}", "norm_arg": name, "seed": seed, "l1": 0.0, "l2": 0.0, "epoch": epoch}
        | {"test_accuracy": value if epoch == 2 else 0.5, "test_loss": 0.1}
        for name, values in accuracies.items()
        for seed, value in enumerate(values)
        for epoch in (1, 2)
    ]
    return inference.last_epochs(pd.DataFrame(rows))


def test_variants_come_in_the_order_of_the_study():
    last = runs(group=[0.99, 0.98], layer=[0.97, 0.95], batch=[0.95, 0.91])
    assert seeds.shown(seeds.summary(last))["variant"].tolist() == ["batch", "layer", "group"]
    said = [sentence for sentence in seeds.findings(last) if "minus" in sentence]
    assert [f"Seed by seed, {pair} is" in said[number] for number, pair in enumerate(
        ("batch minus layer", "batch minus group", "layer minus group")
    )] == [True] * 3  # fmt: skip


def test_the_interval_is_students():
    values = [0.9948, 0.9951, 0.9940, 0.9946, 0.9949]
    row = seeds.summary(runs(batch=values)).iloc[0]
    low, high = stats.t.interval(0.95, 4, loc=np.mean(values), scale=stats.sem(values))
    assert (row["low"], row["high"]) == (pytest.approx(low), pytest.approx(high))
    assert (row["worst"], row["best"], row["epochs"]) == (0.9940, 0.9951, 2)
    assert row["sd"] == pytest.approx(np.std(values, ddof=1))


def test_a_difference_that_every_seed_shows_is_found():
    noise = np.array([0.0, 0.001, -0.001, 0.0005, -0.0002])
    last = runs(batch=list(0.99 + noise), layer=list(0.98 + noise + [0, 1e-4, 0, -1e-4, 0]))
    assert (
        "batch minus layer is +1.000 percentage points on average (95\u00a0% interval +0." in seeds.findings(last)[-1]
    )
    assert "p < 0.001), more than chance would give" in seeds.findings(last)[-1]


def test_none_is_found_where_seeds_disagree():
    last = runs(batch=[0.99, 0.98, 0.99, 0.98], layer=[0.98, 0.99, 0.98, 0.99])
    assert "which cannot be told from chance" in seeds.findings(last)[-1]


def test_the_figure_has_a_point_a_seed_and_says_each():
    last = runs(batch=[0.99, 0.98, 0.97], layer=[0.98, 0.99, 0.96])
    points = seeds.figure(last).axes[0].lines[0].get_xdata()
    assert points == pytest.approx([99, 98, 97])
    assert "batch 99.00, 98.00, 97.00; layer 98.00, 99.00, 96.00" in seeds.describe(last)


def test_a_single_seed_has_no_interval():
    last = runs(batch=[0.99], layer=[0.98])
    assert seeds.summary(last)["low"].isna().all()
    assert "a single seed" in seeds.findings(last)[-1]
