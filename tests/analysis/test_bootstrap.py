"""Intervals over seeds and test images hold what was planted, and find nothing where nothing is."""

import numpy as np
import pandas as pd
import pytest

from normstudy.analysis import bootstrap, inference
from tests import planted

DRAWS = 100
WORLDS = {
    "seeds": {"seeds": 0.5, "images": 0.3},
    "images": {"seeds": 0.05, "images": 2.0},
    "both": {"seeds": 0.3, "images": 1.0, "size": 300},
    "neither": {"seeds": 0.0, "images": 0.0},
    "five seeds": {"seeds": 0.3, "images": 1.0, "number": 5},
}


def differences(batch: float, layer: float, world: dict[str, float], draws: int = DRAWS) -> pd.DataFrame:
    """Batch minus layer in many worlds, a row each."""
    rows = []
    for draw in range(draws):
        runs = planted.runs({"batch": batch, "layer": layer}, draw, **world)
        resampled = bootstrap.resample(runs, ["normalization"], draws=300)
        rows.append(bootstrap.contrasts(resampled, [{"batch": 1, "layer": -1}]).iloc[0])
    return pd.DataFrame(rows)


@pytest.mark.parametrize("world", WORLDS.values(), ids=WORLDS)
class TestOfAHundredDraws:
    def test_at_least_93_intervals_hold_the_planted_difference(self, world: dict[str, float]):
        chance = {name: world[name] for name in ("seeds", "images")}
        true = planted.accuracy(2.0, **chance) - planted.accuracy(1.6, **chance)
        found = differences(2.0, 1.6, world)
        assert found["mean"].mean() == pytest.approx(true, abs=0.3 * true)
        assert ((found["low"] <= true) & (true <= found["high"])).sum() >= 93

    def test_at_most_7_find_a_difference_where_there_is_none(self, world: dict[str, float]):
        found = differences(1.8, 1.8, world)
        assert ((found["low"] > 0) | (found["high"] < 0)).sum() <= 7
        assert (found["p"] < 0.05).sum() <= 7


def test_a_large_difference_is_found_with_its_sign():
    found = differences(2.0, 1.0, WORLDS["both"], draws=10)
    assert (found["low"] > 0).all()


def test_seeds_alone_would_miss_what_other_images_do():
    world = WORLDS["images"]
    true = planted.accuracy(2.0, seeds=0.05, images=2.0) - planted.accuracy(1.6, seeds=0.05, images=2.0)
    held = 0
    for draw in range(DRAWS):
        runs = planted.runs({"batch": 2.0, "layer": 1.6}, draw, **world)
        row = inference.pairs(runs, "normalization", "test_accuracy").iloc[0]
        held += row["low"] <= true <= row["high"]
    assert held < 80


def test_means_and_pairs_are_those_of_the_seeds():
    runs = planted.runs({"batch": 2.0, "layer": 1.6, "none": 1.0}, 0)
    table = bootstrap.summary(bootstrap.resample(runs, ["normalization"]))
    plain = inference.summary(runs, ["normalization"], "test_accuracy")
    pd.testing.assert_frame_equal(table.drop(columns=["low", "high"]), plain.drop(columns=["low", "high"]))
    pairs = bootstrap.pairs(runs, "normalization")
    plain = inference.pairs(runs, "normalization", "test_accuracy")
    assert list(pairs.columns) == list(plain.columns)
    pd.testing.assert_frame_equal(pairs[["first", "second", "mean"]], plain[["first", "second", "mean"]])


def test_pairs_are_compared_within_the_levels_of_another_factor():
    parts = [planted.runs({"batch": 2.0, "layer": ease}, 0).assign(depth=depth) for depth, ease in ((0, 2.0), (8, 0.5))]
    table = bootstrap.pairs(pd.concat(parts, ignore_index=True), "normalization", "depth")
    assert table["depth"].tolist() == [0, 8]
    assert (table["p"] < 0.05).tolist() == [False, True]
    assert table["mean"][1] == pytest.approx(
        parts[1].groupby("normalization", observed=True)["test_accuracy"].mean().diff().iloc[1] * -1
    )


def test_the_draws_center_on_what_was_found_and_are_the_same_each_time():
    runs = planted.runs({"batch": 1.0}, 0)
    resampled = bootstrap.resample(runs, ["normalization"])
    assert resampled.drawn["batch"].mean() == pytest.approx(resampled.found["batch"], abs=0.003)
    pd.testing.assert_frame_equal(resampled.drawn, bootstrap.resample(runs, ["normalization"]).drawn)


def test_a_run_that_diverged_guesses():
    runs = planted.runs({"batch": 1.0}, 0)
    runs["diverged"], runs["wrong"], runs["test_accuracy"] = True, None, 0.1
    assert np.allclose(bootstrap.resample(runs, ["normalization"]).drawn, 0.1)


def test_a_single_seed_has_neither_interval_nor_probability():
    table = bootstrap.pairs(planted.runs({"batch": 2.0, "layer": 1.0}, 0, number=1), "normalization")
    assert table[["low", "high", "p"]].isna().all(axis=None)


def test_settings_without_the_same_seeds_are_not_compared():
    runs = planted.runs({"batch": 2.0, "layer": 1.0}, 0).drop(index=3)
    with pytest.raises(ValueError, match="lacks a seed"):
        bootstrap.resample(runs, ["normalization"])
