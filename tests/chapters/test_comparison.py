"""The table of results, who gets wrong what, numbers and claims: right, and no claim that they do not bear."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binomtest

from normstudy.analysis import mistakes
from normstudy.chapters import comparison

PARAMETERS = {
    "batch": {"l1": 1e-5, "l2": 1e-4},
    "layer": {"l1": 0.0, "l2": 1e-4},
    "group": {"l1": 1e-5, "l2": 0.0},
}


def history(accuracy: float) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "epoch": [1, 2],
            "train_loss": [1.0, 0.5],
            "train_penalty": [0.1, 0.1],
            "test_loss": [0.9, 0.4],
            "train_accuracy": [0.5, 0.9],
            "test_accuracy": [0.5, accuracy],
        }
    )


def predictions(wrong: set[int], images: int = 1000) -> pd.DataFrame:
    index = np.arange(images)
    label = index % 10
    return pd.DataFrame(
        {"index": index, "label": label, "prediction": np.where(np.isin(index, [*wrong]), (label + 1) % 10, label)}
    )


def study(**wrong: set[int]) -> tuple[pd.DataFrame, dict[str, pd.DataFrame]]:
    frames = {name: predictions(indices) for name, indices in wrong.items()}
    histories = {name: history(1 - len(indices) / 1000) for name, indices in wrong.items()}
    return comparison.results(histories, frames), frames


def numbers(**wrong: set[int]) -> dict[str, str]:
    found = comparison.numbers(*study(**wrong), PARAMETERS)
    return {name: text.replace("\u00a0", " ") for name, text in found.items()}


def claims(**wrong: set[int]) -> dict[str, bool | None]:
    return comparison.claims(*study(**wrong), PARAMETERS, {})


def test_the_interval_is_wilsons():
    table, _ = study(batch=set(range(13)), layer=set(range(20)), group=set(range(30)))
    reference = binomtest(987, 1000).proportion_ci(0.95, method="wilson")
    assert table["test_accuracy_low"][0] == pytest.approx(reference.low)
    assert table["test_accuracy_high"][0] == pytest.approx(reference.high)


def test_variants_that_hardly_disagree_are_not_called_different():
    few = {"batch": set(range(10)), "layer": set(range(1, 12)), "group": set(range(2, 13))}
    assert claims(**few)["apart"] is None


def test_variants_that_differ_beyond_chance_are_named():
    more = {"batch": set(range(10)), "layer": set(range(60)), "group": set(range(10))}
    assert claims(**more)["apart"] is True
    assert numbers(**more)["apart"] == "batch beside layer and layer beside group"


def test_networks_that_disagree_much_but_evenly_are_not_called_different():
    evenly = {"batch": set(range(100)), "layer": set(range(100, 200)), "group": set(range(200, 300))}
    assert claims(**evenly)["apart"] is None


def test_p_values_are_corrected_for_their_number():
    _, frames = study(batch=set(range(10)), layer=set(range(10, 28)), group=set(range(40, 52)))
    wrong = {name: pd.Series([images]) for name, images in comparison.wrong_images(frames).items()}
    alone = binomtest(10, 28).pvalue  # batch and layer: 10 images against 18, none in common
    assert mistakes.disagreements(wrong)["p"][0] == pytest.approx(min(1, 3 * alone))


def test_that_normalization_and_penalty_change_together_is_a_claim():
    table, frames = study(batch={1}, layer={2}, group={3})
    assert numbers(batch={1}, layer={2}, group={3})["penalties"] == (
        "batch with L1 + L2, layer with L2 and group with L1"
    )
    assert comparison.claims(table, frames, PARAMETERS, {})["mixed"]
    alike = dict.fromkeys(PARAMETERS, PARAMETERS["batch"])
    assert not comparison.claims(table, frames, alike, {})["mixed"]


def test_that_training_images_are_harder_is_a_claim_about_every_variant():
    assert claims(batch={1}, layer={2}, group={3})["harder"]  # 90 % in training
    assert not claims(batch={1}, layer=set(range(200)), group={3})["harder"]


def test_a_graphs_description_gives_where_each_line_begins_and_ends():
    text = comparison.describe({"batch": history(0.95)}, "test_accuracy")
    assert "batch from 50.00\u00a0% after epoch 1 to 95.00\u00a0% after epoch 2" in text


class TestDiverged:
    SENTENCE = "The layer variant diverged: the loss is not finite in epoch 1, batch 3."

    def result(self, *diverged: str) -> tuple[pd.DataFrame, dict[str, pd.DataFrame], dict[str, str]]:
        frames = {name: predictions(set(range(10))) for name in PARAMETERS if name not in diverged}
        histories = {name: history(0.99) if name in frames else history(0.99)[:0] for name in PARAMETERS}
        return comparison.results(histories, frames), frames, dict.fromkeys(diverged, self.SENTENCE)

    def test_a_diverged_variant_is_shown_as_such_and_not_as_a_number(self):
        table, *_ = self.result("layer")
        shown = comparison.shown(table).set_index("variant")
        assert set(shown.loc["layer"]) == {"diverged"}
        assert "diverged" not in set(shown.loc["batch"])

    @pytest.mark.parametrize("number", [0, 1, 2, 3])
    def test_numbers_and_claims_are_of_the_others(self, number: int):
        diverged = ("layer", "batch", "group")[:number]
        table, frames, why = self.result(*diverged)
        said = comparison.numbers(table, frames, PARAMETERS)["accuracies"]
        assert [name for name in PARAMETERS if name in said] == [name for name in PARAMETERS if name not in diverged]
        assert comparison.claims(table, frames, PARAMETERS, why)["trained"] is (number == 0)

    def test_a_graph_is_described_by_those_that_trained(self):
        histories = {"batch": history(0.9), "layer": history(0.9)[:0]}
        assert "layer" not in comparison.describe(histories, "test_loss")


def test_the_variants_are_named_in_the_order_of_the_study():
    found = numbers(batch=set(range(10)), layer=set(range(12)), group=set(range(5)))
    assert found["accuracies"] == "batch 99.00 %, layer 98.80 % and group 99.50 %"
    assert found["images"] == "1,000"


@pytest.mark.parametrize(
    ("wrong", "together", "fewest", "most", "shared"),
    [
        ([{1}, {2}, {3}], "0 images", "0 %", "0 %", False),
        ([{1}, {1, 2}, {1, 3}], "1 image", "100 %", "50 %", True),
        ([{1, 2, 3, 4}, {1, 2, 5, 6}, {1, 2, 7, 8, 9}], "2 images", "50 %", "40 %", True),
        ([{1, 2, 3, 4}, {1, 5, 6, 7}, {1, 8, 9, 10}], "1 image", "25 %", "25 %", False),
        ([set(), {2}, {3}], "0 images", "none", "0 %", False),
    ],
)
def test_shared_mistakes_are_counted_whatever_their_number(
    wrong: list[set[int]], together: str, fewest: str, most: str, shared: bool
):
    given = dict(zip(PARAMETERS, wrong, strict=True))
    found = numbers(**given)
    assert (found["together"], found["together_of_fewest"], found["together_of_most"]) == (together, fewest, most)
    assert claims(**given)["shared"] is shared


def test_the_figure_of_who_gets_wrong_what_has_a_bar_a_set_and_says_each():
    _, frames = study(batch={1, 2}, layer={1, 3}, group={1, 3})
    together = mistakes.shared(frames)
    figure = comparison.who_gets_wrong_what(together)
    bars = [bar.get_height() for bar in figure.axes[0].patches]
    assert bars == [1, 1, 1]
    said = comparison.describe_sets(together)
    assert all(part in said for part in ("1 by batch, layer and group", "1 by batch;", "1 by layer and group"))


def test_a_strip_shows_the_surest_mistakes_and_says_them():
    frame = predictions({3, 14, 25, 36, 47, 58}).assign(confidence=lambda rows: rows["index"] / 1000)
    figure = comparison.strip({index: np.zeros((28, 28)) for index in range(1000)}, frame, "batch")
    titles = [axis.get_title() for axis in figure.axes]
    assert titles == ["8 → 9", "7 → 8", "6 → 7", "5 → 6", "4 → 5"]
    assert comparison.describe_strip(frame, "batch").endswith(
        "8 taken for 9; 7 taken for 8; 6 taken for 7; 5 taken for 6; 4 taken for 5."
    )


def test_the_text_knows_whose_network_the_variants_are_of():
    others = {name: values | {"model": "/home/me/my model.py:Mine"} for name, values in PARAMETERS.items()}
    tables = study(batch={1}, layer={2}, group={3})
    assert comparison.claims(*tables, PARAMETERS, {})["own"]
    assert comparison.numbers(*tables, PARAMETERS)["network"] == "`normstudy/model.py`"
    assert not comparison.claims(*tables, others, {})["own"]
    assert comparison.numbers(*tables, others)["network"] == "`my model.py:Mine`"


def test_the_text_knows_how_often_easy_images_are_drawn():
    tables = study(batch={1}, layer={2}, group={3})
    assert comparison.claims(*tables, PARAMETERS, {})["evenly"], "earlier runs have no such parameter"
    for easy, said in (((1.0, 1, 1.0), "1 times"), ((0.2,) * 3, "0.2 times"), ((0.2, 1, 0.2), "0.2 times and 1 times")):
        names = zip(PARAMETERS.items(), easy, strict=True)
        given = {name: values | {"easy": share} for (name, values), share in names}
        assert comparison.claims(*tables, given, {})["evenly"] is (said == "1 times")
        assert comparison.numbers(*tables, given)["easy"] == said
