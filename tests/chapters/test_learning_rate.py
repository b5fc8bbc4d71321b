"""Ranges of learning rates: what is said of them follows from the data, and noise is called noise."""

import math
import re
from collections.abc import Mapping

import numpy as np
import pandas as pd
import pytest

from normstudy.analysis import inference, rates
from normstudy.chapters import learning_rate
from normstudy.display.figures import HE
from tests.wordings import section

RATES = (0.001, 0.01, 0.1, 1.0, 10.0)
NAMES = ("batch", "layer", "group", "none", f"none{HE}")
NORMALIZING = NAMES[:3]
IMAGES = 500
Ends = Mapping[str, tuple[float, float]]
TRAINED: Ends = dict.fromkeys(NORMALIZING, (0.003, 3.0)) | {"none": (0.003, 0.3), f"none{HE}": (0.003, 0.3)}
"""The lowest and the highest rate that train."""


def runs(ends: Ends | None = None, seeds: int = 10, jitter: float = 0.05, draw: int = 0) -> pd.DataFrame:
    """Runs at five rates, whose accuracy falls by 4 points a decade, past what is needed at `ends`.

    The ends move by `jitter` decades from seed to seed, those of each network for themselves.
    """
    generator = np.random.default_rng(draw)
    rows = []
    for seed in range(seeds):
        for name in NAMES:
            low, high = np.log10((ends or TRAINED)[name]) + generator.normal(0, jitter, 2)
            row = {"seed": seed, "epoch": 1, "l1": 0.0, "l2": 0.0, "test_loss": 0.1}
            row |= {"norm_arg": name.removesuffix(HE), "initialization": "he" if name.endswith(HE) else "pytorch"}
            for rate in RATES:
                beyond = max(low - math.log10(rate), math.log10(rate) - high)
                accuracy = 0.98 - learning_rate.MARGIN * (1 + max(2 * beyond, -1))
                row |= {"run": len(rows), "learning_rate": rate, "test_accuracy": accuracy, "epochs": 1}
                rows.append(row | {"test_images": IMAGES, "wrong": list(range(round(IMAGES * (1 - accuracy))))})
    return learning_rate.named(inference.last_epochs(pd.DataFrame(rows)))


def ranges(table: pd.DataFrame) -> pd.DataFrame:
    return learning_rate.summary(table, learning_rate.errors(table))


def pairs(table: pd.DataFrame) -> pd.DataFrame:
    return rates.comparisons(table, learning_rate.MARGIN)


def said(table: pd.DataFrame) -> str:
    """What the section says of a table of runs."""
    found = ranges(table), pairs(table), learning_rate.leads(table, ranges(table))
    claims, numbers = learning_rate.concluded(*found), learning_rate.numbers(table, *found)
    return section("learning-rate", {"claims": claims, "numbers": numbers})


class TestPlanted:
    def test_ends_are_found_with_their_size(self):
        table = ranges(runs()).set_index("normalization")
        for name, (lowest, highest) in TRAINED.items():
            assert table.loc[name, "highest"] == pytest.approx(highest, rel=0.2)
            assert table.loc[name, "lowest"] == pytest.approx(lowest, rel=0.2)
        assert table[["open_below", "open_above"]].to_numpy().sum() == 0

    def test_bounds_cover_the_true_median_in_nineteen_studies_of_twenty(self):
        covered = 0
        for draw in range(100):
            row = pairs(runs(draw=draw)).query("first == 'batch' and second == 'none'").iloc[0]
            covered += row["low"] <= 1 <= row["high"]
        assert covered >= 93

    def test_a_higher_rate_is_found_with_its_sign_and_size(self):
        found = pairs(runs()).query("second == 'none' and first != 'none (He)'")
        assert (10 ** found["mean"]).tolist() == pytest.approx([10] * 3, rel=0.2)
        text = said(runs())
        assert "Higher rates is borne out: with every normalization it is higher than without." in text
        assert "Beyond He’s is borne out: it is higher also than from He’s" in text
        assert "Initialization is left open: " in text
        assert re.search(r"is in the median over the seeds [23]\.\d \(\w+\) to [23]\.\d \(\w+\) with normal", text)
        assert re.search(r"with normalization, 0\.\d+ without, and 0", text)

    def test_a_lead_where_none_is_best_is_said_with_its_size(self):
        table = runs()
        assert "Higher rates are not all" not in said(table)
        ahead = table["norm_arg"].eq("none") & table["initialization"].eq("pytorch")
        table.loc[ahead, "wrong"] = table.loc[ahead, "wrong"].map(lambda wrong: [*wrong, *range(400, 440)])
        table.loc[ahead, "test_accuracy"] -= 0.08
        text = said(table)
        assert "Higher rates are not all: at 0.01, the best rate without normalization, each normalization is" in text
        assert re.search(r"by \+8\.0\d \[\+5\.\d\d, \+10\.\d\d\] \(\w+\) to \+8\.\d\d", text)

    def test_a_lower_one_is_said_to_be(self):
        text = said(runs(TRAINED | {"group": (0.003, 0.1), f"none{HE}": (0.003, 3.0)}))
        assert "Higher rates is contradicted with group, where it is lower than without. It is borne out with" in text
        assert "Beyond He’s is contradicted with group" in text
        assert "and left open with batch and layer." in text
        assert "Initialization is borne out: He’s alone raises it." in text
        text = said(runs(TRAINED | {"layer": (0.003, 0.3), f"none{HE}": (0.003, 0.03)}))
        assert "Higher rates is left open with layer, and borne out with batch and group." in text
        assert "Initialization is contradicted: He’s alone lowers it." in text

    def test_none_is_found_where_none_was_planted(self):
        found = 0
        for draw in range(100):
            table = pairs(runs(dict.fromkeys(NAMES, (0.003, 0.3)), draw=draw))
            found += bool((table["p"] < 0.05).any())
        assert found <= 11

    def test_a_single_seed_is_compared_with_nothing(self):
        table = runs(seeds=1)
        claims = learning_rate.concluded(ranges(table), pairs(table), learning_rate.leads(table, ranges(table)))
        assert {name for name, holds in claims.items() if holds is not None} == {"closed"}
        assert "nan" not in said(table)


class TestEnds:
    def test_a_range_that_reaches_the_last_rate_tried_is_said_to(self):
        text = said(runs(TRAINED | {"layer": (0.003, 1e3), "group": (1e-5, 3.0)}))
        assert "The range reaches the lowest rate tried with group, the highest with layer, in some" in text
        assert "to ≥ 10 (layer) with normalization" in text

    def test_the_table_has_it_as_a_bound(self):
        table = runs(TRAINED | {"layer": (0.003, 1e3), "none": (5.0, 0.01)})
        rows = learning_rate.shown(table, ranges(table)).set_index("normalization")
        assert rows.loc["layer", "highest rate"] == "≥ 10 (≥ 10\u00a0to\u00a0≥ 10)"
        assert rows.loc["none", "highest rate"] == "none (none\u00a0to\u00a0none)"
        assert "≥" not in rows.loc["batch", "highest rate"]

    def test_none_is_said_where_there_is_none(self):
        assert "No range reaches an end of the rates tried." in said(runs())

    def test_a_network_that_no_rate_trains_is_said_to_have_none(self):
        table = runs(TRAINED | {"none": (5.0, 0.01)})
        assert "with normalization, no rate without" in said(table)
        assert learning_rate.shown_pairs(pairs(table)).iloc[0, 2] == "∞ (∞\u00a0to\u00a0∞)"


def test_the_ranges_are_given_with_other_margins_too():
    table = learning_rate.margins(runs()).set_index("points below the best")
    assert list(table.index) == [1, 2, 5]
    highest = rates.ranges(runs(), 0.05).query("normalization == 'batch'")["highest"].median()
    assert float(table.loc[5, "batch"].removeprefix("≥ ")) == pytest.approx(highest, rel=0.05)
    assert table.loc[1, "none"] != table.loc[5, "none"]


def test_a_run_that_guesses_is_told_from_one_that_diverged():
    table = runs()
    table.loc[table.index[:5], "test_accuracy"] = 0.11
    table.loc[table.index[:3], "diverged"] = True
    assert "3 of the 250 runs did. Of the others, 2 ended below 20 % accuracy." in said(table)
    assert "none of the 250 runs did. Of the others, none ended below" in said(runs())


def test_the_figure_has_a_line_and_a_range_for_each_network():
    def of(table: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
        return table, learning_rate.errors(table), ranges(table)

    above, below = learning_rate.figure(*of(runs())).axes
    assert [container.get_label() for container in above.containers] == list(NAMES)
    assert all(len(container[0].get_xdata()) == len(RATES) for container in above.containers)
    thick = [line for line in below.lines if line.get_linewidth() == 5]
    assert len(thick) == len(NAMES)
    assert thick[0].get_xdata()[1] == pytest.approx(3.0, rel=0.2)
    assert not [line for line in below.lines if line.get_marker() in ("<", ">")]
    cut = learning_rate.figure(*of(runs(TRAINED | {"layer": (0.003, 1e3)}))).axes[1]
    assert len([line for line in cut.lines if line.get_marker() == ">"]) == 1
    described = learning_rate.describe(*of(runs()))
    assert described.count(" at ") == len(NAMES) * len(RATES)
