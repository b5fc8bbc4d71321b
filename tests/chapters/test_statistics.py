"""The section on the statistics: its numbers are those of the networks, its claims follow data."""

from dataclasses import replace

import pandas as pd
import pytest
import torch

from normstudy.analysis import trained_layers
from normstudy.chapters import gamma_and_beta
from normstudy.chapters import statistics as chapter
from normstudy.data import Dataset
from tests.trainings import build

NETS = {name: build(name, seed=0) for name in ("batch", "layer", "group")}
BATCH = torch.randn(6, 1, 28, 28, generator=torch.Generator().manual_seed(0))
IMAGES, LABELS = torch.zeros(600, 28, 28, dtype=torch.uint8), torch.full((600,), 7)
DATASET = Dataset("toy", tuple("0123456789"), IMAGES, LABELS, IMAGES, LABELS, 0.5, 0.5)


@pytest.fixture(scope="module")
def observed() -> dict[str, list[trained_layers.Layer]]:
    return {name: trained_layers.observe(net, BATCH) for name, net in NETS.items()}


class TestNetworks:
    def test_as_many_are_measured_as_the_formula_gives(self, observed: dict):
        table = chapter.network_counts(observed, dict.fromkeys(NETS, 4))
        assert chapter.agree(table)
        assert table[["batch: C", "layer: N", "group: N·G"]].iloc[0].tolist() == [8, 6, 24]
        assert not chapter.agree(table.replace({"layer: measured": {6: 5}}))

    def test_channels_without_a_signal_are_named(self, observed: dict):
        layer = observed["batch"][0]
        given, returned = layer.given.clone(), layer.returned.clone()
        given[:, 2], returned[:, 2] = 0, 0
        assert chapter.counted_right(pd.DataFrame([[1, "", 8, 7]]), chapter.silent(observed)) is False
        silent = {"batch": [replace(layer, given=given, returned=returned)]}
        assert chapter.silent(silent) == ["in the batch variant 1 of 8 channels in layer 1"]
        assert chapter.counted_right(pd.DataFrame([[1, "", 8, 7]]), chapter.silent(silent)) is None
        assert chapter.numbers_of_network(silent)["silent"] == "in the batch variant 1 of 8 channels in layer 1"

    def test_running_statistics_take_up_the_unbiased_variance(self, observed: dict):
        layer = observed["batch"][0]
        before = NETS["batch"].get_submodule(layer.name)
        step = chapter.running_step(layer, before)
        assert step.gap < 1e-12 < step.biased_gap
        assert (step.size, step.momentum) == (6 * 14 * 14, 0.1)
        table = chapter.running(layer, before)
        assert table["running variance"].tolist() == [1] * 8
        assert (table["unbiased"] > table["biased variance of this batch"]).all()

    def test_an_image_depends_on_its_company_in_the_batch_variant_alone(self):
        unsure = pd.DataFrame({"confidence": torch.linspace(0.9, 0.1, len(BATCH)).numpy()})
        asked = chapter.most_varied(NETS["batch"], BATCH, unsure, seed=0)
        assert sum(asked.answers.values()) == chapter.TIMES
        assert list(asked.answers.values()) == sorted(asked.answers.values(), reverse=True)
        varied = chapter.variation(NETS, BATCH, 0, 5, seed=0)
        assert varied["batch"] > 1e-3
        assert max(varied["layer"], varied["group"]) < chapter.ROUNDING


def test_numbers_of_company_are_printed():
    asked = chapter.Asked(524, {8: 25, 2: 15, 9: 10})
    said = chapter.numbers_of_company(
        asked, torch.tensor([0.1] * 8 + [0.281]), {"layer": 0.0, "group": 3e-8}, 20, DATASET
    )
    assert (said["image"], said["true"], said["alone"], said["confidence"]) == ("524", "7", "8", "28\u00a0%")
    assert said["answers"] == "“8” in 25, “2” in 15 and “9” in 10"
    assert said["largest"] == "3×10⁻⁸"


class TestClaims:
    """Other data flip each of them."""

    STEP = chapter.Step(1e-17, 2e-5, 6272, 0.1)
    ASKED = chapter.Asked(3, {8: 49, 7: 1})
    OTHERS = {"layer": 0.0, "group": 3e-8}  # noqa: RUF012
    UNDONE = gamma_and_beta.Undone(-0.05, 0.7, 0, torch.zeros(2, 2), [], 1e-16, 0.66, 0.26)

    def claims(self, **other: object) -> dict[str, bool | None]:
        given = {"right": True, "step": self.STEP, "asked": self.ASKED, "others": self.OTHERS}
        return chapter.claims(**given | {"undone": self.UNDONE, "nets": NETS} | other)

    def test_all_hold(self):
        assert set(self.claims().values()) == {True}

    @pytest.mark.parametrize(
        ("name", "other"),
        [
            ("counts", {"right": False}),
            ("unbiased", {"step": replace(STEP, gap=3e-5)}),
            ("company", {"asked": chapter.Asked(3, {8: 50})}),
            ("alone", {"others": {"layer": 0.2}}),
            ("undone", {"undone": replace(UNDONE, gap=0.3)}),
            ("undone", {"undone": replace(UNDONE, other_gap=0.0)}),
            ("parameters", {"nets": NETS | {"layer": torch.nn.Linear(2, 2)}}),
        ],
    )
    def test_one_fails(self, name: str, other: dict):
        assert {claim for claim, holds in self.claims(**other).items() if not holds} == {name}
