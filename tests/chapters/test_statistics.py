"""The section on the statistics: its numbers are those of the example and of the networks, its claims follow data."""

from dataclasses import replace

import pandas as pd
import pytest
import torch

from normstudy import statistics
from normstudy.analysis import trained_layers
from normstudy.chapters import statistics as chapter
from normstudy.data import Dataset
from normstudy.normalizations import NORMALIZING
from tests.trainings import build

X, GROUPS = chapter.example(0), chapter.GROUPS
NETS = {name: build(name, seed=0) for name in ("batch", "layer", "group")}
BATCH = torch.randn(6, 1, 28, 28, generator=torch.Generator().manual_seed(0))
IMAGES, LABELS = torch.zeros(600, 28, 28, dtype=torch.uint8), torch.full((600,), 7)
DATASET = Dataset("toy", tuple("0123456789"), IMAGES, LABELS, IMAGES, LABELS, 0.5, 0.5)


@pytest.fixture(scope="module")
def observed() -> dict[str, list[trained_layers.Layer]]:
    return {name: trained_layers.observe(net, BATCH) for name, net in NETS.items()}


class TestExample:
    def test_four_images_of_two_by_two_pixels_are_written_down(self):
        assert X.shape == (4, 4, 2, 2)
        assert chapter.pixels(torch.arange(16.0).reshape(2, 2, 2, 2)).to_numpy().tolist() == [
            [1, "0 1 / 2 3", "4 5 / 6 7"],
            [2, "8 9 / 10 11", "12 13 / 14 15"],
        ]

    def test_every_normalization_is_counted(self):
        table = chapter.counts(X, GROUPS).set_index("normalization")
        assert list(table.index) == list(NORMALIZING)
        assert table.loc[["batch", "layer", "group"], "here"].tolist() == [4, 4, 8]

    @pytest.mark.parametrize("name", ["batch", "layer", "group"])
    def test_each_set_is_worked_out(self, name: str):
        table = chapter.worked(X, name, GROUPS)
        assert (table["Σx"] / table["m"] == table["μ = Σx/m"]).all()
        assert table["Σx"].sum() == X.sum()
        torch.testing.assert_close(torch.tensor(table["v"]), statistics.statistics(X, name, GROUPS).variances)

    @pytest.mark.parametrize(("name", "sets"), [("batch", 4), ("layer", 4), ("group", 8)])
    def test_the_sheet_has_the_mean_and_the_deviation_of_each_set(self, name: str, sets: int):
        figure, said = chapter.sheet(X, name, GROUPS)
        written = [text.get_text() for text in figure.axes[0].texts if "μ" in text.get_text()]
        table = chapter.worked(X, name, GROUPS)
        assert len(written) == sets
        for text, row in zip(written, table.itertuples(index=False), strict=True):
            assert text.split()[1::2] == [f"{row[3]:.2f}", f"{row[6]:.2f}"]
            assert f"{row[0]}: {row[3]:.2f} and {row[6]:.2f}" in said

    def test_one_pixel_is_worked_out_in_words(self):
        of = chapter.one_pixel(X, ("batch", "layer"), GROUPS)
        assert of["pixel"] == f"{X[0, 0, 0, 0]:.0f}"
        batch = of["batch"]
        assert batch["who"] == "channel 1, all images"
        assert sum(map(int, batch["values"].split(" + "))) == int(batch["sum"]) == X[:, 0].sum()
        assert batch["normalized"] == f"{statistics.normalize(X, 'batch')[0, 0, 0, 0]:.4f}"

    def test_every_pixel_is_normalized_in_full_and_as_it_is_printed(self):
        table = chapter.normalized(X, ("batch", "group"), GROUPS)
        assert len(table) == X.numel()
        row = table[(table["image"] == 2) & (table["channel"] == 3)].iloc[1]
        assert row["group"] == statistics.normalize(X, "group", GROUPS)[1, 2, 0, 1].item()
        printed = chapter.in_rows(table)
        assert printed.columns.tolist() == ["image", "channel", "pixels", "batch", "group"]
        assert printed["pixels"][0] == " ".join(f"{value:.0f}" for value in X[0, 0].flatten())


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
        assert chapter.silent(silent) == ["1 of 8 channels in layer 1 of the batch variant"]
        assert chapter.counted_right(pd.DataFrame([[1, "", 8, 7]]), chapter.silent(silent)) is None
        assert chapter.numbers_of_network(silent)["silent"] == "1 of 8 channels in layer 1 of the batch variant"

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

    def test_gamma_and_beta_give_back_one_image_and_not_the_next(self, observed: dict):
        undone = chapter.undo(observed["layer"][1])
        assert undone.gap < 1e-12 < undone.other_gap
        torch.testing.assert_close(undone.steps[-1][2], undone.original)
        assert list(chapter.returned_pixels(undone))[:2] == ["original", "gamma 1.0000, beta 0.0000"]
        assert "back to the original, at gamma" in chapter.undoing(undone)[1]


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
    UNDONE = chapter.Undone(-0.05, 0.7, 0, X[0, 0], [], 1e-16, 0.66, 0.26)

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
