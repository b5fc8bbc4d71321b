"""What is measured inside: planted shifts and ratios are found, with their size, where they were planted."""

import numpy as np
import pandas as pd
import pytest

from normstudy.analysis import inside
from tests.measured import CHANNELS, NAMED, ratios, rows


def against_none(table: pd.DataFrame, outcome: str, name: str) -> pd.DataFrame:
    """What is found of an outcome and a normalization, a row an epoch."""
    found = ratios(table)
    return found[(found["outcome"] == outcome) & (found["normalization"] == name)].set_index("epoch")


class TestMeasures:
    def test_the_first_the_middle_and_the_last_epoch_are_looked_at(self):
        assert inside.named(rows(seeds=1)) == NAMED
        assert inside.named(pd.DataFrame({"epoch": [0, 1, 2]})) == [1, 2]
        assert set(inside.measures(rows(seeds=2)).query("outcome == 'change'")["epoch"]) == set(NAMED)

    def test_a_shift_is_in_units_of_the_standard_deviation_before_it_over_all_channels(self):
        moved = pd.DataFrame(
            {
                "run": 0, "norm_arg": "batch", "seed": 0, "epoch": [0, 1],
                "given_channel_mean": [[[0.0, 0.0]], [[3.0, 0.0]]], "given_channel_sd": [[[3.0, 4.0]], [[3.0, 8.0]]],
            }
        )  # fmt: skip
        (shift,) = inside.shifts(moved, "given")["shift"]
        assert shift == pytest.approx(np.sqrt((3**2 + 4**2) / (3**2 + 4**2)))

    def test_scaling_a_layer_changes_no_shift(self):
        table = rows(seeds=1)
        scaled = table.copy()
        for column in ("given_channel_mean", "given_channel_sd"):
            scaled[column] = [(7 * np.array(layers)).tolist() for layers in table[column]]
        one, other = (inside.shifts(each, "given")["shift"] for each in (table, scaled))
        np.testing.assert_allclose(one, other)

    def test_a_layer_that_stays_has_no_shift_and_each_layer_has_its_own(self):
        table = rows(seeds=1)
        table["given_channel_mean"] = [[[0.0] * CHANNELS, *layers[1:]] for layers in table["given_channel_mean"]]
        shift = inside.shifts(table, "given").groupby("layer")["shift"].max()
        assert shift[1] == 0
        assert shift[2] == shift[3] > 0.05


class TestComparisons:
    def test_a_planted_ratio_is_found_with_its_size_on_its_side_and_at_each_epoch(self):
        table = rows(shift={"batch": 0.5})
        found = against_none(table, "shift_returned", "batch")
        assert list(found.index) == NAMED
        assert found["mean"].tolist() == pytest.approx([0.5] * 3, rel=0.1)
        assert (found["high"] < 1).all()
        assert (against_none(table, "shift_given", "batch")["p"] > 0.05).all()

    @pytest.mark.parametrize("ratio", [0.5, 1.0, 1.3])
    def test_a_planted_ratio_lies_in_its_interval_as_often_as_it_should(self, ratio: float):
        generator = np.random.default_rng(0)
        table = pd.DataFrame({"outcome": "change", "epoch": 1, "seed": [*range(5), *range(5)]})
        table["normalization"] = ["batch"] * 5 + ["none"] * 5
        held, apart, draws = 0, 0, 200
        for _ in range(draws):
            level = generator.normal(0, 0.5, 5)  # of a seed: both of its runs have it
            own = np.concatenate([level + np.log(ratio), level]) + generator.normal(0, 0.2, 10)
            (row,) = inside.against_none(table.assign(value=np.exp(own))).itertuples()
            held, apart = held + (row.low < ratio < row.high), apart + (row.p < 0.05)
        assert held >= 0.93 * draws
        if ratio == 1:
            assert apart <= 0.07 * draws

    def test_seeds_with_a_run_that_diverged_are_left_out_and_counted(self):
        table = rows(seeds=4)
        ended = (table["run"] == 0) & (table["epoch"] == 3)
        table = table[~((table["run"] == 0) & (table["epoch"] > 3))]
        table.loc[ended, "test_accuracy"] = np.nan
        table.loc[ended, "given_channel_mean"] = None
        found, others = (ratios(each) for each in (table, table[table["seed"] > 0]))
        pd.testing.assert_frame_equal(found, others)
        assert inside.diverged(table).sum() == 1
