"""Statistics of fewer images: each prediction is borne out where its effect was planted, and only there."""

import numpy as np
import pandas as pd
import pytest

from normstudy.analysis import inference
from normstudy.chapters import ghost_batch
from tests.commands import ROOT

PUBLISHED = pd.read_csv(ROOT / "report" / "results" / "wu-he-2018.csv")
SIZES = (1, 2, 4, 8, 16, 32)
IMAGES = 500
SLOPE = 0.01  # of what is planted: an error lower by a point for each doubling of the images


def runs(steep: str = "", precise: float = 0.0, seed: int = 0, seeds: int = 5) -> pd.DataFrame:
    """Runs of batch normalization by the images that share statistics, and of two others.

    Args:
        steep: those evaluations, by their statistics, whose error falls by `SLOPE` with each doubling.
        precise: the same of precise statistics, as a part of `SLOPE`.
        seed: of the noise, which is 0.2 points.
        seeds: the number of runs of each kind.
    """
    generator, rows = np.random.default_rng(seed), []
    for number in range(seeds):
        common = {"seed": number, "epoch": 1, "test_loss": 0.1, "l1": 0.0, "l2": 0.0}
        for images in SIZES:
            row = common | {"run": len(rows), "norm_arg": "batch", "ghost_batch_size": images}
            for name, column in ghost_batch.COLUMNS.items():
                slope = SLOPE * (precise if name == "precise" and precise else float(name in steep))
                row[column] = 0.9 + slope * np.log2(images) + generator.normal(0, 0.002)
            rows.append(row | _tested(row["test_accuracy"], generator))
        for name in ("layer", "group"):
            row = {"run": len(rows), "norm_arg": name, "ghost_batch_size": 0}
            rows.append(common | row | {"test_accuracy": 0.95 + generator.normal(0, 0.002)})
    return inference.last_epochs(pd.DataFrame(rows))


def _tested(accuracy: float, generator: np.random.Generator) -> dict[str, object]:
    """Which images a run gets wrong, and the accuracy that goes with them."""
    wrong = generator.choice(IMAGES, round(IMAGES * (1 - accuracy)), replace=False)
    return {"wrong": wrong, "test_images": IMAGES, "test_accuracy": 1 - len(wrong) / IMAGES}


def claims(**planted: object) -> set[str]:
    """Which claims hold, and with an exclamation mark those that do not; those left open are not named."""
    found = ghost_batch.claims(runs(**planted))
    return {name if holds else f"{name}!" for name, holds in found.items() if holds is not None}


def test_a_planted_slope_is_found_with_its_sign_size_and_interval():
    table = ghost_batch.contrasts(runs(steep="running")).set_index("contrast")
    for contrast in ("running", "running − own", "running − precise"):
        row = table.loc[contrast]
        assert row["mean"] == pytest.approx(-SLOPE, abs=0.001)
        assert row["low"] < -SLOPE < row["high"] < 0
    assert table.loc["own", "low"] < 0 < table.loc["own", "high"]
    assert table.loc["own", "excluded"] < SLOPE / 4


@pytest.mark.parametrize(
    ("planted", "expected"),
    [
        ({"steep": "running own precise"}, {"harm", "learning"}),
        ({"steep": "running"}, {"harm", "running_average"}),
        ({"steep": "running precise"}, {"harm", "running_average!", "fixed_statistics"}),
        ({"steep": "running", "precise": 0.5}, {"harm", "running_average!", "fixed_statistics"}),
    ],
)
def test_a_prediction_is_borne_out_where_its_effect_was_planted(planted: dict[str, object], expected: set[str]):
    assert claims(**planted) == expected


def test_where_nothing_was_planted_nothing_is_found_in_93_of_100_draws():
    assert sum(not claims(seed=seed) for seed in range(100)) >= 93


def test_what_a_few_test_images_make_is_no_harm():
    table = runs()  # of two images that only networks with the most images get right, in every seed
    table["wrong"] = [np.arange(2 if images < SIZES[-1] else 0) for images in table["ghost_batch_size"]]
    table["test_accuracy"] = [1 - len(wrong) / IMAGES for wrong in table["wrong"]]
    assert ghost_batch.contrasts(table).set_index("contrast").loc["running", "high"] < 0
    assert ghost_batch.over_images(table)["high"] > 0
    assert not ghost_batch.claims(table)["harm"]


def test_more_error_with_more_images_is_no_harm_of_fewer():
    table = runs()
    table.loc[table["norm_arg"] == "batch", "test_accuracy"] -= SLOPE * np.log2(table["ghost_batch_size"].clip(1))
    assert not any(ghost_batch.claims(table).values())


def test_the_answer_names_each_prediction_and_its_verdict():
    (harm, learning, others, excluded) = ghost_batch.answer(runs(steep="running"))
    assert "changes by −1.0" in harm or "changes by −0.9" in harm
    assert "over seeds and test images together: −1." in harm
    assert harm.endswith("That fewer images do harm is borne out.")
    assert learning.startswith("**Learning** is left open: with own statistics")
    assert others.startswith("**Running average** is borne out, **fixed statistics** is left open")
    assert "a change of more than 0." in excluded
    assert ", and, from two images on, of more than 1." in excluded


def test_without_an_effect_the_answer_says_what_is_excluded():
    said = ghost_batch.answer(runs())
    assert not any("borne out" in sentence for sentence in said)
    assert "a change of more than 0." in said[-1]
    assert "from two images on, of more than 0." in said[-1]


def test_a_single_seed_has_neither_interval_nor_bound_nor_verdict():
    said = ghost_batch.answer(runs(steep="running", seeds=1))
    assert len(said) == 3
    assert "(a single seed)" in said[0]
    assert not any("nan" in sentence or "borne out" in sentence for sentence in said)


def test_a_run_that_diverged_counts_as_guessing_however_it_is_evaluated():
    table = runs()
    first = table.index[table["norm_arg"] == "batch"][0]
    table.loc[first, ["test_accuracy_own", "test_accuracy_precise"]] = np.nan
    table.loc[first, "diverged"] = True
    assert ghost_batch.evaluated(table).groupby("statistics")["error"].max().tolist() == [pytest.approx(0.9)] * 3


def test_the_published_numbers_have_the_gap_that_their_abstract_states():
    # "10.6 % lower error than its BN counterpart when using a batch size of 2", arXiv:1803.08494
    errors = PUBLISHED.set_index(["normalization", "batch_size"])["error"]
    assert errors["batch", 2] - errors["group", 2] == pytest.approx(0.106)


def test_the_table_has_a_row_a_number_of_images_and_theirs_beside_ours():
    table = ghost_batch.results(runs(), PUBLISHED).set_index("images")
    assert list(table.index) == list(SIZES)
    assert list(table.columns) == ["running", "own", "precise", "Wu & He: batch", "Wu & He: group"]
    assert table.loc[2, ["Wu & He: batch", "Wu & He: group"]].tolist() == ["34.7", "24.1"]
    assert table.loc[1, "Wu & He: batch"] == "–"


def test_the_figure_has_a_line_an_evaluation_and_a_flat_line_for_each_other_normalization():
    (axis,) = ghost_batch.figure(runs()).axes
    assert [bars.get_label() for bars in axis.containers] == ["batch, running", "batch, own", "batch, precise"]
    flat = [line for line in axis.lines if line.get_label() in ("layer", "group")]
    assert all(len(set(line.get_ydata())) == 1 for line in flat)
    assert len(flat) == 2
    assert "flat lines: layer 5.0" in ghost_batch.describe(runs())
