"""Depth: how deep each network trains follows from the data, and so do the verdicts on what was predicted."""

import itertools
from collections.abc import Mapping

import numpy as np
import pandas as pd
import pytest

from normstudy.analysis import bootstrap, trainability
from normstudy.chapters import depth
from tests import planted

DEPTHS = (0, 8, 16)
NAMES = ("batch", "layer", "none")
PREDICTED = {("pytorch", "none"): (0.97, 0.1, 0.1), ("he", "none"): (0.97, 0.96, 0.1)}
Accuracies = Mapping[tuple[str, str], tuple[float, ...]]


def runs(accuracies: Accuracies) -> pd.DataFrame:
    """Runs that are accurate to 98 % at every depth, but for the networks that `accuracies` names."""
    return planted.table(
        {"initialization": kind, "norm_arg": name, "depth": blocks, "test_accuracy": accuracy}
        for kind, name in itertools.product(trainability.INITIALIZATIONS, NAMES)
        for blocks, accuracy in zip(DEPTHS, accuracies.get((kind, name), (0.98, 0.98, 0.98)), strict=True)
    )


def accuracies(runs: pd.DataFrame) -> pd.DataFrame:
    return trainability.accuracies(runs, trainability.resample(runs))


def claims(planted: Accuracies) -> dict[str, bool | None]:
    return depth.claims(accuracies(runs(planted)))


def numbers(planted: Accuracies) -> dict[str, str]:
    table = runs(planted)
    return depth.numbers(table, accuracies(table))


def test_how_deep_a_network_trains_is_found_with_its_uncertainty():
    table = trainability.reaches(accuracies(runs(PREDICTED | {("he", "batch"): (0.98, 0.9, 0.85)})))
    found = table.set_index(["initialization", "normalization"])
    assert found.loc[("pytorch", "none")].tolist() == [0, 0, 0]
    assert found.loc[("he", "none")].tolist() == [8, 8, 8]
    assert found.loc[("he", "layer")].tolist() == [16, 16, 16]
    assert found.loc[("he", "batch"), ["at_least", "at_most"]].tolist() == [0, 8]


def test_a_depth_beyond_one_that_fails_does_not_count():
    found = trainability.reaches(accuracies(runs({("pytorch", "none"): (0.97, 0.1, 0.97)})))
    assert found.set_index(["initialization", "normalization"]).loc[("pytorch", "none"), "depth"] == 0


def test_a_network_that_trains_at_no_depth_has_none():
    table = accuracies(runs({("he", "layer"): (0.1, 0.1, 0.1)}))
    row = depth.depths(table).set_index(["initialization", "normalization"]).loc[("he", "layer")]
    assert row.tolist() == ["none", "none", "none"]
    assert np.isnan(
        trainability.reaches(table).query("initialization == 'he' and normalization == 'layer'")["depth"].item()
    )


def test_what_was_predicted_holds_where_it_was_planted():
    assert claims(PREDICTED) == dict.fromkeys(("depth", "normalization", "initialization", "instead"), True)


@pytest.mark.parametrize(
    ("changed", "failing"),
    [
        ({("pytorch", "none"): (0.97, 0.97, 0.96)}, {"depth": False, "initialization": False, "instead": False}),
        ({("pytorch", "none"): (0.10, 0.10, 0.10)}, {"depth": False}),
        ({("pytorch", "none"): (0.97, 0.10, 0.90)}, {"depth": None}),
        ({("pytorch", "layer"): (0.98, 0.96, 0.3)}, {"normalization": False}),
        ({("he", "layer"): (0.98, 0.98, 0.905)}, {"normalization": None}),
        ({("he", "none"): (0.97, 0.96, 0.95)}, {"initialization": False}),
        ({("he", "none"): (0.97, 0.5, 0.1)}, {"initialization": False, "instead": False}),
        ({("he", "none"): (0.97, 0.9, 0.1)}, {"initialization": None, "instead": None}),
    ],
    ids=[
        "without normalization it trains at every depth",
        "without normalization it trains at none",
        "the most blocks are not sure to fail",
        "a normalization fails",
        "a normalization is not sure to train",
        "He's initialization suffices at every depth",
        "He's initialization is better, but not enough",
        "He's initialization may suffice",
    ],
)
def test_with_other_data_a_prediction_is_contradicted_or_left_open(
    changed: Accuracies, failing: dict[str, bool | None]
):
    assert {name: holds for name, holds in claims(PREDICTED | changed).items() if not holds} == failing


def test_one_network_of_many_that_is_a_little_too_low_by_chance_does_not_contradict():
    table = accuracies(runs(PREDICTED))
    low = (table["normalization"] == "layer") & (table["depth"] == 16) & (table["initialization"] == "he")
    table.loc[low, ["mean", "low", "high", "p"]] = 0.88, 0.865, 0.895, 0.4  # p corrected for 18 networks
    assert depth.claims(table)["normalization"] is None


def test_the_numbers_of_the_text_are_those_that_were_planted():
    found = numbers(PREDICTED | {("he", "layer"): (0.98, 0.98, 0.902), ("pytorch", "layer"): (0.98, 0.98, 0.93)})
    assert found["epochs"] == "1 epoch"
    assert (found["last"], found["pytorch_reach"]) == ("16", "only as it is")
    assert (found["instead"], found["he_reach"]) == ("8", "with up to 8 more blocks")
    for name, value in {"pytorch_first": 97, "pytorch_last": 10, "he_instead": 96, "pytorch_instead": 10}.items():
        assert float(found[name].split("\u00a0")[0]) == pytest.approx(value, abs=0.5)
        assert found[name].endswith("]")
    assert found["lowest_of"] == "layer, 16 more blocks, He's initialization"
    assert found["unsure"] == "layer from He's initialization"
    assert (found["least_of"], found["most_of"]) == ("layer", "batch")
    assert found["least"].startswith("91.")


@pytest.mark.parametrize(
    ("he", "instead"),
    [((0.97, 0.96, 0.1), "8"), ((0.97, 0.96, 0.91), "8"), ((0.97, 0.91, 0.1), "8"), ((0.97, 0.1, 0.1), "16")],
    ids=["surely", "surely, and by its mean further", "by its mean", "nowhere: the most blocks"],
)
def test_the_depth_that_is_named_is_where_initialization_makes_the_difference(he: tuple[float, ...], instead: str):
    assert numbers(PREDICTED | {("he", "none"): he})["instead"] == instead


def test_a_network_that_never_trains_is_said_to():
    assert numbers({("he", "none"): (0.1, 0.1, 0.1)})["he_reach"] == "at no depth tried"


def test_a_single_seed_decides_nothing():
    table = runs(PREDICTED).query("seed == 0")
    assert set(depth.claims(accuracies(table)).values()) == {None}
    assert depth.numbers(table, accuracies(table))["unsure"] == "batch and layer"


def test_the_depths_are_given_for_other_thresholds_too():
    table = depth.depths(accuracies(runs(PREDICTED | {("he", "batch"): (0.98, 0.98, 0.915)})))
    row = table.set_index(["initialization", "normalization"]).loc[("he", "batch")]
    assert row.tolist() == ["16", "16 (8\u00a0to\u00a016)", "8"]


def test_among_those_that_normalize_the_deepest_are_compared():
    table = bootstrap.pairs_at_most(runs(PREDICTED | {("he", "layer"): (0.98, 0.98, 0.92)}), "depth")
    assert table[["first", "second"]].to_numpy().tolist() == [["batch", "layer"]]
    assert table["mean"].item() == pytest.approx(0.03, abs=0.005)


def test_where_only_some_seeds_train_the_table_says_how_many():
    table = runs(PREDICTED)
    stuck = (
        (table["norm_arg"] == "none") & (table["initialization"] == "he") & (table["depth"] == 8) & (table["seed"] < 2)
    )
    table.loc[stuck, "test_accuracy"] = 0.1
    row = depth.shown(accuracies(table)).set_index(["initialization", "normalization"]).loc[("he", "none")]
    assert row["8"].endswith("(4 of 6)")
    assert "(" not in row["0"]


def test_the_figure_has_accuracy_and_loss_for_each_initialization_and_a_line_a_normalization():
    table = accuracies(runs(PREDICTED))
    above, below = np.reshape(depth.figure(table).axes, (2, 2))
    assert [axis.get_title() for axis in above] == list(trainability.INITIALIZATIONS.values())
    assert [axis.get_yscale() for axis in below] == ["log", "log"]
    for axis in (*above, *below):
        assert [container.get_label() for container in axis.containers] == list(NAMES)
        assert "guessing" in [text.get_text() for text in axis.texts]
    assert depth.describe(table).count(" at ") == 2 * 2 * len(NAMES) * len(DEPTHS)
