"""The factorial's report: what is said follows from the data, and noise is called noise."""

import re
from pathlib import Path

import pandas as pd

from normstudy.analysis import effects
from normstudy.chapters import factorial
from tests.commands import ROOT
from tests.factorials import LEVELS, planted_on
from tests.factorials import factorial as invented
from tests.wordings import section

CELLS = {"batch": ("batch", "L1 + L2"), "layer": ("layer", "L2"), "group": ("group", "L1")}
IMAGES = 10_000
NORMALIZING = ("batch", "layer", "group", "instance")


def runs(planted: dict[tuple[str, str], float] | None = None, noise: float = 0.001, draw: int = 0) -> pd.DataFrame:
    """A factorial with the effects planted on the accuracy, the opposite on the loss, and penalties that act."""
    table = invented(planted, seeds=6, noise=noise, draw=draw)
    table["weights_near_zero"] = 0.01 + 0.1 * (table["l1"] > 0) + 0.001 * table["seed"]
    table["weights_l2"] = 100 - 40 * (table["l2"] > 0) + table["seed"]
    return with_mistakes(table)


def with_mistakes(table: pd.DataFrame) -> pd.DataFrame:
    """A table of runs with the number of mistakes that its accuracies say: the hardest images, for every network."""
    numbers = ((1 - table["test_accuracy"]) * IMAGES).round().astype(int)
    return table.assign(test_images=IMAGES, wrong=[list(range(number)) for number in numbers])


def contrasts(table: pd.DataFrame) -> pd.DataFrame:
    return factorial.in_all(table, lambda find: effects.contrasts(table, find))


def parts(table: pd.DataFrame) -> pd.DataFrame:
    return factorial.in_all(table, lambda find: effects.decomposition(CELLS, find))


def predictions(table: pd.DataFrame) -> dict[str, dict[str, bool | None]]:
    return factorial.predictions(contrasts(table), parts(table))


def said(table: pd.DataFrame) -> str:
    """What the section says of a table of runs."""
    tables = contrasts(table), parts(table)
    strengths = factorial.strengths(table, ROOT / "params")
    claims = factorial.concluded(table, *tables) | {"as_studied": factorial.as_studied(strengths)}
    return section("factorial", {"claims": claims, "numbers": factorial.numbers(table, *tables) | strengths})


def test_the_studys_variants_are_read_from_its_parameter_files():
    assert factorial.assigned(ROOT / "params") == CELLS


def test_an_assignment_follows_its_file(tmp_path: Path):
    for name in CELLS:
        (tmp_path / f"{name}.yaml").write_text(f"norm_arg: {name}\nl2: 0.1\n")
    assert factorial.assigned(tmp_path)["group"] == ("group", "L2")


def test_the_table_has_every_combination_with_its_intervals_over_the_seeds():
    table = factorial.results(runs())
    assert len(table[["normalization", "penalty"]].drop_duplicates()) == len(table) == 20
    for name in ("loss", "accuracy"):
        assert ((table[f"{name}_low"] < table[name]) & (table[name] < table[f"{name}_high"])).all()
    assert list(factorial.shown_results(table)["normalization"].unique()) == [*NORMALIZING, "none"]


class TestPredictions:
    def test_are_borne_out_where_normalization_gains_and_penalties_cost(self):
        costs = {(name, kind): -0.01 for name in NORMALIZING for kind in ("L1", "L2", "L1 + L2")}
        text = said(runs(planted_on(none=-0.1) | costs))
        assert "Fewer mistakes is borne out: every normalization lowers the odds of a mistake. The lowest" in text
        assert re.search(r"0\.3\d \[0\.\d\d, 0\.\d\d\] times those of none; the highest", text)
        assert "Which is borne out: those that normalize are closer" in text
        assert "; the odds tell none of the 6 pairs apart" in text
        assert "Penalty is borne out: each penalty raises the odds. With normalization" in text
        assert re.search(r"L1 multiplies the odds by 1\.2\d \[", text)

    def test_are_left_open_where_nothing_was_planted(self):
        found = predictions(runs())
        assert {value for cases in found.values() for value in cases.values()} == {None}
        text = said(runs())
        assert "Fewer mistakes is left open with batch, layer, group and instance. The lowest" in text
        assert "Which is left open: chance may hide" in text
        assert "Penalty is left open with L1, L2 and L1 + L2. With normalization, L1 multiplies" in text
        assert "Owed to the penalty is left open for batch beside layer, batch beside group and layer beside" in text

    def test_are_contradicted_where_the_opposite_was_planted(self):
        table = runs(planted_on(batch=-0.02, layer=0.02))
        found = predictions(table)
        assert found["whether"] == {"batch": False, "layer": True, "group": None, "instance": None}
        assert found["which"] == {"pairs": False}
        text = said(table)
        assert (
            "Fewer mistakes is contradicted with batch, where the odds of a mistake are higher than with none. It"
            in text
        )
        assert "borne out with layer, and left open with group and instance." in text
        assert "Which is contradicted: some that normalize are further apart" in text
        costs_nothing = {(name, "L1"): 0.02 for name in NORMALIZING}
        assert "Penalty is contradicted with L1, where the odds are lower than without." in said(runs(costs_nothing))

    def test_lay_a_difference_to_what_was_planted(self):
        of_penalty = runs({(name, "L1 + L2"): -0.03 for name in NORMALIZING})
        owed = predictions(of_penalty)["owed"]
        assert owed == {"batch beside layer": True, "batch beside group": True, "layer beside group": None}
        text = said(of_penalty)
        assert (
            "Owed to the penalty is left open for layer beside group, and borne out for batch beside layer and batch"
            in text
        )
        assert re.search(r"of a factor of 1\.6\d .*?, (0\.9|1\.0)\d .*? is the normalization’s and 1\.6\d", text)
        text = said(runs(planted_on(batch=0.03)))
        assert (
            "Owed to the penalty is contradicted for batch beside layer and batch beside group, where the normal"
            in text
        )
        every = {(name, kind): 0.01 * (kind == "L2") - 0.03 * (kind == "L1 + L2") for name, kind in LEVELS}
        assert "Owed to the penalty is borne out: in each comparison" in said(runs(every))


def test_the_parts_stand_beside_the_whole_in_every_outcome():
    shown = factorial.shown(parts(runs(planted_on(batch=0.01))))
    assert list(shown["part"]) == ["whole", "normalization", "penalty", "penalty last − first"] * 3
    row = shown.iloc[1]
    assert row["odds of a mistake, times"].startswith("0.7")
    assert (row["loss"][:4], row["accuracy (points)"][:3]) == ("−0.0", "+1.")


def test_contrasts_name_penalties_as_such():
    shown = factorial.shown(contrasts(runs()))["difference"]
    assert list(shown[:4]) == [f"{name} − none" for name in NORMALIZING]
    assert list(shown[-3:]) == [f"penalty {kind} − none" for kind in ("L1", "L2", "L1 + L2")]


def test_it_is_said_that_the_penalties_act_only_if_they_do():
    acting = "networks that normalize: L1 alone takes the share of weights near zero from 1.2 to 11.2 %, L2 alone"
    assert acting in said(runs())
    assert "networks that normalize is not shown: L1" in said(runs().assign(weights_near_zero=0.01))


def test_what_penalties_do_to_weights_is_not_that_without_normalization():
    table = runs()
    table.loc[table["normalization"] == "none", "weights_near_zero"] = 0.9
    assert factorial.acts(table)[1]["L1_with"] == "11.2"


def test_images_that_every_run_misclassifies_are_counted():
    table = runs().assign(test_images=1000, wrong=lambda rows: [[1, 2] if seed else [1] for seed in rows["seed"]])
    counted = {"images": "1,000", "any": "2", "trained": "120", "half": "2", "every": "1"}
    assert factorial.hardest(table) == counted


def test_diverged_runs_are_counted_as_such():
    table = runs()
    table.loc[:2, "diverged"] = True
    assert "A run that diverges counts as guessing; 3 of the 120 runs did." in said(table)
    assert "counts as guessing; none of the 120 runs did." in said(runs())


def test_the_penalties_are_said_with_their_factors_and_those_of_the_variants():
    table = runs().assign(l1=lambda rows: 1e-4 * (rows["l1"] > 0), l2=lambda rows: 5e-4 * (rows["l2"] > 0))
    assert "The factor of L1 is 0.0001 here and 3×10⁻⁵ in the study’s variants, that of L2 0.0005 and 0.0005." in said(
        table
    )


def test_the_penalties_of_the_variants_are_said_to_be_theirs():
    table = runs().assign(l1=lambda rows: 3e-5 * (rows["l1"] > 0), l2=lambda rows: 5e-4 * (rows["l2"] > 0))
    assert "The factors of the penalties are those of the study’s variants, 3×10⁻⁵ for L1 and 0.0005 for L2." in said(
        table
    )


def test_a_single_seed_is_not_said_to_show_anything():
    one = runs()[lambda rows: rows["seed"] == 0]
    assert {value for cases in predictions(one).values() for value in cases.values()} == {None}
    assert "nan" not in said(one)


def test_without_the_network_that_does_not_normalize_nothing_is_compared_with_it():
    table = runs()[lambda rows: rows["normalization"] != "none"]
    table["normalization"] = table["normalization"].cat.remove_unused_categories()
    found = predictions(table)
    assert found["whether"] == {}
    assert len(found["penalty"]) == 3
    assert "Fewer mistakes is left open" in said(table)


def test_the_figure_has_a_mark_for_each_difference_in_groups_and_says_its_numbers():
    tables = [each(runs(planted_on(none=-0.1))) for each in (contrasts, parts)]
    (axis,) = factorial.figure(*tables).axes
    labels = [label.get_text() for label in axis.get_yticklabels()]
    assert labels[:6] == ["Normalization, beside none", *NORMALIZING, "Penalty, beside none"]
    assert labels[-4:] == ["Layer, beside group", "whole", "its normalization", "its penalty"]
    assert len(axis.containers) == 4 + 3 + 3 * 3
    assert axis.get_xscale() == "log"
    words = factorial.describe(*tables)
    assert words.count("\u00a0to\u00a0") == 16
    assert "Normalization, beside none: batch 0.3" in words
