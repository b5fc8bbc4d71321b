"""The table of results and the findings: right numbers, and no claim that they do not bear."""

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


def study(**wrong: set[int]) -> tuple[pd.DataFrame, dict[str, pd.DataFrame], list[str]]:
    frames = {name: predictions(indices) for name, indices in wrong.items()}
    histories = {name: history(1 - len(indices) / 1000) for name, indices in wrong.items()}
    table = comparison.results(histories, frames)
    return table, frames, comparison.findings(table, frames, PARAMETERS, {})


def test_the_interval_is_wilsons():
    table, _, _ = study(batch=set(range(13)), layer=set(range(20)), group=set(range(30)))
    reference = binomtest(987, 1000).proportion_ci(0.95, method="wilson")
    assert table["test_accuracy_low"][0] == pytest.approx(reference.low)
    assert table["test_accuracy_high"][0] == pytest.approx(reference.high)


def test_variants_that_hardly_disagree_are_not_called_different():
    _, _, findings = study(batch=set(range(10)), layer=set(range(1, 12)), group=set(range(2, 13)))
    assert any("no two networks differ by more than chance" in sentence for sentence in findings)
    assert not any("is better than" in sentence for sentence in findings)


def test_a_variant_that_is_better_beyond_chance_is_called_better():
    _, _, findings = study(batch=set(range(10)), layer=set(range(60)), group=set(range(10)))
    better = [sentence for sentence in findings if "is better than" in sentence]
    assert len(better) == 2
    assert all("better than the trained layer network" in sentence for sentence in better)


def test_p_values_are_corrected_for_their_number():
    _, frames, _ = study(batch=set(range(10)), layer=set(range(10, 28)), group=set(range(40, 52)))
    wrong = {name: pd.Series([images]) for name, images in comparison.wrong_images(frames).items()}
    alone = binomtest(10, 28).pvalue  # batch and layer: 10 images against 18, none in common
    assert mistakes.disagreements(wrong)["p"][0] == pytest.approx(min(1, 3 * alone))


def test_normalization_and_penalty_are_not_told_apart():
    *_, findings = study(batch={1}, layer={2}, group={3})
    assert "a difference can be laid to neither" in findings[-1]
    assert "batch with L1 + L2, layer with L2, group with L1" in findings[-1]


def test_a_graphs_description_gives_where_each_line_begins_and_ends():
    text = comparison.describe({"batch": history(0.95)}, "test_accuracy")
    assert "batch from 50.00\u00a0% after epoch 1 to 95.00\u00a0% after epoch 2" in text


class TestDiverged:
    SENTENCE = "The layer variant diverged: the loss is not finite in epoch 1, batch 3."

    def result(self, *diverged: str) -> tuple[pd.DataFrame, list[str]]:
        frames = {name: predictions(set(range(10))) for name in PARAMETERS if name not in diverged}
        histories = {name: history(0.99) if name in frames else history(0.99)[:0] for name in PARAMETERS}
        table = comparison.results(histories, frames)
        return table, comparison.findings(table, frames, PARAMETERS, dict.fromkeys(diverged, self.SENTENCE))

    def test_a_diverged_variant_is_shown_as_such_and_not_as_a_number(self):
        table, _ = self.result("layer")
        shown = comparison.shown(table).set_index("variant")
        assert set(shown.loc["layer"]) == {"diverged"}
        assert "diverged" not in set(shown.loc["batch"])

    @pytest.mark.parametrize("number", [1, 2, 3])
    def test_the_findings_are_of_the_others(self, number: int):
        diverged = ("layer", "batch", "group")[:number]
        _, said = self.result(*diverged)
        assert "The layer variant diverged: the loss is not finite in epoch 1, batch 3." in said
        assert not any(f"{name} 9" in sentence for sentence in said for name in diverged)
        assert any("Test accuracy after" in sentence for sentence in said) == (number < 3)
        assert any("misclassified by both" in sentence for sentence in said) == (number == 1)

    def test_a_graph_is_described_by_those_that_trained(self):
        histories = {"batch": history(0.9), "layer": history(0.9)[:0]}
        assert "layer" not in comparison.describe(histories, "test_loss")


def said(**wrong: set[int]) -> str:
    return " ".join(study(**wrong)[2]).replace("\u00a0", " ")


def test_the_findings_name_the_variants_in_the_order_of_the_study():
    assert "batch 99.00 %, layer 98.80 %, group 99.50 % of 1,000 images" in said(
        batch=set(range(10)), layer=set(range(12)), group=set(range(5))
    )


def test_shared_mistakes_are_said_whatever_their_number():
    assert "No test image is misclassified by all three variants." in said(batch={1}, layer={2}, group={3})
    assert (
        "1 test image is misclassified by all three variants: 100 % of the mistakes of the variant with the fewest, "
        in (said(batch={1}, layer={1, 2}, group={1, 3}))
    )
    assert "2 test images are misclassified by both variants: 50 % of the mistakes of each." in said(
        batch={1, 2, 3, 4}, layer={1, 2, 5, 6}
    )


def test_networks_that_disagree_much_but_evenly_are_not_said_to_disagree_little():
    text = said(batch=set(range(100)), layer=set(range(100, 200)), group=set(range(200, 300)))
    assert "no two networks differ by more than chance would give (McNemar's test, smallest corrected p = 1.00)" in text
    assert "too few" not in text
