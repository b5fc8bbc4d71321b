"""The factorial's report: what is said follows from the data, and noise is called noise."""

from pathlib import Path

import pandas as pd

from normstudy.analysis import effects
from normstudy.chapters import factorial
from tests.commands import ROOT
from tests.factorials import factorial as invented
from tests.factorials import planted_on

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


def answer(table: pd.DataFrame) -> list[str]:
    return factorial.answer(table, contrasts(table), parts(table))


def answered(name: str, table: pd.DataFrame) -> list[str]:
    """What is said of a prediction."""
    return [sentence for sentence in answer(table) if sentence.startswith(f"**{name}**")]


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
        table = runs(planted_on(none=-0.1) | costs)
        assert "**Whether** is borne out: beside `none`, the odds of a mistake are 0.3" in answered("Whether", table)[0]
        assert "**Which** is borne out: of those that normalize, none of the 6 pairs can" in answered("Which", table)[0]
        assert "**Penalty** is borne out: " in answered("Penalty", table)[0]
        assert "1.2" in answered("Penalty", table)[0]

    def test_are_left_open_where_nothing_was_planted(self):
        for name in ("Whether", "Penalty"):
            assert answered(name, runs())[0].startswith(f"**{name}** is left open: ")
        assert "**Which** is not borne out" in answered("Which", runs())[0]
        assert all("is left open for" in sentence for sentence in answered("Owed", runs()))

    def test_are_contradicted_where_the_opposite_was_planted(self):
        said = answered("Whether", runs(planted_on(batch=-0.02, layer=0.02)))[0]
        assert "borne out for `layer`" in said
        assert "contradicted for `batch`" in said
        assert "left open for `group` and `instance`" in said

    def test_lay_a_difference_to_what_was_planted(self):
        of_penalty = {(name, "L1 + L2"): -0.03 for name in NORMALIZING}
        said = answered("Owed", runs(of_penalty))
        assert said[0].startswith("**Owed** is borne out for batch over layer: of a factor 1.6")
        assert said[2].startswith("**Owed** is left open for layer over group: ")
        said = answered("Owed", runs(planted_on(batch=0.03)))
        assert said[0].startswith("**Owed** is contradicted for batch over layer: of a factor 0.3")


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
    said = answer(runs())
    assert any(sentence.startswith("L1 acts: alone it changes") for sentence in said)
    assert any("near zero from 1.2 to 11.2\u00a0%, on average" in sentence for sentence in said)
    idle = runs().assign(weights_near_zero=0.01)
    assert any(sentence.startswith("L1 is not shown to act") for sentence in answer(idle))


def test_images_that_every_run_misclassifies_are_counted():
    table = runs().assign(test_images=1000, wrong=lambda rows: [[1, 2] if seed else [1] for seed in rows["seed"]])
    assert factorial.hardest(table) == (
        "Of the 1,000 test images, 2 are misclassified in at least one of the 120 runs that trained, 2 in more than "
        "half of them, and 1 in every one."
    )


def test_diverged_runs_are_counted_as_such():
    table = runs()
    table.loc[:2, "diverged"] = True
    assert answer(table)[-1] == "3 of the 120 runs diverged and count as guessing."
    assert answer(runs())[-1].startswith("L2 acts")


def test_the_penalties_are_said_with_their_factors_and_those_of_the_variants():
    table = runs().assign(l1=lambda rows: 1e-4 * (rows["l1"] > 0), l2=lambda rows: 5e-4 * (rows["l2"] > 0))
    assert factorial.strengths(table, ROOT / "params") == (
        "The factor of L1 is 0.0001 here, and 3×10⁻⁵ in the study's variants. "
        "The factor of L2 is 0.0005 here, as in the study's variants."
    )


def test_a_single_seed_is_not_said_to_show_anything():
    said = answer(runs()[lambda rows: rows["seed"] == 0])
    assert not any("borne out" in sentence for sentence in said if "not borne out" not in sentence)
    assert not any("contradicted" in sentence or "nan" in sentence for sentence in said)


def test_without_the_network_that_does_not_normalize_nothing_is_compared_with_it():
    table = runs()[lambda rows: rows["normalization"] != "none"]
    table["normalization"] = table["normalization"].cat.remove_unused_categories()
    assert not answered("Whether", table)
    assert answered("Penalty", table)


def test_the_figure_has_a_mark_for_each_normalization_at_each_penalty():
    drawn = factorial.figure(runs())
    for axis in drawn.axes:
        assert [len(container[0].get_xdata()) for container in axis.containers] == [4] * 5
    assert factorial.describe(runs()).count(" with ") == 20 + 1
