"""Ranges of learning rates: what is said of them follows from the data, and noise is called noise."""

import math
from collections.abc import Mapping

import numpy as np
import pandas as pd
import pytest

from normstudy.analysis import inference
from normstudy.chapters import learning_rate

RATES = (0.001, 0.01, 0.1, 1.0)
NAMES = ("batch", "layer", "group", "none")
Failing = Mapping[str, Mapping[float, range | list[int]]]


def runs(failing: Failing | None = None, seeds: int = 5, accuracy: float = 0.10) -> pd.DataFrame:
    """Runs at four rates, accurate to 98 % but for the seeds that `failing` names for a normalization and rate."""
    generator = np.random.default_rng(0)
    rows = []
    for seed in range(seeds):
        for name in NAMES:
            for rate in RATES:
                fails = seed in (failing or {}).get(name, {}).get(rate, [])
                value = accuracy if fails else 0.98 + generator.normal(0, 0.001)
                row = {"run": len(rows), "seed": seed, "epoch": 1, "norm_arg": name, "learning_rate": rate}
                rows.append(row | {"test_accuracy": value, "test_loss": 1 - value, "l1": 0.0, "l2": 0.0})
    return inference.last_epochs(pd.DataFrame(rows))


NARROW: Failing = {"none": {1.0: range(5), 0.1: [0, 1], 0.001: [3]}}


def test_the_range_of_each_normalization_is_that_of_its_seeds():
    table = learning_rate.ranges(runs(NARROW)).set_index("normalization")
    none, batch = table.loc["none"], table.loc["batch"]
    assert none["mean"] == pytest.approx(np.mean([1, 1, 2, 1, 2]))
    assert none["low"] < none["mean"] < none["high"]
    assert (none["lowest"], none["highest"]) == (0.01, 0.01)
    assert (none["at_lowest"], none["at_highest"]) == (4, 0)
    assert (batch["mean"], batch["lowest"], batch["highest"]) == (pytest.approx(3), 0.001, 1.0)
    assert (batch["at_lowest"], batch["at_highest"]) == (5, 5)


def test_a_rate_trains_that_is_exactly_the_margin_below_the_best():
    table = runs().assign(test_accuracy=lambda rows: rows["learning_rate"].map({0.001: 0.5, 0.01: 0.75, 0.1: 1, 1: 0}))
    widths = {margin: set(learning_rate.decades_that_train(table, margin)["lowest"]) for margin in (0.25, 0.5)}
    assert widths == {0.25: {0.01}, 0.5: {0.001}}


def test_an_interval_ends_where_the_rates_tried_end():
    table = learning_rate.ranges(runs({"batch": {1.0: [0]}})).set_index("normalization")
    assert table.loc["batch", "high"] == pytest.approx(math.log10(1.0 / 0.001))


def test_the_best_rate_has_the_highest_mean():
    table = learning_rate.ranges(runs({"batch": {rate: [2] for rate in RATES if rate != 0.1}})).set_index(
        "normalization"
    )
    assert table.loc["batch", "best_rate"] == 0.1
    assert table.loc["batch", "accuracy"] == pytest.approx(0.98, abs=0.002)


def test_the_table_says_where_no_rate_trains_in_every_seed():
    table = learning_rate.decades(runs(NARROW | {"group": {rate: [0] for rate in RATES}})).set_index("normalization")
    assert table.loc["group", "trains in every seed"] == "no rate"
    assert table.loc["batch", "trains in every seed"] == "0.001\u00a0to\u00a01"
    apart = learning_rate.decades(runs({"layer": {0.001: [0], 0.01: [0, 1], 0.1: [1], 1.0: [1]}}))
    assert apart.set_index("normalization").loc["layer", "trains in every seed"] == "no rate"


def test_a_planted_narrow_range_is_found_with_its_sign_and_size():
    said = learning_rate.findings(runs(NARROW))
    assert "widest, 3.00 decades, with `batch` (in every seed) and `layer` (in every seed) and `group`" in said[0]
    assert "narrowest, 1.40 decades, with `none`" in said[0]
    (one,) = [sentence for sentence in said if "wider than without normalization, by more than chance" in sentence]
    assert "+1.60 decades with `batch`" in one
    row = learning_rate.comparisons(runs(NARROW)).query("first == 'batch' and second == 'none'").iloc[0]
    assert row["mean"] == pytest.approx(1.6)
    assert 0 < row["low"] < 1.6 < row["high"]


def test_a_normalization_that_does_worse_than_none_is_said_to():
    said = learning_rate.findings(runs({"group": {1.0: range(5), 0.1: [0, 1]}}))
    (one,) = [sentence for sentence in said if "narrower than without normalization" in sentence]
    assert "−1.40 decades with `group`" in one
    (among,) = [sentence for sentence in said if sentence.startswith("Among the networks that normalize")]
    assert "2 of the 3 pairs of normalizations differ in the width of their range by more than chance" in among
    assert "+1.40 decades, `batch` minus `group`" in among


def test_a_difference_that_only_some_seeds_show_is_within_noise():
    said = learning_rate.findings(runs({"none": {1.0: [0]}, "layer": {1.0: [3]}}))
    assert any(sentence.startswith("These differences") and "within noise" in sentence for sentence in said)
    assert any("none of the 3 pairs of normalizations differ" in sentence for sentence in said)
    assert not any("by more than chance" in sentence for sentence in said if "none of the 3" not in sentence)


def test_equal_ranges_are_called_equal():
    assert learning_rate.findings(runs())[0].endswith("equally wide for all: 3.00 decades on average.")


def test_a_difference_that_is_the_same_in_every_seed_is_said_to_be():
    said = learning_rate.findings(runs({"none": {1.0: range(5)}}))
    assert any("+1.00 decades with `batch` (the same in every seed)" in sentence for sentence in said)


def test_a_single_seed_is_compared_with_nothing():
    said = learning_rate.findings(runs(NARROW, seeds=1))
    assert not any("more than chance" in sentence for sentence in said)
    assert any("With a single seed" in sentence for sentence in said)
    assert not any("nan" in sentence for sentence in said)


def test_ranges_that_reach_the_last_rate_tried_may_go_on():
    said = learning_rate.findings(runs(NARROW))
    (below,) = [sentence for sentence in said if "the lowest rate tried, 0.001, and may go on below it" in sentence]
    assert "with `none` in 4 of the 5 seeds" in below
    assert "with `batch` in all 5 seeds" in below
    (above,) = [sentence for sentence in said if "the highest rate tried, 1, and may go on above it" in sentence]
    assert "`none`" not in above


def test_the_ranges_are_given_with_other_margins_too():
    (one,) = [sentence for sentence in learning_rate.findings(runs(NARROW, accuracy=0.95)) if "depend on" in sentence]
    assert "within 1 percentage point of the best: batch 3.00, layer 3.00, group 3.00, none 1.40" in one
    assert "within 5 percentage points of the best: batch 3.00, layer 3.00, group 3.00, none 3.00" in one


class TestFailures:
    def test_a_run_that_guesses_is_told_from_one_that_diverged(self):
        table = runs({"none": {1.0: [0, 1, 2]}})
        table.loc[table["run"] == table.loc[table["test_accuracy"] < 0.2, "run"].min(), "diverged"] = True
        said = learning_rate.findings(table)
        assert "1 of the 80 runs diverged and count as guessing: 1 with `none` at 1." in said
        assert any(sentence.startswith("2 of the 80 runs did not diverge") for sentence in said)

    def test_none_is_said_where_there_are_none(self):
        assert learning_rate.findings(runs())[-1] == "None of the 80 runs diverged."


def test_the_figure_has_a_line_for_each_normalization_whole_and_at_its_upper_end():
    drawn = learning_rate.figure(runs(NARROW))
    for axis in drawn.axes:
        assert [container.get_label() for container in axis.containers] == list(NAMES)
        assert all(len(container[0].get_xdata()) == len(RATES) for container in axis.containers)
    described = learning_rate.describe(runs(NARROW))
    assert "none 80.3 at 0.001" in described
    assert described.count(" at ") == len(NAMES) * len(RATES)


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
    row = learning_rate.decades_that_train(rates(batch=accuracies)).iloc[0]
    assert (row["decades"], row["lowest"]) == (pytest.approx(decades), lowest)


def test_a_normalization_that_never_trains_has_no_range():
    table = learning_rate.decades_that_train(rates(batch=[0.98] * 4, none=[0.1] * 4)).set_index("normalization")
    assert table.loc["none", "decades"] == 0
    assert np.isnan(table.loc["none", "lowest"])
