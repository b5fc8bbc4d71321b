"""Effects in results of several seeds: a planted one is found with its sign, size and interval; where none is, none."""

import pandas as pd
import pytest
from statsmodels.stats.anova import AnovaRM

from normstudy.analysis import effects
from tests.factorials import factorial, planted_on


def of(table: pd.DataFrame, kind: str, normalization: str | None = None, penalty: str | None = None) -> pd.Series:
    chosen = table["kind"] == kind
    for name, level in (("normalization", normalization), ("penalty", penalty)):
        chosen &= table[name].isna() if level is None else table[name] == level
    (row,) = [row for _, row in table[chosen].iterrows()]
    return row


def test_a_planted_main_effect_is_found_with_its_sign_size_and_interval():
    # 0.01 on one of five normalizations is 0.008 above the mean of all, and leaves the others 0.002 below it.
    table = effects.effects(factorial(planted_on(group=0.01), draw=1), "test_accuracy")
    group, batch = of(table, "normalization", "group"), of(table, "normalization", "batch")
    assert group["low"] < 0.008 < group["high"]
    assert group["low"] > 0.005
    assert group["p"] < 0.05
    assert batch["low"] < -0.002 < batch["high"]
    assert (table.loc[table["kind"] != "normalization", "p"] > 0.05).all()


def test_a_planted_loss_has_the_opposite_sign():
    table = effects.effects(factorial(planted_on(group=0.01)), "test_loss")
    assert of(table, "normalization", "group")["high"] < 0


def test_a_planted_interaction_is_found_where_it_is():
    table = effects.effects(factorial({("batch", "L1"): 0.02}), "test_accuracy")
    share = 0.02 * (1 - 1 / 5) * (1 - 1 / 4)  # what the two main effects and the mean of all leave over
    found = of(table, "interaction", "batch", "L1")
    assert found["low"] < share < found["high"]
    assert found["p"] < 0.05
    explained = effects.variation(factorial({("batch", "L1"): 0.02}), "test_accuracy").set_index("source")
    assert explained.loc["interaction", "p"] < 0.05


def test_where_nothing_is_planted_nothing_is_found_but_in_one_study_of_twenty():
    kinds = ("normalization", "penalty", "interaction")
    found = dict.fromkeys(kinds, 0)
    for draw in range(40):
        table = effects.effects(factorial(draw=draw), "test_accuracy")
        for kind in kinds:
            found[kind] += bool((table.loc[table["kind"] == kind, "p"] < 0.05).any())
    assert all(number <= 6 for number in found.values()), found  # more than 6 of 40 at 5 %: less than 1 in 100


def test_an_interval_covers_the_planted_effect_in_nineteen_studies_of_twenty():
    covered = 0
    for draw in range(60):
        row = of(
            effects.effects(factorial(planted_on(group=0.01), draw=draw), "test_accuracy"), "normalization", "group"
        )
        covered += row["low"] < 0.008 < row["high"]
    assert 0.87 <= covered / 60 <= 0.99


def test_the_analysis_of_variance_is_that_of_statsmodels_but_for_the_cautious_probability():
    runs = factorial(planted_on(group=0.01) | {("batch", "L1"): 0.02})
    table = effects.variation(runs, "test_accuracy").set_index("source")
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
        effects.effects(runs.iloc[1:], "test_accuracy")
    with pytest.raises(ValueError, match="more than once"):
        effects.effects(pd.concat([runs, runs.iloc[:1]]), "test_accuracy")
