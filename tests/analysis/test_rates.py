"""Ranges of learning rates: where they end between the rates tried, and where these cut them off."""

import math

import pandas as pd
import pytest

from normstudy.analysis import rates

RATES = (0.001, 0.01, 0.1, 1.0, 10.0)
MARGIN = 0.02


def one_seed(**accuracies: list[float]) -> pd.DataFrame:
    """A seed's runs at the rates."""
    rows = [
        {"seed": 0, "normalization": name, "learning_rate": rate, "test_accuracy": accuracy}
        for name, values in accuracies.items()
        for rate, accuracy in zip(RATES, values, strict=True)
    ]
    return pd.DataFrame(rows).astype({"normalization": pd.CategoricalDtype(list(accuracies), ordered=True)})


def found(runs: pd.DataFrame) -> pd.DataFrame:
    return rates.ranges(runs, MARGIN)


class TestRange:
    @pytest.mark.parametrize(
        ("accuracies", "lowest", "highest"),
        [
            ([0.10, 0.98, 0.98, 0.98, 0.10], 0.01, 1.0),  # the straight line falls below at once
            ([0.94, 0.98, 0.98, 0.98, 0.94], 10**-2.5, 10**0.5),  # half-way from 2 points above to 2 points below
            ([0.10, 0.98, 0.10, 0.98, 0.98], 1.0, 10.0),  # the wider of two
            ([0.98, 0.98, 0.98, 0.98, 0.98], 0.001, 10.0),
        ],
    )
    def test_ends_where_accuracy_passes_what_is_needed_between_two_rates(self, accuracies, lowest, highest):
        row = found(one_seed(batch=accuracies)).iloc[0]
        assert row["lowest"] == pytest.approx(lowest, rel=0.06)
        assert row["highest"] == pytest.approx(highest, rel=0.06)
        assert row["decades"] == pytest.approx(math.log10(highest / lowest), abs=0.06)

    def test_says_at_which_end_the_rates_tried_cut_it_off(self):
        table = found(one_seed(batch=[0.98] * 4 + [0.1], layer=[0.1] + [0.98] * 4, group=[0.1] * 5))
        assert table["open_below"].tolist() == [True, False, False]
        assert table["open_above"].tolist() == [False, True, False]

    def test_is_none_where_a_normalization_never_trains(self):
        row = found(one_seed(batch=[0.98] * 5, none=[0.1] * 5)).iloc[1]
        assert (row["lowest"], row["highest"], row["decades"]) == (math.inf, -math.inf, 0)

    def test_is_measured_from_the_best_of_all_networks_of_the_seed(self):
        table = found(one_seed(batch=[0.98] * 5, layer=[0.95] * 5))
        assert table["decades"].tolist() == [pytest.approx(4), 0]

    @pytest.mark.parametrize(("margin", "lowest"), [(0.25, 0.01), (0.5, 0.001)])
    def test_has_a_rate_that_is_exactly_the_margin_below_the_best(self, margin: float, lowest: float):
        runs = one_seed(batch=[0.5, 0.75, 1, 0, 0])
        assert rates.ranges(runs, margin)["lowest"].tolist() == [pytest.approx(lowest)]


def test_so_many_seeds_are_enough_that_the_sign_test_finds_one_of_several_differences():
    assert [rates.enough_seeds(comparisons) for comparisons in (1, 9, 15)] == [6, 9, 10]
