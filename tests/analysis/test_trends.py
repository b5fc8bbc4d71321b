"""One contrast per seed: a planted slope is found with its sign, size and interval, and none is found where none is."""

import numpy as np
import pandas as pd
import pytest

from normstudy.analysis import trends

SIZES = [1, 2, 4, 8, 16, 32, 64, 128]
DRAWS = 200


def runs(generator: np.random.Generator, slope: float, seeds: int = 5) -> pd.DataFrame:
    """Errors of so many seeds that change by `slope` a doubling; a seed has its own level, slope and noise."""
    table = pd.MultiIndex.from_product([range(seeds), SIZES], names=["seed", "images"]).to_frame(index=False)
    level, own = generator.normal(0.05, 0.01, seeds), generator.normal(slope, 0.002, seeds)
    line = level[table["seed"]] + own[table["seed"]] * np.log2(table["images"])
    return table.assign(error=line + generator.normal(0, 0.002, len(table)))


def found(generator: np.random.Generator, slope: float, seeds: int = 5) -> pd.Series:
    slopes = trends.slopes(runs(generator, slope, seeds), "images", "error")
    return trends.contrasts(slopes.to_frame()).iloc[0]


def test_a_straight_line_over_the_logarithm_has_its_slope():
    line = pd.DataFrame({"seed": 0, "images": SIZES, "error": 0.3 - 0.02 * np.log2(SIZES)})
    assert trends.slopes(line, "images", "error").tolist() == [pytest.approx(-0.02)]


@pytest.mark.parametrize("slope", [-0.01, 0.0, 0.004])
def test_a_planted_slope_lies_in_its_interval_as_often_as_it_should(slope: float):
    generator = np.random.default_rng(0)
    draws = pd.DataFrame([found(generator, slope) for _ in range(DRAWS)])
    assert draws["mean"].mean() == pytest.approx(slope, abs=0.0002)
    assert (draws["low"].lt(slope) & draws["high"].gt(slope)).mean() >= 0.93
    assert (draws["excluded"] > abs(slope)).mean() >= 0.93


def test_where_no_slope_was_planted_none_is_found():
    generator = np.random.default_rng(1)
    draws = pd.DataFrame([found(generator, 0.0) for _ in range(DRAWS)])
    assert (draws["p"] < 0.05).mean() <= 0.07


def test_what_is_excluded_is_further_off_than_all_that_the_interval_holds_and_shrinks_with_seeds():
    few, many = (found(np.random.default_rng(2), 0.001, seeds) for seeds in (5, 80))
    for row in (few, many):
        assert row["excluded"] == max(-row["low"], row["high"])
    assert many["excluded"] < few["excluded"]


def test_a_single_seed_has_a_slope_and_neither_interval_nor_bound():
    row = found(np.random.default_rng(3), 0.01, seeds=1)
    assert not np.isnan(row["mean"])
    assert row[["low", "high", "p", "excluded"]].isna().all()


def test_a_single_setting_is_refused():
    with pytest.raises(ValueError, match="more than one setting"):
        trends.weights([8])


def test_a_seed_without_all_settings_is_refused():
    table = runs(np.random.default_rng(0), 0.0).iloc[1:]
    with pytest.raises(ValueError, match="each seed must have every images"):
        trends.slopes(table, "images", "error")
