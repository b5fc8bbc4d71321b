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

RATES = (0.001, 0.01, 0.1, 1.0, 10.0)
NAMES = ("batch", "layer", "group", "none", f"none{HE}")
NORMALIZING = NAMES[:3]
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
                row |= {"run": len(rows), "learning_rate": rate, "test_accuracy": accuracy}
                rows.append(dict(row))
    return learning_rate.named(inference.last_epochs(pd.DataFrame(rows)))


def answered(name: str, table: pd.DataFrame) -> str:
    """What is said of a prediction."""
    (one,) = [sentence for sentence in learning_rate.answer(table) if sentence.startswith(f"**{name}**")]
    return one


class TestPlanted:
    def test_ends_are_found_with_their_size(self):
        table = learning_rate.summary(runs()).set_index("normalization")
        for name, (lowest, highest) in TRAINED.items():
            assert table.loc[name, "highest"] == pytest.approx(highest, rel=0.2)
            assert table.loc[name, "lowest"] == pytest.approx(lowest, rel=0.2)
        assert table[["open_below", "open_above"]].to_numpy().sum() == 0

    def test_bounds_cover_the_true_median_in_nineteen_studies_of_twenty(self):
        covered = 0
        for draw in range(100):
            row = (
                rates.comparisons(runs(draw=draw), learning_rate.MARGIN)
                .query("first == 'batch' and second == 'none'")
                .iloc[0]
            )
            covered += row["low"] <= 1 <= row["high"]
        assert covered >= 93

    def test_a_higher_rate_is_found_with_its_sign(self):
        said = answered("Higher rates", runs())
        assert said.startswith("**Higher rates** is borne out: beside `none`, the highest rate that trains is ")
        factors = [float(factor) for factor in re.findall(r"([\d.]+) times", said)]
        assert factors == pytest.approx([10] * 3, rel=0.2)
        assert "**Initialization** is left open" in answered("Initialization", runs())

    def test_a_lower_one_is_said_to_be(self):
        table = runs(TRAINED | {"group": (0.003, 0.1), f"none{HE}": (0.003, 3.0)})
        assert "contradicted for `group`" in answered("Higher rates", table)
        assert answered("Initialization", table).startswith("**Initialization** is borne out")
        assert "left open for `batch` and `layer`" in answered("Whatever the initialization", table)

    def test_none_is_found_where_none_was_planted(self):
        found = 0
        for draw in range(100):
            table = rates.comparisons(runs(dict.fromkeys(NAMES, (0.003, 0.3)), draw=draw), learning_rate.MARGIN)
            found += bool((table["p"] < 0.05).any())
        assert found <= 11

    def test_a_single_seed_is_compared_with_nothing(self):
        said = learning_rate.answer(runs(seeds=1))
        assert not any("borne out" in sentence or "nan" in sentence for sentence in said)


class TestEnds:
    def test_a_range_that_reaches_the_last_rate_tried_is_said_to(self):
        said = learning_rate.answer(runs(TRAINED | {"layer": (0.003, 1e3), "group": (1e-5, 3.0)}))
        assert any(
            "reaches the highest rate tried, 10, and may go on beyond it, with `layer` in all 10 seeds;" in sentence
            for sentence in said
        )
        assert any(
            "reaches the lowest rate tried, 0.001, and may go on beyond it, with `group` in all 10 seeds;" in sentence
            for sentence in said
        )

    def test_the_table_has_it_as_a_bound(self):
        table = learning_rate.shown(runs(TRAINED | {"layer": (0.003, 1e3), "none": (5.0, 0.01)}))
        rows = table.set_index("normalization")
        assert rows.loc["layer", "highest rate"] == "≥ 10 (≥ 10\u00a0to\u00a0≥ 10)"
        assert rows.loc["none", "highest rate"] == "none (none\u00a0to\u00a0none)"
        assert "≥" not in rows.loc["batch", "highest rate"]

    def test_none_is_said_where_there_is_none(self):
        assert "No range reaches an end of the rates tried." in learning_rate.answer(runs())

    def test_a_network_that_alone_trains_is_said_to(self):
        said = answered("Higher rates", runs(TRAINED | {"none": (5.0, 0.01)}))
        assert "is the only one there is with `batch`" in said


def test_the_ranges_are_given_with_other_margins_too():
    (one,) = [sentence for sentence in learning_rate.answer(runs()) if "depend on" in sentence]
    assert "within 1 point of the best, batch " in one
    assert "within 5 points of the best, batch " in one


def test_a_run_that_guesses_is_told_from_one_that_diverged():
    table = runs()
    table.loc[table.index[:5], "test_accuracy"] = 0.11
    table.loc[table.index[:3], "diverged"] = True
    said = learning_rate.answer(table)[-1]
    assert said.startswith("3 of the 250 runs diverged and count as guessing; 2 of the others ended below 20")
    said = learning_rate.answer(runs())[-1]
    assert said.startswith("None of the 250 runs diverged; none of the others ended below")


def test_the_figure_has_a_line_and_a_range_for_each_network():
    above, below = learning_rate.figure(runs()).axes
    assert [container.get_label() for container in above.containers] == list(NAMES)
    assert all(len(container[0].get_xdata()) == len(RATES) for container in above.containers)
    thick = [line for line in below.lines if line.get_linewidth() == 5]
    assert len(thick) == len(NAMES)
    assert thick[0].get_xdata()[1] == pytest.approx(3.0, rel=0.2)
    assert not [line for line in below.lines if line.get_marker() in ("<", ">")]
    cut = learning_rate.figure(runs(TRAINED | {"layer": (0.003, 1e3)})).axes[1]
    assert len([line for line in cut.lines if line.get_marker() == ">"]) == 1
    described = learning_rate.describe(runs())
    assert described.count(" at ") == len(NAMES) * len(RATES)
