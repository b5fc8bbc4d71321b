"""Depth: how deep each network trains follows from the data, and so do the verdicts on what was predicted."""

import itertools
from collections.abc import Mapping

import numpy as np
import pandas as pd
import pytest

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
        for kind, name in itertools.product(depth.INITIALIZATIONS, NAMES)
        for blocks, accuracy in zip(DEPTHS, accuracies.get((kind, name), (0.98, 0.98, 0.98)), strict=True)
    )


def claims(accuracies: Accuracies) -> dict[str, bool | None]:
    table = runs(accuracies)
    return depth.claims(depth.accuracies(table), depth.initializations(table))


def answer(accuracies: Accuracies) -> list[str]:
    table = runs(accuracies)
    return depth.answer(table, depth.accuracies(table), depth.initializations(table))


def test_how_deep_a_network_trains_is_found_with_its_uncertainty():
    table = depth.reaches(depth.accuracies(runs(PREDICTED | {("he", "batch"): (0.98, 0.9, 0.85)})))
    found = table.set_index(["initialization", "normalization"])
    assert found.loc[("pytorch", "none")].tolist() == [0, 0, 0]
    assert found.loc[("he", "none")].tolist() == [8, 8, 8]
    assert found.loc[("he", "layer")].tolist() == [16, 16, 16]
    assert found.loc[("he", "batch"), ["at_least", "at_most"]].tolist() == [0, 8]


def test_a_depth_beyond_one_that_fails_does_not_count():
    found = depth.reaches(depth.accuracies(runs({("pytorch", "none"): (0.97, 0.1, 0.97)})))
    assert found.set_index(["initialization", "normalization"]).loc[("pytorch", "none"), "depth"] == 0


def test_a_network_that_trains_at_no_depth_has_none():
    table = depth.accuracies(runs({("he", "layer"): (0.1, 0.1, 0.1)}))
    row = depth.shown(table).set_index(["initialization", "normalization"]).loc[("he", "layer")]
    assert row["trains up to"] == "none"
    assert np.isnan(depth.reaches(table).query("initialization == 'he' and normalization == 'layer'")["depth"].item())


def test_what_was_predicted_holds_where_it_was_planted():
    assert claims(PREDICTED) == {
        "depth": True,
        "normalization": True,
        "initialization": True,
    }
    first, second, third, *_ = answer(PREDICTED)
    assert first.startswith("**Depth** is borne out: from PyTorch's initialization, the network without")
    assert "trains as it is, and no deeper. There its accuracy is 9" in first
    assert second.startswith("**Normalization** is borne out: with every normalization")
    assert "trains up to 8 more blocks." in third
    assert "largest difference with 8 more blocks: +8" in third


@pytest.mark.parametrize(
    ("changed", "claim", "holds", "said"),
    [
        ({("pytorch", "none"): (0.97, 0.92, 0.95)}, "depth", False, "trains at every depth tried"),
        ({("pytorch", "none"): (0.97, 0.10, 0.90)}, "depth", None, "With 16 more blocks its accuracy is 90.0"),
        ({("pytorch", "layer"): (0.98, 0.96, 0.3)}, "normalization", False, "are `layer` (pytorch) 8."),
        ({("he", "layer"): (0.98, 0.98, 0.905)}, "normalization", None, "`layer` (he) 16 (8\u00a0to\u00a016)"),
        ({("he", "none"): (0.97, 0.96, 0.95)}, "initialization", False, "trains at every depth tried"),
        ({("he", "none"): (0.97, 0.1, 0.1)}, "initialization", None, "cannot be told from chance"),
    ],
)
def test_with_other_data_a_prediction_is_contradicted_or_left_open_and_said_to_be(
    changed: Accuracies, claim: str, holds: bool | None, said: str
):
    found = claims(PREDICTED | changed)
    assert {name: each for name, each in found.items() if not each} == {claim: holds}
    word = "left open" if holds is None else "contradicted"
    (one,) = [sentence for sentence in answer(PREDICTED | changed) if f"** is {word}: " in sentence]
    assert one.startswith(f"**{claim.capitalize()}**")
    assert said in one


def test_the_depths_are_given_for_other_thresholds_too():
    said = answer(PREDICTED | {("he", "batch"): (0.98, 0.98, 0.92)})
    (one,) = [sentence for sentence in said if "depend on" in sentence]
    assert "with 50\u00a0%, no depth is another" in one
    assert "with 95\u00a0%, `batch` (he) 8." in one


def test_where_only_some_seeds_train_the_table_says_how_many():
    table = runs(PREDICTED)
    stuck = (
        (table["norm_arg"] == "none") & (table["initialization"] == "he") & (table["depth"] == 8) & (table["seed"] < 2)
    )
    table.loc[stuck, "test_accuracy"] = 0.1
    row = depth.shown(depth.accuracies(table)).set_index(["initialization", "normalization"]).loc[("he", "none")]
    assert row["8"].endswith("(4 of 6)")
    assert "(" not in row["0"]


def test_the_figure_has_a_panel_an_initialization_and_a_line_a_normalization():
    table = depth.accuracies(runs(PREDICTED))
    drawn = depth.figure(table)
    assert [axis.get_title() for axis in drawn.axes] == list(depth.INITIALIZATIONS.values())
    for axis in drawn.axes:
        assert [container.get_label() for container in axis.containers] == list(NAMES)
    described = depth.describe(table)
    assert described.count(" at ") == 2 * len(NAMES) * len(DEPTHS)
