"""The worked example: its counts, sums and sheets are those of its numbers."""

import pytest
import torch

from normstudy import statistics
from normstudy.chapters import worked_example
from normstudy.normalizations import NORMALIZING

X, GROUPS = worked_example.example(0), worked_example.GROUPS


def test_four_images_of_two_by_two_pixels_are_written_down():
    assert X.shape == (4, 4, 2, 2)
    assert worked_example.pixels(torch.arange(16.0).reshape(2, 2, 2, 2)).to_numpy().tolist() == [
        [1, "0 1 / 2 3", "4 5 / 6 7"],
        [2, "8 9 / 10 11", "12 13 / 14 15"],
    ]


def test_every_normalization_is_counted():
    table = worked_example.counts(X, GROUPS).set_index("normalization")
    assert list(table.index) == list(NORMALIZING)
    assert table.loc[["batch", "layer", "group"], "here"].tolist() == [4, 4, 8]


@pytest.mark.parametrize("name", ["batch", "layer", "group"])
def test_each_set_is_worked_out(name: str):
    table = worked_example.worked(X, name, GROUPS)
    assert (table["Σx"] / table["m"] == table["μ = Σx/m"]).all()
    assert table["Σx"].sum() == X.sum()
    torch.testing.assert_close(torch.tensor(table["v"]), statistics.statistics(X, name, GROUPS).variances)


@pytest.mark.parametrize(("name", "sets"), [("batch", 4), ("layer", 4), ("group", 8)])
def test_the_sheet_has_the_mean_and_the_deviation_of_each_set(name: str, sets: int):
    figure, said = worked_example.sheet(X, name, GROUPS)
    written = [text.get_text() for text in figure.axes[0].texts if "μ" in text.get_text()]
    table = worked_example.worked(X, name, GROUPS)
    assert len(written) == sets
    for text, row in zip(written, table.itertuples(index=False), strict=True):
        assert text.split()[1::2] == [f"{row[3]:.2f}", f"{row[6]:.2f}"]
        assert f"{row[0]}: {row[3]:.2f} and {row[6]:.2f}" in said


def test_one_pixel_is_worked_out_in_words():
    of = worked_example.one_pixel(X, ("batch", "layer"), GROUPS)
    assert of["pixel"] == f"{X[0, 0, 0, 0]:.0f}"
    batch = of["batch"]
    assert batch["who"] == "channel 1, all images"
    assert sum(map(int, batch["values"].split(" + "))) == int(batch["sum"]) == X[:, 0].sum()
    assert batch["normalized"] == f"{statistics.normalize(X, 'batch')[0, 0, 0, 0]:.4f}"


def test_every_pixel_is_normalized_in_full_and_as_it_is_printed():
    table = worked_example.normalized(X, ("batch", "group"), GROUPS)
    assert len(table) == X.numel()
    row = table[(table["image"] == 2) & (table["channel"] == 3)].iloc[1]
    assert row["group"] == statistics.normalize(X, "group", GROUPS)[1, 2, 0, 1].item()
    printed = worked_example.in_rows(table)
    assert printed.columns.tolist() == ["image", "channel", "pixels", "batch", "group"]
    assert printed["pixels"][0] == " ".join(f"{value:.0f}" for value in X[0, 0].flatten())
