"""Statistics of fewer images: each prediction is borne out where its effect was planted, and only there."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
import pytest

from normstudy.analysis import bootstrap, trends
from normstudy.chapters import ghost_batch
from tests import planted
from tests.commands import ROOT
from tests.wordings import section

PUBLISHED = pd.read_csv(ROOT / "report" / "results" / "wu-he-2018.csv")
SIZES = (1, 2, 4, 8, 16, 32)
STEEP = 0.25  # of what is planted: so much easier, in `planted.runs`, with each doubling of the images
CHANCE = {"seeds": 0.1, "images": 1.0}


def ease(harm: Mapping[str, float]) -> dict[str, float]:
    """How easy images are, by evaluation and images: `harm` is how steep an evaluation is, as a part of `STEEP`."""
    return {
        f"{name} {images}": 2.0 - harm.get(name, 0) * STEEP * np.log2(SIZES[-1] / images)
        for name in ghost_batch.EVALUATIONS
        for images in SIZES
    }


def runs(harm: Mapping[str, float], draw: int = 0, number: int = 5) -> pd.DataFrame:
    """Runs of batch normalization by the images that share statistics, and of two others.

    Args:
        harm: that of `ease`.
        draw: another world.
        number: of seeds.
    """
    settings = ease(harm) | {"layer": 2.0, "group": 2.0}
    runs = planted.runs(settings, draw, number=number, size=400, **CHANCE).to_dict("records")
    found = {(run["normalization"], run["seed"]): run for run in runs}
    rows = []
    for seed in range(number):
        for setting in [*SIZES, "layer", "group"]:
            kinds = ghost_batch.EVALUATIONS if isinstance(setting, int) else {"": ""}
            row = {"run": len(rows), "seed": seed, "test_images": 400, "diverged": False}
            row |= {"norm_arg": "batch" if isinstance(setting, int) else setting}
            row |= {"ghost_batch_size": setting if isinstance(setting, int) else 0}
            for name, end in kinds.items():
                one = found[f"{name} {setting}".strip(), seed]
                row |= {f"test_accuracy{end}": one["test_accuracy"], f"wrong{end}": one["wrong"]}
            rows.append(row)
    return pd.DataFrame(rows)


def slopes(harm: Mapping[str, float], draw: int = 0, number: int = 5) -> pd.DataFrame:
    return ghost_batch.slopes(ghost_batch.resample(runs(harm, draw, number), draws=300))


def numbers(resampled: bootstrap.Resampled) -> dict[str, str]:
    table, several = (ghost_batch.slopes(resampled, fewest) for fewest in (1, 2))
    return ghost_batch.numbers(bootstrap.errors(resampled), table, several)


def expected(harm: Mapping[str, float]) -> dict[str, float]:
    """The slope of each evaluation's error for each halving, over all seeds and images that there could be."""
    line = trends.weights(SIZES)
    true = ease(harm)
    return {
        name: float(line @ [planted.accuracy(true[f"{name} {images}"], **CHANCE) for images in SIZES])
        for name in ghost_batch.EVALUATIONS
    }


def claims(harm: Mapping[str, float], number: int = 5) -> set[str]:
    """Which claims hold, and with an exclamation mark those that do not; those left open are not named."""
    found = ghost_batch.claims(slopes(harm, number=number))
    return {name if holds else f"{name}!" for name, holds in found.items() if holds is not None}


@pytest.fixture(scope="module")
def hundred() -> dict[str, list[pd.DataFrame]]:
    """The slopes of a hundred worlds in which running statistics do harm and precise ones half of it; or none do."""
    worlds = {"harm": {"running": 1.0, "precise": 0.5}, "none": {}}
    return {name: [slopes(harm, draw) for draw in range(100)] for name, harm in worlds.items()}


def test_a_planted_slope_is_found_with_its_sign_size_and_in_93_of_100_intervals(hundred: dict[str, list[pd.DataFrame]]):
    true = expected({"running": 1.0, "precise": 0.5})
    for row, (contrast, parts) in enumerate(ghost_batch.CONTRASTS.items()):
        slope = sum(part * true[name] for name, part in parts.items())
        rows = pd.DataFrame([table.iloc[row] for table in hundred["harm"]])
        assert set(rows["contrast"]) == {contrast}
        assert rows["mean"].mean() == pytest.approx(slope, abs=0.002), contrast
        assert ((rows["low"] <= slope) & (slope <= rows["high"])).sum() >= 93, contrast
    assert true["running"] > 0.02


def test_where_nothing_was_planted_nothing_is_found_in_93_of_100_worlds(hundred: dict[str, list[pd.DataFrame]]):
    assert sum(not any(ghost_batch.claims(table).values()) for table in hundred["none"]) >= 93
    assert sum((table["p"] >= 0.05).all() for table in hundred["none"]) >= 93


@pytest.mark.parametrize(
    ("harm", "found"),
    [
        (
            {"running": 1, "own": 1, "precise": 1},
            {"harm", "learning", "own_repair!", "precise_repair!", "running_average!", "fixed_statistics!"},
        ),
        ({"running": 1}, {"harm", "own_repair", "precise_repair", "running_average"}),
        (
            {"running": 1, "precise": 1},
            {"harm", "own_repair", "precise_repair!", "running_average!", "fixed_statistics"},
        ),
        ({"running": 1, "precise": 0.5}, {"harm", "own_repair", "fixed_statistics"}),
        (
            {"running": 1, "own": 0.2, "precise": 0.2},
            {"harm", "learning", "own_repair", "precise_repair", "running_average"},
        ),
        ({"running": -1}, {"harm!", "own_repair!", "precise_repair!", "running_average!", "fixed_statistics!"}),
    ],
    ids=["in all", "in running ones", "in fixed ones", "half in precise ones", "a little in all", "good, not harm"],
)
def test_a_prediction_is_borne_out_where_its_effect_was_planted(harm: Mapping[str, float], found: set[str]):
    assert claims(harm, number=10) == found


@pytest.mark.parametrize(
    ("harm", "said", "unsaid"),
    [
        ({"running": -1}, ["There is no harm."], ["leave more than half"]),
        (
            {"running": 1, "precise": 1},
            ["Running average is contradicted. Precise statistics leave more", "Fixed statistics is borne out"],
            ["There is no harm.", "Own statistics leave"],
        ),
        (
            {"running": 1, "own": 1, "precise": 1},
            ["contradicted. Own statistics leave more than half of the harm. Precise statistics leave more"],
            ["There is no harm."],
        ),
    ],
)
def test_what_contradicts_a_prediction_is_said(harm: Mapping[str, float], said: list[str], unsaid: list[str]):
    resampled = ghost_batch.resample(runs(harm, number=10))
    found = ghost_batch.claims(ghost_batch.slopes(resampled))
    text = section("ghost-batch", {"claims": found, "numbers": numbers(resampled)})
    assert all(part in text for part in said), text
    assert not any(part in text for part in unsaid), text


def test_what_a_few_test_images_make_is_no_harm():
    table = runs({})  # of two images that only networks with the most images get right, in every seed
    table["wrong"] = [np.arange(2 if images < SIZES[-1] else 0) for images in table["ghost_batch_size"]]
    table["test_accuracy"] = [1 - len(wrong) / 400 for wrong in table["wrong"]]
    row = ghost_batch.slopes(ghost_batch.resample(table)).iloc[0]
    assert row["low"] < 0 < row["mean"]


def test_the_numbers_of_the_text_are_those_that_were_planted():
    resampled = ghost_batch.resample(runs({"running": 1.0}, number=10))
    found, errors = numbers(resampled), bootstrap.errors(resampled).set_index(["statistics", "images"])
    assert (found["fewest"], found["most"]) == ("1", "32")
    assert found["running_fewest"].startswith(f"{100 * errors.loc[('running', 1), 'mean']:.2f}\u00a0% [")
    slope = 100 * expected({"running": 1.0})["running"]
    assert float(found["running"].split(" ")[0]) == pytest.approx(slope, abs=0.5)
    assert found["running"].startswith("+")
    low, high = (float(end.replace("−", "-")) for end in found["own"].split("[")[1].strip("]").split(",\u00a0"))
    assert float(found["excluded_own"]) == max(-low, high)


def test_harm_with_one_image_alone_is_not_found_from_two_on():
    table = runs({})
    one = (table["ghost_batch_size"] == 1) & (table["norm_arg"] == "batch")
    table.loc[one, "wrong"] = table.loc[one, "wrong"].map(lambda wrong: np.union1d(wrong, np.arange(100)))
    table.loc[one, "test_accuracy"] = 1 - table.loc[one, "wrong"].map(len) / 400
    resampled = ghost_batch.resample(table)
    assert ghost_batch.slopes(resampled).iloc[0]["low"] > 0
    several = ghost_batch.slopes(resampled, fewest=2).iloc[0]
    assert several["low"] < 0 < several["high"]


def test_a_single_seed_has_neither_interval_nor_bound_nor_verdict():
    resampled = ghost_batch.resample(runs({"running": 1.0}, number=1))
    assert set(ghost_batch.claims(ghost_batch.slopes(resampled)).values()) == {None}
    found = numbers(resampled)
    assert (found["excluded_own"], "[" in found["running"]) == ("–", False)


def test_a_run_that_diverged_counts_as_guessing_however_it_is_evaluated():
    table = runs({}, number=2)
    table.loc[0, ["test_accuracy_own", "test_accuracy_precise"]] = np.nan
    table.loc[0, ["wrong", "wrong_own", "wrong_precise"]] = None
    table.loc[0, ["test_accuracy", "diverged"]] = 0.1, True
    errors = bootstrap.errors(ghost_batch.resample(table)).set_index(["statistics", "images"])["mean"]
    for name, end in ghost_batch.EVALUATIONS.items():
        other = table.query("seed == 1 and ghost_batch_size == 1")[f"test_accuracy{end}"].item()
        assert errors[name, 1] == pytest.approx(1 - (0.1 + other) / 2)


def test_the_published_numbers_have_the_gap_that_their_abstract_states():
    # "10.6 % lower error than its BN counterpart when using a batch size of 2", arXiv:1803.08494
    errors = PUBLISHED.set_index(["normalization", "batch_size"])["error"]
    assert errors["batch", 2] - errors["group", 2] == pytest.approx(0.106)


def test_the_table_has_a_row_a_number_of_images_and_theirs_beside_ours():
    table = ghost_batch.results(bootstrap.errors(ghost_batch.resample(runs({}))), PUBLISHED).set_index("images")
    assert list(table.index) == list(SIZES)
    assert list(table.columns) == ["running", "own", "precise", "Wu & He: batch", "Wu & He: group"]
    assert table.loc[2, ["Wu & He: batch", "Wu & He: group"]].tolist() == ["34.7", "24.1"]
    assert table.loc[1, "Wu & He: batch"] == "–"
    assert ghost_batch.shown(slopes({}))["slope"].tolist() == list(ghost_batch.CONTRASTS)


def test_the_figure_has_a_line_an_evaluation_and_a_flat_line_for_each_other_normalization():
    errors = bootstrap.errors(ghost_batch.resample(runs({})))
    (axis,) = ghost_batch.figure(errors).axes
    assert [bars.get_label() for bars in axis.containers] == ["batch, running", "batch, own", "batch, precise"]
    flat = [line for line in axis.lines if line.get_label() in ("layer", "group")]
    assert all(len(set(line.get_ydata())) == 1 for line in flat)
    assert len(flat) == 2
    assert "flat lines: layer " in ghost_batch.describe(errors)
