"""Budget: what normalization's lead is, and what becomes of it, follows from the data, and so do the verdicts."""

import itertools
from collections.abc import Mapping

import pandas as pd
import pytest

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


def claims(accuracies: Accuracies) -> dict[str, bool | None]:
    return budget.claims(budget.resample(runs(accuracies)))


def answer(accuracies: Accuracies) -> list[str]:
    table = runs(accuracies)
    return budget.answer(table, budget.resample(table))


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
    assert claims(FASTER) == {"sooner": True, "closing": True, "same_end": True}
    first, second, third, made_up, *_ = answer(FASTER)
    assert first.startswith("**Sooner** is borne out: after 1 epoch, the accuracy with normalization minus that")
    assert first.endswith("more than chance would give for each.")
    assert second.startswith("**Closing** is borne out: ")
    assert third.startswith("**Same end** is borne out: after 16 epochs")
    assert "more than chance would give for none" in third
    assert "takes, of the numbers tried, 16 epochs (`batch`, 4.00\u00a0%)" in made_up
    assert "4 epochs (`layer`, 5.00\u00a0%)" in made_up


@pytest.mark.parametrize(
    ("changed", "failing"),
    [
        ({"layer": (0.85, 0.955, 0.99)}, {"sooner": None, "closing": None}),
        ({"layer": (0.80, 0.955, 0.99)}, {"sooner": False, "closing": False}),
        ({"none": (0.85, 0.90, 0.95)}, {"same_end": False}),
        (
            {"none": (0.85, 0.86, 0.87), "batch": (0.96, 0.97, 0.98), "layer": (0.96, 0.97, 0.98)},
            {"closing": None, "same_end": False},
        ),
        ({"none": (0.85, 0.99, 0.9975)}, {"same_end": False}),
    ],
    ids=["no lead", "behind", "a lead remains", "the lead stays", "behind at the end"],
)
def test_with_other_data_a_prediction_is_contradicted_or_left_open_and_said_to_be(
    changed: Accuracies, failing: dict[str, bool | None]
):
    found = claims(FASTER | changed)
    assert {name: holds for name, holds in found.items() if not holds} == failing
    for sentence, holds in zip(answer(FASTER | changed), found.values(), strict=False):
        assert {True: "borne out", None: "left open", False: "contradicted"}[holds] in sentence


def test_without_enough_images_the_same_end_is_not_claimed():
    table = runs(FASTER)
    few = table.assign(wrong=[[image for image in wrong if image < 200] for wrong in table["wrong"]], test_images=200)
    assert budget.claims(budget.resample(few))["same_end"] is None


def test_what_is_never_made_up_for_is_said_to_take_more_epochs():
    said = answer(FASTER | {"none": (0.85, 0.86, 0.87)})
    assert any("more than 16 epochs (`batch`" in sentence for sentence in said)


def test_the_table_and_the_figure_have_every_normalization_and_number_of_epochs():
    table = budget.errors(budget.resample(runs(FASTER)))
    assert list(budget.shown(table).columns) == ["epochs", *NAMES]
    assert budget.shown(table)["epochs"].tolist() == list(EPOCHS)
    (axis,) = budget.figure(table).axes
    assert [container.get_label() for container in axis.containers] == list(NAMES)
    assert "none 15.00 at 1" in budget.describe(table)
