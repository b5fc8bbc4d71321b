"""The one list of normalizations: everything that knows them knows them from it, and none is lost on the way."""

import subprocess
import sys

import pandas as pd
import pytest

from normstudy import model, normalizations, statistics
from normstudy.analysis import inference
from normstudy.display import figures
from normstudy.experiments import parameters
from normstudy.normalizations import NORMALIZATIONS, NORMALIZING
from tests.commands import ROOT


def test_it_comes_in_the_order_of_the_study():
    assert list(NORMALIZATIONS) == ["batch", "layer", "group", "instance", "rms", "position", "none"]
    assert list(NORMALIZATIONS)[:3] == list(parameters.VARIANTS)


@pytest.mark.parametrize("name", NORMALIZATIONS)
def test_each_can_be_asked_for_built_and_drawn(name: str):
    assert parameters.check({"norm_arg": name}) == {"norm_arg": name}
    assert model.Net(name)
    assert figures.look(name)["label"] == name


def test_no_other_can_be_asked_for_or_built():
    with pytest.raises(parameters.ParameterError, match="'batch', 'layer', 'group', 'instance'"):
        parameters.check({"norm_arg": "lrn"})
    with pytest.raises(ValueError, match=f"it must be one of {', '.join(NORMALIZATIONS)}$"):
        model.Net("lrn")


def test_all_but_none_normalize():
    assert tuple(name for name in NORMALIZATIONS if name != "none") == NORMALIZING


def test_what_shares_is_what_a_count_leaves():
    assert {name: NORMALIZATIONS[name].size for name in NORMALIZING} == {
        "batch": "N·H·W",
        "layer": "C·H·W",
        "group": "C/G·H·W",
        "instance": "H·W",
        "rms": "C·H·W",
        "position": "C",
    }


def test_no_colour_is_typed_again_for_the_page():
    for file in (ROOT / "report" / "interactive").iterdir():
        text = file.read_text(encoding="utf-8").lower()
        assert not [each.name for each in NORMALIZATIONS.values() if each.colour.lower() in text], file


def test_the_letters_of_a_count_give_the_number_of_sets():
    shape = (3, 8, 2, 2)
    for name in NORMALIZING:
        sets = statistics.sharing_sets(shape, name, groups=4)
        assert statistics.count(shape, name, groups=4) == sets.max() + 1 == len(sets.unique())


def test_names_are_put_in_order_each_once():
    assert normalizations.ordered(["none", "group", "batch", "group"]) == ["batch", "group", "none"]


def test_an_unknown_name_is_refused_with_those_that_are_known():
    with pytest.raises(ValueError, match=f"'lrn' is not a normalization; there are {', '.join(NORMALIZATIONS)}"):
        normalizations.ordered(["batch", "lrn"])


def runs_of(*names: str) -> pd.DataFrame:
    """One epoch of one run of each normalization."""
    return pd.DataFrame({"run": range(len(names)), "epoch": 1, "norm_arg": names, "seed": 0, "l1": 0.0, "l2": 0.0,
                         "test_accuracy": 0.9, "test_loss": 0.1})  # fmt: skip


def test_no_run_is_lost_from_a_table_whatever_its_normalization():
    runs = inference.last_epochs(runs_of(*reversed(NORMALIZATIONS)))
    assert runs["normalization"].astype(str).tolist() == list(reversed(NORMALIZATIONS))
    assert list(inference.summary(runs, ["normalization"], "test_accuracy")["normalization"]) == list(NORMALIZATIONS)


def test_a_run_with_an_unknown_normalization_is_refused_and_not_lost():
    with pytest.raises(ValueError, match="'lrn' is not a normalization"):
        inference.last_epochs(runs_of("batch", "lrn"))


def test_the_list_can_be_read_without_torch():
    code = "import sys, normstudy.normalizations; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
