"""The factorial's report: what is said follows from the data, and noise is called noise."""

from pathlib import Path

import pandas as pd
import pytest

from normstudy.analysis import effects
from normstudy.chapters import factorial
from tests.commands import ROOT
from tests.factorials import factorial as invented
from tests.factorials import planted_on

CELLS = {"batch": ("batch", "L1 + L2"), "layer": ("layer", "L2"), "group": ("group", "L1")}


def runs(planted: dict[tuple[str, str], float] | None = None, noise: float = 0.001, draw: int = 0) -> pd.DataFrame:
    """A factorial with the planted effects, whose penalties act on the weights."""
    table = invented(planted, seeds=6, noise=noise, draw=draw)
    table["weights_near_zero"] = 0.01 + 0.1 * (table["l1"] > 0) + 0.001 * table["seed"]
    table["weights_l2"] = 100 - 40 * (table["l2"] > 0) + table["seed"]
    return table.assign(test_images=1000, wrong=[[1, 2] if seed else [1] for seed in table["seed"]])


def test_the_studys_variants_are_read_from_its_parameter_files():
    assert factorial.assigned(ROOT / "params") == CELLS


def test_an_assignment_follows_its_file(tmp_path: Path):
    for name in CELLS:
        (tmp_path / f"{name}.yaml").write_text(f"norm_arg: {name}\nl2: 0.1\n")
    assert factorial.assigned(tmp_path)["group"] == ("group", "L2")


def test_the_table_has_every_combination_with_both_intervals():
    table = factorial.results(runs())
    assert len(table) == 20
    assert len(table[["normalization", "penalty"]].drop_duplicates()) == 20
    for low, high in (("low", "high"), ("images_low", "images_high")):
        assert ((table[low] <= table["accuracy"]) & (table["accuracy"] <= table[high])).all()
    shown = factorial.shown_results(table)
    accuracy = shown["mean (%)"].astype(float)
    for column in ("over the seeds", "over images"):
        bounds = shown[column].str.split("\u00a0to\u00a0", expand=True).astype(float)
        assert ((bounds[0] <= accuracy) & (accuracy <= bounds[1])).all()


def test_a_planted_difference_is_laid_to_what_was_planted():
    planted = planted_on(batch=0.01) | {("none", "L1"): -0.004}
    said = factorial.findings(runs(planted), CELLS)
    assert any(
        "normalization `batch` moves test accuracy from the mean of all by +0.8" in sentence for sentence in said
    )
    (one,) = [sentence for sentence in said if "batch minus layer" in sentence]
    assert ", more than chance would give" in one
    table = effects.decomposition(runs(planted), "test_accuracy", CELLS)
    means = table[(table["first"] == "batch") & (table["second"] == "layer")].set_index("source")["mean"]
    assert means["normalization"] == pytest.approx(0.01, abs=0.001)
    assert means["penalty"] == pytest.approx(0, abs=0.001)
    shown = factorial.shown_parts(table).set_index("difference").loc["batch − layer"]
    assert shown["normalization"].startswith("+1.0")


def test_where_nothing_was_planted_nothing_is_found():
    said = factorial.findings(runs(), CELLS)
    assert any(
        sentence.startswith("For normalization") and "cannot be told from chance" in sentence for sentence in said
    )
    assert any(sentence.startswith("For penalty") and "cannot be told from chance" in sentence for sentence in said)
    assert any("none of the 6 pairs of normalizations differ in" in sentence for sentence in said)
    assert sum("), which cannot be told from chance: " in sentence for sentence in said) == 3


def test_it_is_said_that_the_penalties_act_only_if_they_do():
    said = factorial.findings(runs(), CELLS)
    assert any("normalizations, L1 alone changes" in sentence and "It acts" in sentence for sentence in said)
    assert any("near zero from 1.2 to 11.2\u00a0% (" in sentence for sentence in said)
    idle = runs().assign(weights_near_zero=0.01)
    said = factorial.findings(idle, CELLS)
    assert any("L1 alone" in sentence and "That it acts is not shown" in sentence for sentence in said)


def test_images_that_every_run_misclassifies_are_counted():
    assert factorial.findings(runs(), CELLS)[-1] == (
        "Of the 1,000 test images, 2 are misclassified in at least one of the 120 runs that trained, 2 in more than "
        "half of them, and 1 in every one."
    )


def test_diverged_runs_are_counted_as_such():
    table = runs()
    table.loc[:2, "diverged"] = True
    guessing = "they count as guessing, and are left out where mistakes are compared image by image."
    assert f"3 of the 120 runs diverged; {guessing}" in factorial.findings(table, CELLS)
    assert f"All 120 runs diverged; {guessing}" in factorial.findings(table.assign(diverged=True), CELLS)


def test_the_penalties_are_said_with_their_factors_and_those_of_the_variants():
    table = runs().assign(l1=lambda rows: 1e-4 * (rows["l1"] > 0), l2=lambda rows: 1.5e-3 * (rows["l2"] > 0))
    assert factorial.strengths(table, ROOT / "params") == (
        "The factor of L1 is 0.0001 here, and 3×10⁻⁵ in the study's variants. "
        "The factor of L2 is 0.0015 here, and 0.0005 in the study's variants."
    )


def test_effects_are_told_in_the_order_of_the_study_whatever_their_size():
    planted = planted_on(group=0.01, layer=0.03, batch=0.005)
    said = [
        sentence for sentence in factorial.findings(runs(planted), CELLS) if "the penalties, normalization" in sentence
    ]
    names = [sentence.split("`")[1] for sentence in said]
    assert [name for name in names if name in CELLS] == list(CELLS)


def test_a_single_seed_is_not_said_to_show_anything():
    said = factorial.findings(runs()[lambda rows: rows["seed"] == 0], CELLS)
    assert not any("more than chance would give" in sentence for sentence in said if "none of the 6" not in sentence)
    assert sum("which a single seed cannot tell from chance" in sentence for sentence in said) == 3


def test_variants_of_which_one_always_diverged_are_not_compared_image_by_image():
    table = runs()
    of_layer = (table["normalization"] == "layer") & (table["penalty"] == "L2")
    table["wrong"] = table["wrong"].where(~of_layer, None)
    shown = factorial.shown_wrong(factorial.wrong(table, CELLS)).set_index(["first", "second"])
    assert set(shown.loc[("batch", "layer")]) == {"–", 0}
    assert shown.loc[("batch", "group"), "seeds"] == 6


def test_the_figure_has_a_mark_for_each_normalization_at_each_penalty():
    drawn = factorial.figure(runs())
    for axis in drawn.axes:
        assert [len(container[0].get_xdata()) for container in axis.containers] == [4] * 5
    assert factorial.describe(runs()).count(" with ") == 20 + 1


class TestParts:
    def test_add_up_to_the_whole(self):
        table = effects.decomposition(runs(planted_on(group=0.01), noise=0.01), "test_accuracy", CELLS)
        for _, part in table.groupby(["first", "second"]):
            means = part.set_index("source")["mean"]
            assert means.drop("all").sum() == pytest.approx(means["all"])

    def test_an_interaction_is_neither_normalization_nor_penalty(self):
        table = effects.decomposition(
            runs({("batch", "L1 + L2"): 0.02, ("batch", "none"): -0.02}, noise=1e-5), "test_accuracy", CELLS
        )
        means = table[(table["first"] == "batch") & (table["second"] == "group")].set_index("source")["mean"]
        assert means["all"] == pytest.approx(0.02, abs=1e-4)
        assert means["normalization"] == pytest.approx(0, abs=1e-4)
        assert means["penalty"] == pytest.approx(0.004, abs=1e-4)
        assert means["interaction"] == pytest.approx(0.016, abs=1e-4)
