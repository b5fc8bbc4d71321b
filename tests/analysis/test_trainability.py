"""The tables of how deep networks train. What the report reads from them is tested in `chapters.test_depth`."""

import itertools
import math
from collections.abc import Mapping

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from normstudy.analysis import bootstrap, trainability
from normstudy.analysis.trainability import TRAINS
from tests import planted

Setting = tuple[str, str, float]
"""Initialization, normalization, depth."""


def runs(accuracies: Mapping[Setting, float]) -> pd.DataFrame:
    """Six runs of each setting, about as accurate as is said."""
    return planted.table(
        {"initialization": kind, "norm_arg": name, "depth": depth, "test_accuracy": accuracy}
        for (kind, name, depth), accuracy in accuracies.items()
    )


def accuracies(runs: pd.DataFrame) -> pd.DataFrame:
    return trainability.accuracies(runs, trainability.resample(runs))


def smallest(resampled: bootstrap.Resampled, sums: list[dict[Setting, float]], other: float) -> float:
    """The smallest of some probabilities that nothing has corrected."""
    return float(bootstrap.contrasts(resampled, sums, other)["p"].min())


def test_settings_are_in_the_order_of_initializations_then_of_normalizations_then_of_whole_depths():
    table = runs(dict.fromkeys(itertools.product(["he", "pytorch"], ["none", "batch"], [16.0, 4.0]), 0.9))
    wanted = list(itertools.product(["pytorch", "he"], ["batch", "none"], [4, 16]))
    assert trainability.resample(table).found.index.tolist() == wanted
    shown = accuracies(table)
    assert shown[trainability.SETTING].to_records(index=False).tolist() == wanted
    assert shown["depth"].dtype == int
    assert table["depth"].dtype == float, "the table that was given stays as it was"


def test_a_row_holds_the_means_of_its_own_runs():
    table = runs({("pytorch", "batch", 0): 0.98, ("he", "batch", 0): 0.7, ("he", "none", 0): 0.3})
    table["test_loss"] = np.arange(18.0)
    shown = accuracies(table)
    assert shown["mean"].tolist() == pytest.approx(table["test_accuracy"].to_numpy().reshape(3, 6).mean(axis=1))
    assert shown["loss"].tolist() == [2.5, 8.5, 14.5]
    assert shown["seeds"].tolist() == [6, 6, 6]
    assert ((shown["low"] < shown["mean"]) & (shown["mean"] < shown["high"])).all()


def test_a_seed_has_trained_from_the_threshold_on():
    table = runs({("he", "batch", 0): 0.98, ("he", "none", 0): 0.1})
    table.loc[table["norm_arg"] == "batch", "test_accuracy"] = [TRAINS, TRAINS - 1e-6, 0.98, 0.1, TRAINS + 1e-6, 1.0]
    assert accuracies(table)["trained"].tolist() == [4, 0]


def test_a_network_is_unlikely_to_be_at_the_threshold_if_it_is_far_above_or_below():
    shown = accuracies(runs({("he", "batch", 0): 0.98, ("he", "batch", 8): TRAINS, ("he", "batch", 16): 0.8}))
    assert (shown["p"] < 0.05).tolist() == [True, False, True]
    assert shown["p"][1] > 0.5


def test_probabilities_are_corrected_for_the_number_of_networks():
    table = runs({("he", "batch", depth): accuracy for depth, accuracy in ((0, 0.92), (4, 0.9), (8, 0.9), (16, 0.9))})
    resampled = trainability.resample(table)
    alone = smallest(resampled, [{setting: 1} for setting in resampled.found.index], TRAINS)
    assert trainability.accuracies(table, resampled)["p"].min() == pytest.approx(4 * alone)


LEVELS = [0.1, 0.5, 0.9, 0.95]
ENDS = st.sampled_from([0.0, *LEVELS, 1.0, math.nan])
NETWORKS = st.tuples(st.sampled_from(["pytorch", "he"]), st.sampled_from(["batch", "none"]))
ROWS = st.fixed_dictionaries({"depth": st.sampled_from([0, 4, 8, 16]), "mean": ENDS, "low": ENDS, "high": ENDS})
TABLES = st.dictionaries(NETWORKS, st.lists(ROWS, min_size=1, unique_by=lambda row: row["depth"]), min_size=1)


@settings(max_examples=50)
@given(TABLES, st.sampled_from(LEVELS))
def test_a_network_reaches_a_depth_if_it_trains_there_and_at_every_smaller_one(
    networks: dict[tuple[str, str], list[dict[str, float]]], level: float
):
    names = ["initialization", "normalization"]
    rows = [row | dict(zip(names, network, strict=True)) for network, of in networks.items() for row in of]
    found = trainability.reaches(pd.DataFrame(rows), level).set_index(names)
    assert sorted(found.index) == sorted(networks)
    for network, of in networks.items():
        for name, column in (("depth", "mean"), ("at_least", "low"), ("at_most", "high")):
            trains = {row["depth"] for row in of if row[column] >= level}
            others = [row["depth"] for row in of if row["depth"] not in trains]
            reached = max((depth for depth in trains if all(depth < other for other in others)), default=math.nan)
            assert found.loc[network, name] == pytest.approx(reached, nan_ok=True)


def test_the_level_is_the_threshold_unless_it_is_said():
    table = pd.DataFrame({"initialization": "he", "normalization": "batch", "depth": [0, 4], "mean": [TRAINS, 0.89]})
    assert trainability.reaches(table.assign(low=0.0, high=1.0))["depth"].tolist() == [0]


UNNORMALIZED = {
    **{("pytorch", "none", depth): accuracy for depth, accuracy in ((0, 0.97), (8, 0.1), (16, 0.1))},
    **{("he", "none", depth): accuracy for depth, accuracy in ((0, 0.97), (8, 0.96), (16, 0.1))},
}
NORMALIZED = {
    **{("pytorch", "batch", depth): 0.98 for depth in (0, 8, 16)},
    **{("he", "batch", depth): 0.5 for depth in (0, 8, 16)},
}


def test_what_an_initialization_gains_is_found_at_the_depth_where_it_was_planted_whatever_normalized_networks_do():
    gains = trainability.gains(trainability.resample(runs(UNNORMALIZED | NORMALIZED)))
    assert gains["depth"].tolist() == [0, 8, 16]
    assert gains["mean"].tolist() == pytest.approx([0, 0.86, 0], abs=0.005)
    assert ((gains["low"] < gains["mean"]) & (gains["mean"] < gains["high"])).all()
    assert (gains["p"] < 0.05).tolist() == [False, True, False]


def test_a_depth_that_lacks_one_of_the_initializations_says_nothing_of_a_gain():
    accuracy = {("pytorch", "none", 0): 0.98, ("he", "none", 0): 0.97, ("he", "none", 8): 0.9, ("he", "batch", 8): 0.9}
    assert trainability.gains(trainability.resample(runs(accuracy)))["depth"].tolist() == [0]


def test_gains_are_corrected_for_the_number_of_depths():
    resampled = trainability.resample(runs(UNNORMALIZED | NORMALIZED))
    alone = smallest(resampled, [{("he", "none", 8): 1, ("pytorch", "none", 8): -1}], 0)
    assert trainability.gains(resampled)["p"][1] == pytest.approx(3 * alone)


def test_the_deepest_are_compared_by_what_both_initializations_give_and_without_the_network_that_normalizes_nothing():
    layer = {(kind, "layer", depth): 0.98 if depth == 16 else 0.2 for kind in ("pytorch", "he") for depth in (0, 8, 16)}
    table = bootstrap.pairs_at_most(runs(UNNORMALIZED | NORMALIZED | layer), "depth")
    assert table[["first", "second"]].to_numpy().tolist() == [["batch", "layer"]]
    assert table["mean"].item() == pytest.approx((0.98 + 0.5) / 2 - 0.98, abs=0.005)


def test_one_normalization_alone_is_compared_with_nothing():
    assert bootstrap.pairs_at_most(runs(UNNORMALIZED | NORMALIZED), "depth").empty
