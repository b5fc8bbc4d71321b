"""Budget: what normalization's lead is, and what becomes of it, follows from the data, and so do the verdicts."""

import itertools
import math
from collections.abc import Mapping

import pandas as pd
import pytest

from normstudy.analysis import bootstrap
from normstudy.chapters import budget
from tests import planted

EPOCHS = (1, 4, 16)
NAMES = ("batch", "layer", "none")
FASTER = {"batch": (0.96, 0.98, 0.99), "layer": (0.95, 0.98, 0.99), "none": (0.85, 0.955, 0.99)}
Accuracies = Mapping[str, tuple[float, ...]]


def runs(accuracies: Accuracies) -> pd.DataFrame:
    """Runs with these accuracies after each number of epochs, on so many images that a small margin can be seen."""
    return planted.table(
        (
            {"norm_arg": name, "epochs": epochs, "test_accuracy": accuracies[name][number]}
            for name, (number, epochs) in itertools.product(NAMES, enumerate(EPOCHS))
        ),
        size=4000,
        spread=0.0003,
    )


def claims(table: pd.DataFrame) -> dict[str, bool | None]:
    resampled = budget.resample(table)
    return budget.claims(resampled, budget.leads(resampled), budget.shrinking(resampled))


def found(accuracies: Accuracies) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Errors, leads, and by how much they shrink."""
    resampled = budget.resample(runs(accuracies))
    return bootstrap.errors(resampled), budget.leads(resampled), budget.shrinking(resampled)


def test_a_planted_lead_is_found_with_its_sign_size_and_decrease():
    resampled = budget.resample(runs(FASTER))
    table = budget.leads(resampled).set_index(["normalization", "epochs"])
    assert table.loc[("batch", 1), "mean"] == pytest.approx(0.11, abs=0.002)
    assert table.loc[("batch", 1), "low"] < 0.11 < table.loc[("batch", 1), "high"]
    assert table.loc[("layer", 16), "p"] > 0.05
    shrunk = budget.shrinking(resampled).set_index("normalization")
    assert shrunk.loc["layer", "mean"] == pytest.approx(0.1, abs=0.002)
    assert shrunk.loc["layer", "p"] < 0.05


def test_what_was_predicted_holds_where_it_was_planted():
    assert claims(runs(FASTER)) == {"sooner": True, "closing": True, "same_end": True, "left": None}


@pytest.mark.parametrize(
    ("changed", "failing"),
    [
        ({"layer": (0.85, 0.955, 0.99)}, {"sooner": None, "closing": None, "left": None}),
        ({"layer": (0.80, 0.955, 0.99)}, {"sooner": False, "closing": False, "left": None}),
        ({"none": (0.85, 0.90, 0.95)}, {"same_end": False}),
        (
            {"none": (0.85, 0.86, 0.87), "batch": (0.96, 0.97, 0.98), "layer": (0.96, 0.97, 0.98)},
            {"closing": None, "same_end": False},
        ),
        ({"none": (0.85, 0.98, 0.996)}, {"same_end": False, "left": False}),
        ({"none": (0.85, 0.98, 0.993)}, {"same_end": None, "left": False}),
    ],
    ids=["no lead", "behind", "a lead remains", "the lead stays", "behind at the end", "a little behind at the end"],
)
def test_with_other_data_a_prediction_is_contradicted_or_left_open(
    changed: Accuracies, failing: dict[str, bool | None]
):
    holding = claims(runs(FASTER | changed))
    assert {name: holds for name, holds in holding.items() if not holds} == failing


def test_a_first_lead_is_corrected_for_the_normalizations_and_not_for_other_numbers_of_epochs():
    table = runs(FASTER | {"layer": (0.852, 0.98, 0.99)})  # p is 0.3, and 0.9 if all six were counted
    every, first = (budget.leads(budget.resample(part)) for part in (table, table[table["epochs"] == 1]))
    assert every.loc[every["epochs"] == 1, "p"].tolist() == pytest.approx(first["p"].tolist(), abs=0.1)


def test_without_enough_images_the_same_end_is_not_claimed():
    table = runs(FASTER)
    few = table.assign(wrong=[[image for image in wrong if image < 200] for wrong in table["wrong"]], test_images=200)
    assert claims(few)["same_end"] is None


@pytest.mark.parametrize(
    ("none", "epochs", "said"),
    [
        ((0.85, 0.98, 0.99), [4, 4], "4"),
        ((0.85, 0.955, 0.99), [16, 4], "4 to 16"),
        ((0.85, 0.86, 0.87), [math.inf, math.inf], "more than 16"),
    ],
)
def test_how_long_it_takes_to_make_up_for_a_lead(none: tuple[float, ...], epochs: list[float], said: str):
    errors, leads, shrinking = found(FASTER | {"none": none})
    assert budget.made_up(errors) == epochs
    assert budget.numbers(errors, leads, shrinking, [])["made_up"] == said


def test_the_numbers_of_the_text_are_those_that_were_planted():
    numbers = budget.numbers(*found(FASTER), [])
    assert (numbers["fewest"], numbers["most"]) == ("1 epoch", "16 epochs")
    planted_leads = {"sooner_least": 10, "sooner_most": 11, "closing_least": 10, "closing_most": 11, "same_end_most": 0}
    for name, value in planted_leads.items():
        assert float(numbers[name].split()[0].replace("−", "-")) == pytest.approx(value, abs=0.2)
    assert numbers["sooner_least"].endswith("] (layer)")
    assert numbers["none_fewest"].startswith(("15.0", "14.9"))
    assert float(numbers["furthest"]) < 0.3


def test_after_the_most_epochs_those_that_normalize_are_compared():
    table = bootstrap.pairs_at_most(runs(FASTER | {"layer": (0.95, 0.98, 0.97)}), "epochs")
    assert table[["first", "second"]].to_numpy().tolist() == [["batch", "layer"]]
    assert table["mean"].item() == pytest.approx(0.02, abs=0.002)


def test_the_table_and_the_figure_have_every_normalization_and_number_of_epochs():
    table, ahead, shrinking = found(FASTER)
    assert list(budget.shown(table).columns) == ["epochs", *NAMES]
    assert budget.shown(table)["epochs"].tolist() == list(EPOCHS)
    leads = budget.shown_leads(table, ahead, shrinking).set_index("normalization")
    assert leads.loc["batch", "lead after 1"].endswith("\u00a0*")
    assert leads.loc["batch", "without"] == "16"
    assert not leads["lead after 16"].str.endswith("*").any()
    above, below = budget.figure(table, ahead).axes
    assert [container.get_label() for container in above.containers] == list(NAMES)
    assert [container.get_label() for container in below.containers] == ["batch", "layer"]
    described = budget.describe(table, ahead)
    assert "none 15.00 at 1" in described
    assert "batch 11.0" in described


def test_a_lead_that_takes_away_the_same_share_of_mistakes_does_not_shrink_in_odds():
    half = {"batch": (0.95, 0.975, 0.995), "layer": (0.95, 0.99, 0.99), "none": (0.9, 0.95, 0.99)}
    table = runs(half)
    assert claims(table)["closing"] is True
    assert budget.shrinking_in_odds(budget.resample(table), table) == ["layer"]
    assert budget.numbers(*found(half), ["layer"])["in_odds"] == "layer"
    assert budget.numbers(*found(half), [])["in_odds"] == "none of them"
