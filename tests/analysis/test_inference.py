"""Means, differences and their probabilities over several seeds are those of the textbook, and of statsmodels."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import proportion_confint

from normstudy.analysis import inference
from tests.factorials import factorial, planted_on


def test_a_planted_difference_between_two_normalizations_is_found_seed_by_seed():
    table = inference.pairs(factorial(planted_on(none=-0.02, layer=0.01), draw=1), "normalization", "test_accuracy")
    row = table[(table["first"] == "layer") & (table["second"] == "none")].iloc[0]
    assert 0 < row["low"] < 0.03 < row["high"]
    apart = table[table["p"] < 0.05]
    assert set(apart["first"]) | set(apart["second"]) >= {"none", "layer"}
    assert not ((apart["first"] == "batch") & (apart["second"] == "group")).any()


def test_a_difference_is_the_first_minus_the_second_whichever_is_larger():
    for drop in (-0.02, 0.01):
        runs = factorial(planted_on(layer=drop), draw=1)
        row = inference.pairs(runs, "normalization", "test_accuracy").query("first == 'batch' and second == 'layer'")
        means = runs.groupby("normalization", observed=True)["test_accuracy"].mean()
        assert row["mean"].item() == pytest.approx(means["batch"] - means["layer"])


def test_pairs_are_compared_within_each_level_that_there_is_and_corrected_together():
    runs = factorial(planted_on(none=-0.02), draw=2)
    table = inference.pairs(runs, "normalization", "test_accuracy", within="penalty")
    assert table["penalty"].tolist() == [name for name in inference.PENALTIES for _ in range(10)]
    assert table.index.tolist() == list(range(40))
    alone = inference.pairs(runs[runs["penalty"] == "L1"], "normalization", "test_accuracy", within="penalty")
    assert set(alone["penalty"]) == {"L1"}
    of_l1 = table[table["penalty"] == "L1"]
    assert of_l1["mean"].tolist() == alone["mean"].tolist()
    assert (of_l1["p"].to_numpy() >= alone["p"].to_numpy()).all()
    assert of_l1["p"].sum() > alone["p"].sum()


def test_a_mean_of_each_combination_has_its_interval_and_number_of_seeds():
    runs = factorial(draw=3)
    table = inference.summary(runs[runs["penalty"] == "L1"], ["normalization", "penalty"], "test_accuracy")
    assert list(table.columns) == ["normalization", "penalty", "mean", "low", "high", "seeds"]
    assert table["seeds"].tolist() == [5] * 5
    batch = runs[(runs["penalty"] == "L1") & (runs["normalization"] == "batch")]["test_accuracy"]
    assert table.loc[0, "mean"] == pytest.approx(batch.mean())
    low, high = stats.t.interval(0.95, 4, loc=batch.mean(), scale=stats.sem(batch))
    assert table.loc[0, ["low", "high"]].tolist() == pytest.approx([low, high])


def test_runs_come_in_the_order_of_the_study_with_their_penalties():
    runs = factorial(seeds=1)
    assert list(runs["normalization"].cat.categories) == ["batch", "layer", "group", "instance", "none"]
    assert list(runs["penalty"].cat.categories) == list(inference.PENALTIES)
    assert (runs["normalization"].cat.ordered, runs["penalty"].cat.ordered) == (True, True)
    only = inference.last_epochs(runs[runs["penalty"] == "L2"].drop(columns=["normalization", "penalty", "diverged"]))
    assert list(only["penalty"].cat.categories) == ["L2"]
    assert only.index.tolist() == list(range(5))
    assert "index" not in only
    later_first = pd.concat([runs[runs["run"] == 3], runs[runs["run"] == 1]]).drop(columns=["diverged"])
    assert inference.last_epochs(later_first)["run"].tolist() == [3, 1]


def test_the_intervals_and_probabilities_are_students():
    values = np.random.default_rng(0).normal(0.3, 1, (6, 3))
    table = inference.student(values)
    test = stats.ttest_1samp(values, 0)
    interval = test.confidence_interval()
    np.testing.assert_allclose(table["p"], test.pvalue)
    np.testing.assert_allclose(table["low"], interval.low)
    np.testing.assert_allclose(table["high"], interval.high)


@pytest.mark.parametrize(("l1", "l2", "name"), [(0, 0, "none"), (1, 0, "L1"), (0, 1, "L2"), (1e-9, 1e-9, "L1 + L2")])
def test_a_penalty_is_named_by_the_factors_that_are_not_0(l1: float, l2: float, name: str):
    assert inference.penalty(l1, l2) == name


def test_seeds_that_are_all_0_show_no_difference_and_a_single_one_shows_nothing():
    table = inference.student(np.array([[0.0, 1.0], [0.0, 1.0]]))
    assert table["p"].tolist() == [1, 0]
    assert np.isnan(inference.student(np.zeros((1, 1)))["p"]).all()


def test_a_single_seed_has_no_interval_and_no_probability():
    table = inference.pairs(factorial(seeds=1), "normalization", "test_accuracy")
    assert table[["low", "high", "p"]].isna().all(axis=None)


@settings(max_examples=20)
@given(st.lists(st.one_of(st.floats(0, 1), st.just(np.nan)), max_size=12))
def test_the_correction_for_many_tests_is_that_of_statsmodels_and_leaves_the_unknown_unknown(p: list[float]):
    corrected = inference.holm(pd.Series(p, dtype=float))
    known = ~np.isnan(p) if p else np.zeros(0, bool)
    assert np.isnan(corrected[~known]).all()
    if known.any():
        assert corrected[known] == pytest.approx(multipletests(np.array(p)[known], method="holm")[1])


@given(st.integers(1, 2000).flatmap(lambda images: st.tuples(st.integers(0, images), st.just(images))))
def test_wilsons_interval_is_that_of_statsmodels(counts: tuple[int, int]):
    right, images = counts
    reference = proportion_confint(right, images, method="wilson")
    assert inference.wilson(right / images, images) == pytest.approx(reference, abs=1e-12)


def test_a_run_that_diverged_counts_as_guessing():
    rows = pd.DataFrame(
        {
            "run": [0, 0, 1],
            "seed": 0,
            "epoch": [1, 2, 1],
            "norm_arg": "none",
            "l1": 0.0,
            "l2": 0.0,
            "test_accuracy": [0.8, 0.9, np.nan],
            "test_loss": [0.5, 0.4, np.nan],
        }
    )
    runs = inference.last_epochs(rows)
    assert runs["test_accuracy"].tolist() == [0.9, 0.1]
    assert runs["test_loss"].tolist() == pytest.approx([0.4, np.log(10)])
    assert runs["diverged"].tolist() == [False, True]


@pytest.mark.parametrize(("number", "skipped"), [(1, 0), (5, 0), (6, 0), (8, 0), (9, 1), (10, 1), (20, 5)])
def test_the_bounds_of_a_median_are_the_tightest_that_cover_it_in_nineteen_of_twenty(number: int, skipped: int):
    values = np.random.default_rng(0).permutation(number).astype(float)
    assert inference.median(values) == ((number - 1) / 2, skipped, number - 1 - skipped)
    if number > 5:
        tighter, covers = (1 - 2 * stats.binom.cdf(skipped + more, number, 0.5) for more in (1, 0))
        assert tighter < 0.95 <= covers


def test_the_sign_test_counts_what_is_above_and_below():
    assert inference.sign_test(np.array([1.0] * 10)) == pytest.approx(2 / 1024)
    assert inference.sign_test(np.array([-1.0] * 10)) == pytest.approx(2 / 1024)
    assert inference.sign_test(np.ones(2)) == pytest.approx(1 / 2)
    assert inference.sign_test(np.array([0.0, 0.0, 1.0, -1.0])) == 1
    assert inference.sign_test(np.array([0.5] * 9 + [-0.5, 0.0])) == pytest.approx(22 / 1024)
    assert inference.sign_test(np.array([-0.5] * 9 + [0.5])) == pytest.approx(22 / 1024)
    assert inference.sign_test(np.zeros(3)) == 1
    assert np.isnan(inference.sign_test(np.ones(1)))
