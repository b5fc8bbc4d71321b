"""Effects in results of several seeds: a planted one is found with its sign, size and interval; where none is, none."""

import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.anova import AnovaRM
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import proportion_confint

from normstudy.analysis import inference
from normstudy.normalizations import NORMALIZATIONS

LEVELS = list(itertools.product(NORMALIZATIONS, inference.PENALTIES))


def factorial(
    planted: dict[tuple[str, str], float] | None = None, seeds: int = 5, noise: float = 0.002, draw: int = 0
) -> pd.DataFrame:
    """A factorial of seeds, normalizations and penalties, whose accuracies have the planted effects and no others."""
    generator = np.random.default_rng(draw)
    rows = []
    for seed in range(seeds):
        of_seed = generator.normal(0, 0.005)
        for run, (normalization, penalty) in enumerate(LEVELS):
            accuracy = 0.95 + of_seed + (planted or {}).get((normalization, penalty), 0) + generator.normal(0, noise)
            rows.append(
                {
                    "run": seed * len(LEVELS) + run,
                    "seed": seed,
                    "epoch": 3,
                    "norm_arg": normalization,
                    "l1": 1e-4 * ("L1" in penalty),
                    "l2": 1e-3 * ("L2" in penalty),
                    "test_accuracy": accuracy,
                    "test_loss": 1 - accuracy,
                }
            )
    return inference.last_epochs(pd.DataFrame(rows))


def planted_on(**normalizations: float) -> dict[tuple[str, str], float]:
    return {(name, penalty): size for name, size in normalizations.items() for penalty in inference.PENALTIES}


def of(table: pd.DataFrame, kind: str, normalization: str | None = None, penalty: str | None = None) -> pd.Series:
    chosen = table["kind"] == kind
    for name, level in (("normalization", normalization), ("penalty", penalty)):
        chosen &= table[name].isna() if level is None else table[name] == level
    (row,) = [row for _, row in table[chosen].iterrows()]
    return row


def test_a_planted_main_effect_is_found_with_its_sign_size_and_interval():
    # 0.01 on one of five normalizations is 0.008 above the mean of all, and leaves the others 0.002 below it.
    table = inference.effects(factorial(planted_on(group=0.01), draw=1), "test_accuracy")
    group, batch = of(table, "normalization", "group"), of(table, "normalization", "batch")
    assert group["low"] < 0.008 < group["high"]
    assert group["low"] > 0.005
    assert group["p"] < 0.05
    assert batch["low"] < -0.002 < batch["high"]
    assert (table.loc[table["kind"] != "normalization", "p"] > 0.05).all()


def test_a_planted_loss_has_the_opposite_sign():
    table = inference.effects(factorial(planted_on(group=0.01)), "test_loss")
    assert of(table, "normalization", "group")["high"] < 0


def test_a_planted_interaction_is_found_where_it_is():
    table = inference.effects(factorial({("batch", "L1"): 0.02}), "test_accuracy")
    share = 0.02 * (1 - 1 / 5) * (1 - 1 / 4)  # what the two main effects and the mean of all leave over
    found = of(table, "interaction", "batch", "L1")
    assert found["low"] < share < found["high"]
    assert found["p"] < 0.05
    explained = inference.variation(factorial({("batch", "L1"): 0.02}), "test_accuracy").set_index("source")
    assert explained.loc["interaction", "p"] < 0.05


def test_a_planted_difference_between_two_normalizations_is_found_seed_by_seed():
    table = inference.pairs(factorial(planted_on(none=-0.02, layer=0.01), draw=1), "normalization", "test_accuracy")
    row = table[(table["first"] == "layer") & (table["second"] == "none")].iloc[0]
    assert 0 < row["low"] < 0.03 < row["high"]
    apart = table[table["p"] < 0.05]
    assert set(apart["first"]) | set(apart["second"]) >= {"none", "layer"}
    assert not ((apart["first"] == "batch") & (apart["second"] == "group")).any()


def test_where_nothing_is_planted_nothing_is_found_but_in_one_study_of_twenty():
    kinds = ("normalization", "penalty", "interaction")
    found = dict.fromkeys(kinds, 0)
    for draw in range(40):
        table = inference.effects(factorial(draw=draw), "test_accuracy")
        for kind in kinds:
            found[kind] += bool((table.loc[table["kind"] == kind, "p"] < 0.05).any())
    assert all(number <= 6 for number in found.values()), found  # more than 6 of 40 at 5 %: less than 1 in 100


def test_an_interval_covers_the_planted_effect_in_nineteen_studies_of_twenty():
    covered = 0
    for draw in range(60):
        row = of(
            inference.effects(factorial(planted_on(group=0.01), draw=draw), "test_accuracy"), "normalization", "group"
        )
        covered += row["low"] < 0.008 < row["high"]
    assert 0.87 <= covered / 60 <= 0.99


def test_the_intervals_and_probabilities_are_students():
    values = np.random.default_rng(0).normal(0.3, 1, (6, 3))
    table = inference.student(values)
    test = stats.ttest_1samp(values, 0)
    interval = test.confidence_interval()
    np.testing.assert_allclose(table["p"], test.pvalue)
    np.testing.assert_allclose(table["low"], interval.low)
    np.testing.assert_allclose(table["high"], interval.high)


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


@given(st.integers(0, 50), st.integers(0, 50))
def test_mcnemars_probability_is_that_of_statsmodels(first: int, second: int):
    reference = mcnemar([[0, first], [second, 0]], exact=True).pvalue if first + second else 1
    assert inference.mcnemar(first, second) == pytest.approx(reference)


@given(st.integers(1, 2000).flatmap(lambda images: st.tuples(st.integers(0, images), st.just(images))))
def test_wilsons_interval_is_that_of_statsmodels(counts: tuple[int, int]):
    right, images = counts
    reference = proportion_confint(right, images, method="wilson")
    assert inference.wilson(right / images, images) == pytest.approx(reference, abs=1e-12)


def test_the_analysis_of_variance_is_that_of_statsmodels_but_for_the_cautious_probability():
    runs = factorial(planted_on(group=0.01) | {("batch", "L1"): 0.02})
    table = inference.variation(runs, "test_accuracy").set_index("source")
    plain = runs.astype({"normalization": str, "penalty": str})
    oracle = AnovaRM(plain, "test_accuracy", "seed", within=["normalization", "penalty"]).fit().anova_table
    for source, name in (
        ("normalization", "normalization"),
        ("penalty", "penalty"),
        ("interaction", "normalization:penalty"),
    ):
        assert table.loc[source, "F"] == pytest.approx(oracle.loc[name, "F Value"])
        assert table.loc[source, "p"] > oracle.loc[name, "Pr > F"]
    assert table["share"].sum() == pytest.approx(1)


def test_an_unbalanced_factorial_is_refused():
    runs = factorial()
    with pytest.raises(ValueError, match="is missing"):
        inference.effects(runs.iloc[1:], "test_accuracy")
    with pytest.raises(ValueError, match="more than once"):
        inference.effects(pd.concat([runs, runs.iloc[:1]]), "test_accuracy")


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


def wrong(*images: set[int] | None) -> pd.DataFrame:
    """Runs of seeds 0, 1, … and the images that each gets wrong; None for a run that diverged."""
    return pd.DataFrame(
        {"seed": range(len(images)), "wrong": [None if each is None else sorted(each) for each in images]}
    )


def test_mcnemars_test_counts_the_images_that_only_one_gets_wrong():
    many = set(range(40))
    table = inference.disagreements(
        {"none": wrong(many | {50}, many), "batch": wrong({50}, {0}), "layer": wrong({50}, {0})}
    )
    row = table[(table["first"] == "none") & (table["second"] == "batch")].iloc[0]
    assert (row["only_first"], row["only_second"], row["apart"], row["seeds"]) == (39.5, 0, 2, 2)
    same = table[(table["first"] == "batch") & (table["second"] == "layer")].iloc[0]
    assert (same["apart"], same["p"]) == (0, 1)


def test_a_run_that_diverged_is_not_one_without_mistakes():
    many = set(range(40))
    table = inference.disagreements({"none": wrong(None, many), "batch": wrong(many, {0})})
    row = table.iloc[0]
    assert (row["only_first"], row["only_second"], row["seeds"], row["apart"]) == (39, 0, 1, 1)


def test_a_run_without_mistakes_is_compared():
    row = inference.disagreements({"none": wrong(set()), "batch": wrong(set(range(40)))}).iloc[0]
    assert (row["only_first"], row["only_second"], row["seeds"], row["apart"]) == (0, 40, 1, 1)


def test_a_pair_of_which_one_diverged_in_every_seed_stays_in_the_table_without_numbers():
    table = inference.disagreements({"none": wrong(None, None), "batch": wrong({1}, {2}), "layer": wrong({1}, {2})})
    assert table[["first", "second", "seeds"]].to_numpy().tolist() == [
        ["none", "batch", 0],
        ["none", "layer", 0],
        ["batch", "layer", 2],
    ]
    assert table.loc[:1, ["only_first", "only_second", "p"]].isna().all(axis=None)
    assert table.loc[2, "p"] == 1


def test_where_every_run_diverged_no_pair_is_compared():
    row = inference.disagreements({"none": wrong(None), "batch": wrong(None)}).iloc[0]
    assert (row["seeds"], row["apart"]) == (0, 0)
    assert np.isnan(row["p"])


def test_images_are_counted_over_the_runs_that_get_them_wrong():
    runs = wrong({1, 2}, {2, 7}, set(), {2, 1})
    assert inference.times_wrong(runs).to_dict() == {2: 3, 1: 2, 7: 1}


def rates(**accuracies: list[float]) -> pd.DataFrame:
    rows = [
        {"seed": 0, "normalization": name, "learning_rate": rate, "test_accuracy": accuracy}
        for name, values in accuracies.items()
        for rate, accuracy in zip((0.001, 0.01, 0.1, 1.0), values, strict=True)
    ]
    return pd.DataFrame(rows).astype({"normalization": pd.CategoricalDtype(list(accuracies), ordered=True)})


@pytest.mark.parametrize(
    ("accuracies", "decades", "lowest"),
    [
        ([0.98, 0.98, 0.98, 0.98], 3, 0.001),
        ([0.10, 0.97, 0.98, 0.10], 1, 0.01),
        ([0.98, 0.10, 0.98, 0.97], 1, 0.1),
        ([0.10, 0.10, 0.98, 0.10], 0, 0.1),
    ],
)
def test_the_range_that_trains_is_the_longest_without_a_gap(accuracies: list[float], decades: float, lowest: float):
    row = inference.decades_that_train(rates(batch=accuracies)).iloc[0]
    assert (row["decades"], row["lowest"]) == (pytest.approx(decades), lowest)


def test_a_normalization_that_never_trains_has_no_range():
    table = inference.decades_that_train(rates(batch=[0.98] * 4, none=[0.1] * 4)).set_index("normalization")
    assert table.loc["none", "decades"] == 0
    assert np.isnan(table.loc["none", "lowest"])
