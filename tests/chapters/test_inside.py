"""What goes on inside: what was planted is found, with its size, at the epoch and on the side where it was planted."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import pytest

from normstudy.analysis import inside as measured
from normstudy.chapters import inside
from tests.wordings import section

NETWORKS = ("batch", "layer", "group", "instance", "none")
EPOCHS, LAYERS, CHANNELS = 8, 3, 4
NAMED = [1, 4, 8]
OTHERS = [name for name in NETWORKS if name != "none"]


def rows(
    shift: Mapping[str, float] | None = None,
    change: Mapping[str, float] | None = None,
    growth: float = 1.0,
    seeds: int = 5,
    noise: float = 0.05,
) -> pd.DataFrame:
    """Rows of five networks, alike but for noise and what is planted.

    Args:
        shift: by what the shift on the returned side, a tenth of a standard deviation an epoch, is multiplied.
        change: the same of the change of the gradient, which is 1.
        growth: the factor from layer to layer without normalization; with one it is 1.
        seeds: their number.
        noise: of the logarithms.
    """
    generator = np.random.default_rng(0)

    def about(value: float) -> float:
        return float(value * np.exp(generator.normal(0, noise)))

    table: list[dict[str, Any]] = []
    for seed in range(seeds):
        for number, name in enumerate(NETWORKS):
            steps = {"given": 0.1, "returned": 0.1 * (shift or {}).get(name, 1.0)}
            means = dict.fromkeys(steps, 0.0)
            for epoch in range(EPOCHS + 1):
                means = {side: mean + about(steps[side]) for side, mean in means.items()}
                sizes = [about(growth**layer if name == "none" else 1) for layer in range(LAYERS)]
                row = {"run": seed * len(NETWORKS) + number, "norm_arg": name, "seed": seed, "epoch": epoch}
                row |= {"test_accuracy": 0.9 if epoch else None, "given_sd": sizes}
                row |= {f"{side}_channel_mean": [[mean] * CHANNELS] * LAYERS for side, mean in means.items()}
                row |= {f"{side}_channel_sd": [[1.0] * CHANNELS] * LAYERS for side in means}
                table.append(row | {"relative_change": about((change or {}).get(name, 1.0))})
    return pd.DataFrame(table)


def ratios(table: pd.DataFrame) -> pd.DataFrame:
    return measured.against_none(measured.measures(table))


def against_none(table: pd.DataFrame, outcome: str, name: str) -> pd.DataFrame:
    """What is found of an outcome and a normalization, a row an epoch."""
    found = ratios(table)
    return found[(found["outcome"] == outcome) & (found["normalization"] == name)].set_index("epoch")


def growth_of(table: pd.DataFrame) -> pd.Series:
    return inside.growth(measured.measures(table))


def concluded(table: pd.DataFrame) -> dict[str, bool | None]:
    return inside.concluded(ratios(table), growth_of(table))


def said(table: pd.DataFrame) -> str:
    """What the section says of a table of rows."""
    first, middle, last = measured.named(table)
    found = {"first": first, "middle": middle, "last": last, "claims": concluded(table)}
    return section("inside", found | {"numbers": inside.numbers(table, ratios(table), growth_of(table))})


class TestMeasures:
    def test_the_first_the_middle_and_the_last_epoch_are_looked_at(self):
        assert measured.named(rows(seeds=1)) == NAMED
        assert measured.named(pd.DataFrame({"epoch": [0, 1, 2]})) == [1, 2]
        assert set(measured.measures(rows(seeds=2)).query("outcome == 'change'")["epoch"]) == set(NAMED)

    def test_a_shift_is_in_units_of_the_standard_deviation_before_it_over_all_channels(self):
        moved = pd.DataFrame(
            {
                "run": 0, "norm_arg": "batch", "seed": 0, "epoch": [0, 1],
                "given_channel_mean": [[[0.0, 0.0]], [[3.0, 0.0]]], "given_channel_sd": [[[3.0, 4.0]], [[3.0, 8.0]]],
            }
        )  # fmt: skip
        (shift,) = measured.shifts(moved, "given")["shift"]
        assert shift == pytest.approx(np.sqrt((3**2 + 4**2) / (3**2 + 4**2)))

    def test_scaling_a_layer_changes_no_shift(self):
        table = rows(seeds=1)
        scaled = table.copy()
        for column in ("given_channel_mean", "given_channel_sd"):
            scaled[column] = [(7 * np.array(layers)).tolist() for layers in table[column]]
        one, other = (measured.shifts(each, "given")["shift"] for each in (table, scaled))
        np.testing.assert_allclose(one, other)

    def test_a_layer_that_stays_has_no_shift_and_each_layer_has_its_own(self):
        table = rows(seeds=1)
        table["given_channel_mean"] = [[[0.0] * CHANNELS, *layers[1:]] for layers in table["given_channel_mean"]]
        shift = measured.shifts(table, "given").groupby("layer")["shift"].max()
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
            (row,) = measured.against_none(table.assign(value=np.exp(own))).itertuples()
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
        assert "The seeds of runs that diverge are left out; 1 of the 20 runs did." in said(table)


class TestVerdicts:
    def test_a_smaller_shift_is_seen_with_the_normalizations_that_have_it(self):
        text = said(rows(shift={"batch": 0.3, "instance": 0.3, "layer": 3.0}))
        assert "Steadier inputs are seen here with batch and instance only, where what comes out" in text
        assert "The opposite is seen with layer. Behind batch" in text
        assert "What goes in shifts less with no normalization." in text
        assert "Steadier inputs are seen here: with every normalization" in said(rows(shift=dict.fromkeys(OTHERS, 0.3)))

    def test_a_smaller_change_of_the_gradient_with_all_is_a_claim_borne_out(self):
        table = rows(change=dict.fromkeys(OTHERS, 0.6))
        assert concluded(table) == {"steadier": False, "smoother": True, "growth": None}
        assert "A smoother loss is seen here: with every normalization the gradient changes less" in said(table)
        only = said(rows(change={"group": 0.6}))
        assert "A smoother loss is seen here with group only, where the gradient changes less" in only

    def test_a_larger_change_is_the_opposite_of_what_was_predicted(self):
        text = said(rows(change={"layer": 1.7}))
        assert "A smoother loss is not seen here: with no normalization does the gradient change less" in text
        assert "in all three epochs. The opposite is seen with layer." in text

    def test_one_epoch_alone_makes_no_claim(self):
        table = rows()
        once = (table["epoch"] == 4) & (table["norm_arg"] != "none")
        table.loc[once, "relative_change"] *= 0.2
        assert concluded(table)["smoother"] is False

    def test_where_nothing_was_planted_nothing_is_seen(self):
        assert concluded(rows()) == {"steadier": False, "smoother": False, "growth": None}
        assert said(rows()).count("The opposite is seen with no normalization.") == 2

    @pytest.mark.parametrize(
        ("growth", "verdict"),
        [
            (1.5, "without normalization is seen: activations grow from layer to layer. Before"),
            (1.0, "without normalization is not seen: that activations grow from layer to layer is left open. Before"),
            (0.5, "without normalization is not seen; the opposite is: activations shrink from layer to layer. Before"),
        ],
    )
    def test_growth_is_judged_and_larger_rates_are_not(self, growth: float, verdict: str):
        text = said(rows(growth=growth))
        assert "Larger rates cannot be seen here" in text
        assert verdict in text
        assert growth_of(rows(growth=growth))["mean"] == pytest.approx(growth, rel=0.05)

    def test_a_single_seed_has_neither_interval_nor_verdict(self):
        table = rows(shift={"batch": 0.1}, growth=2, seeds=1)
        assert not any(concluded(table).values())
        assert "nan" not in said(table)
        assert "(" not in " ".join(map(str, inside.shown(ratios(table))["batch"]))

    def test_how_far_the_networks_are_after_the_first_epoch_is_said(self):
        table = rows()
        table.loc[(table["epoch"] == 1) & (table["norm_arg"] == "none"), "test_accuracy"] = 0.5
        assert "after the first, none has a mean test accuracy of 50.00 %, the others at least 90.00 %." in said(table)


def test_the_table_has_a_row_an_outcome_and_epoch_and_a_column_a_normalization():
    table = inside.shown(ratios(rows(shift={"batch": 0.5})))
    assert list(table.columns) == ["what", "epoch", "batch", "layer", "group", "instance"]
    assert len(table) == 3 * len(NAMED) + 1
    first = table[(table["what"] == "Shift of what comes out") & (table["epoch"] == 1)].iloc[0]
    assert float(first["batch"].removeprefix("×").split()[0]) == pytest.approx(0.5, rel=0.1)


def test_the_figure_has_a_mark_for_each_normalization_in_each_panel_and_says_its_numbers():
    table = rows(growth=0.5)
    found = ratios(table), measured.means(measured.deviations(table), ["normalization", "layer"])
    drawn = inside.figure(*found)
    assert len(drawn.axes) == 4
    for axis in drawn.axes:
        assert [bars.get_label() for bars in axis.containers][: len(OTHERS)] == OTHERS
        assert axis.get_yscale() == "log"
    assert drawn.axes[3].containers[-1].get_label() == "none"
    words = inside.describe(*found)
    assert words.count("batch 1.") + words.count("batch 0.") == 4
    assert words.count("none 1.") == 1
    assert "before training: batch" in words
