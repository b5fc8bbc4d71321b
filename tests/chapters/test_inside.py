"""What goes on inside: what was planted is found, with its size, at the epoch and on the side where it was planted."""

import numpy as np
import pandas as pd
import pytest

from normstudy.analysis import inside as measured
from normstudy.chapters import inside
from tests.measured import EPOCHS, NAMED, OTHERS, ratios, rows
from tests.wordings import section


def found(table: pd.DataFrame) -> tuple[pd.DataFrame, pd.Series]:
    """What each normalization multiplies, and the growth without any."""
    measures = measured.measures(table)
    return measured.against_none(measures), inside.growth(measures)


def concluded(table: pd.DataFrame) -> dict[str, bool | None]:
    return inside.concluded(*found(table))


def said(table: pd.DataFrame) -> str:
    """What the section says of a table of rows."""
    first, middle, last = measured.named(table)
    values, of_table = {"first": first, "middle": middle, "last": last}, found(table)
    values |= {"claims": inside.concluded(*of_table), "numbers": inside.numbers(table, *of_table)}
    return section("inside", values)


class TestVerdicts:
    def test_runs_that_diverged_are_counted(self):
        table = rows(seeds=4)
        table.loc[(table["run"] == 0) & (table["epoch"] == EPOCHS), "test_accuracy"] = np.nan
        assert "The seeds of runs that diverge are left out; 1 of the 20 runs did." in said(table)

    def test_a_smaller_shift_is_seen_with_the_normalizations_that_have_it(self):
        text = said(rows(shift={"batch": 0.3, "instance": 0.3, "layer": 3.0}))
        assert "Steadier inputs are seen here with batch and instance, where what comes out" in text
        assert "The opposite, in all three, is seen with layer. Behind batch" in text
        assert "What goes in shifts less, in all three epochs, with none of them." in text
        assert "Steadier inputs are seen here: with every normalization" in said(rows(shift=dict.fromkeys(OTHERS, 0.3)))

    def test_a_smaller_change_of_the_gradient_with_all_is_a_claim_borne_out(self):
        table = rows(change=dict.fromkeys(OTHERS, 0.6))
        assert concluded(table) == {"steadier": False, "smoother": True, "growth": None}
        assert "A smoother loss is seen here: with every normalization the gradient changes less" in said(table)
        only = said(rows(change={"group": 0.6}))
        assert "A smoother loss is seen here with group, where the gradient changes less" in only

    def test_a_larger_change_is_the_opposite_of_what_was_predicted(self):
        text = said(rows(change={"layer": 1.7}))
        assert "A smoother loss is not seen here: with none of the normalizations does the gradient change less" in text
        assert "in all three epochs. The opposite, in all three, is seen with layer." in text

    def test_one_epoch_alone_makes_no_claim(self):
        table = rows()
        once = (table["epoch"] == 4) & (table["norm_arg"] != "none")
        table.loc[once, "relative_change"] *= 0.2
        assert concluded(table)["smoother"] is False

    def test_where_nothing_was_planted_nothing_is_seen(self):
        assert concluded(rows()) == {"steadier": False, "smoother": False, "growth": None}
        assert said(rows()).count("The opposite, in all three, is seen with none of them.") == 2

    @pytest.mark.parametrize(
        ("growth", "verdict"),
        [
            (1.5, "initialization, without normalization, activations grow from layer to layer, as predicted. Before"),
            (
                1.0,
                "grow from layer to layer without normalization, from PyTorch’s initialization, is left open. Before",
            ),
            (0.5, "without normalization, activations do not grow from layer to layer, but shrink. Before"),
        ],
    )
    def test_growth_is_judged_and_larger_rates_are_not(self, growth: float, verdict: str):
        text = said(rows(growth=growth))
        assert "Larger rates cannot be seen here" in text
        assert verdict in text
        assert found(rows(growth=growth))[1]["mean"] == pytest.approx(growth, rel=0.05)

    def test_a_single_seed_has_neither_interval_nor_verdict(self):
        table = rows(shift={"batch": 0.1}, growth=2, seeds=1)
        assert not any(concluded(table).values())
        assert "nan" not in said(table)
        assert "(" not in " ".join(map(str, inside.shown(ratios(table))["batch"]))

    def test_how_far_the_networks_are_after_the_first_epoch_is_said(self):
        table = rows()
        for name, accuracy in (("none", 0.5), ("layer", 0.95)):
            table.loc[(table["epoch"] == 1) & (table["norm_arg"] == name), "test_accuracy"] = accuracy
        assert "none has a mean test accuracy of 50.00 %, the others 90.00 % (batch) to 95.00 % (layer)." in said(table)


def test_the_table_has_a_row_an_outcome_and_epoch_and_a_column_a_normalization():
    table = inside.shown(ratios(rows(shift={"batch": 0.5})))
    assert list(table.columns) == ["what", "epoch", "batch", "layer", "group", "instance"]
    assert len(table) == 3 * len(NAMED) + 1
    first = table[(table["what"] == "Shift of what comes out") & (table["epoch"] == 1)].iloc[0]
    assert float(first["batch"].removeprefix("×").split()[0]) == pytest.approx(0.5, rel=0.1)


def test_the_figure_has_a_mark_for_each_normalization_in_each_panel_and_says_its_numbers():
    table = rows(growth=0.5)
    tables = ratios(table), measured.means(measured.deviations(table), ["normalization", "layer"])
    drawn = inside.figure(*tables)
    assert len(drawn.axes) == 4
    for axis in drawn.axes:
        assert [bars.get_label() for bars in axis.containers][: len(OTHERS)] == OTHERS
        assert axis.get_yscale() == "log"
    assert drawn.axes[3].containers[-1].get_label() == "none"
    words = inside.describe(*tables)
    assert words.count("batch 1.") + words.count("batch 0.") == 4
    assert words.count("none 1.") == 1
    assert "before training: batch" in words
