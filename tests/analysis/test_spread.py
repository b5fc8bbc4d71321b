"""The spread of accuracies: planted parts are found, none where none is; the best of many is what it must be."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from normstudy.analysis import spread
from tests import planted

DRAWS, IMAGES, SEEDS = 100, 1000, 20
EASE, HARDNESS = 3.0, 1.0


def found(luck: float, draw: int, **ease: float) -> pd.DataFrame:
    runs = planted.runs(ease or {"batch": EASE}, draw, seeds=luck, images=HARDNESS, number=SEEDS, size=IMAGES)
    wrong = {str(name): list(part["wrong"]) for name, part in runs.groupby("normalization", observed=True)}
    return spread.decomposition(wrong, IMAGES).set_index("kind")


def true_variance(luck: float) -> float:
    """Of the accuracy on all images that there could be, between seeds, as `planted.runs` makes them."""
    points = stats.norm.ppf((np.arange(20_000) + 0.5) / 20_000) * luck * np.sqrt(1.5)
    return float(stats.norm.cdf((EASE + points) / np.sqrt(1.5 * HARDNESS**2 + planted.NOISE**2)).var())


def test_the_parts_are_those_of_the_analysis_of_variance():
    """On a table so small that it can be taken apart by hand: two seeds, three images."""
    row = spread.decomposition({"batch": [[0], [0, 1]]}, 3).iloc[0]
    assert row["seen"] == pytest.approx(((1 / 3 - 1 / 2) ** 2 + (2 / 3 - 1 / 2) ** 2) / 1)
    assert row["luck"] + row["seed"] == pytest.approx(row["seen"])
    rest = np.array([[1, 0, 0], [1, 1, 0]]) - np.array([[1 / 3], [2 / 3]]) - np.array([1, 1 / 2, 0]) + 1 / 2
    assert 3 * row["luck"] == pytest.approx((rest**2).sum() / 2)


@pytest.mark.parametrize("luck", [0.06, 0.1])
def test_a_planted_seed_is_found_with_its_size_and_interval(luck: float):
    true, tables = true_variance(luck), [found(luck, draw).loc["batch"] for draw in range(DRAWS)]
    seen = np.mean([row["seen"] for row in tables])
    assert np.mean([row["seed"] for row in tables]) == pytest.approx(true, abs=0.1 * seen)
    assert true > 0.15 * seen
    covered = sum(row["share_low"] <= true / (true + row["luck"]) <= row["share_high"] for row in tables)
    assert covered >= 93


def test_where_all_seeds_are_equally_good_all_of_the_spread_is_laid_to_the_images():
    tables = [found(0.0, draw).loc["batch"] for draw in range(DRAWS)]
    assert abs(np.mean([row["seed"] for row in tables])) < 0.15 * np.mean([row["seen"] for row in tables])
    assert sum(row["share_low"] == 0 for row in tables) >= 93


def test_the_hardness_of_the_images_is_found():
    """Of a normal sum, hard and easy images are right about with a probability whose variance is known."""
    points = stats.norm.ppf((np.arange(20_000) + 0.5) / 20_000) * HARDNESS * np.sqrt(1.5)
    true = float(stats.norm.cdf((EASE + points) / planted.NOISE).var()) / IMAGES
    assert np.mean([found(0.0, draw).loc["batch", "images"] for draw in range(20)]) == pytest.approx(true, rel=0.1)


def test_several_kinds_are_surer_together_than_alone():
    table = found(0.2, 0, batch=EASE, layer=EASE, group=EASE)
    width = table["share_high"] - table["share_low"]
    assert list(table.index) == ["batch", "layer", "group", "together"]
    assert width["together"] < width.drop("together").min()
    assert table.loc["together", "seeds"] == 3 * SEEDS


def test_a_single_seed_has_no_spread():
    assert spread.decomposition({"batch": [[1]]}, 3)[["seen", "seed", "share_low", "share_high"]].isna().all(axis=None)


class TestBest:
    def test_of_one_is_the_mean(self):
        values = np.random.default_rng(0).normal(0.99, 0.001, 30)
        assert spread.best_of(values, 1)[0] == pytest.approx(values.mean())

    def test_is_what_drawing_finds(self):
        generator = np.random.default_rng(0)
        values = generator.normal(0.99, 0.001, 30)
        drawn = generator.choice(values, (20_000, 48)).max(axis=1)
        mean, low, high = spread.best_of(values, 48)
        assert mean == pytest.approx(drawn.mean(), abs=1e-5)
        assert (low, high) == pytest.approx(tuple(np.quantile(drawn, [0.025, 0.975], method="inverted_cdf")))

    def test_of_equal_runs_gains_nothing(self):
        assert spread.best_of(np.full(30, 0.99), 48) == pytest.approx((0.99,) * 3)

    def test_of_a_known_spread_gains_what_it_must(self):
        """The best of 48 normal numbers lies 2.2 standard deviations above their mean; that of 60 of these, less."""
        of_normal = 48 * stats.norm.expect(lambda z: z * stats.norm.cdf(z) ** 47)
        gains = [spread.best_of(np.random.default_rng(draw).normal(0, 1, 60), 48)[0] for draw in range(DRAWS)]
        assert of_normal - 0.3 < np.mean(gains) < of_normal
