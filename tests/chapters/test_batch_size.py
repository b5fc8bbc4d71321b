"""Small batches: what is said of them follows from the data."""

import numpy as np
import pandas as pd
import pytest

from normstudy.analysis import inference
from normstudy.chapters import batch_size
from tests.commands import ROOT

PUBLISHED = pd.read_csv(ROOT / "report" / "results" / "wu-he-2018.csv")
SIZES = (2, 8, 32)


def runs(worse: dict[tuple[str, int], float] | None = None, noise: float = 0.001) -> pd.DataFrame:
    """Runs of three normalizations and batch sizes with five seeds, accurate to 98 % but for what is `worse`."""
    generator = np.random.default_rng(0)
    rows = []
    for seed in range(5):
        of_seed = generator.normal(0, 0.003)
        for normalization in ("batch", "layer", "group"):
            for size in SIZES:
                accuracy = 0.98 + of_seed - (worse or {}).get((normalization, size), 0) + generator.normal(0, noise)
                row = {"run": len(rows), "seed": seed, "epoch": 1, "norm_arg": normalization, "batch_size": size}
                rows.append(row | {"test_accuracy": accuracy, "test_loss": 1 - accuracy, "l1": 0.0, "l2": 0.0})
    return inference.last_epochs(pd.DataFrame(rows))


def test_the_table_has_a_row_a_batch_size_and_a_column_a_normalization():
    table = batch_size.results(runs())
    assert table["batch size"].tolist() == [32, 8, 2]
    assert list(table.columns) == ["batch size", "batch", "layer", "group"]


def test_a_planted_loss_of_batch_normalization_in_small_batches_is_found():
    said = batch_size.findings(runs({("batch", 2): 0.05}))
    assert any(
        "the test error of batch normalization goes from" in sentence and ", more than chance" in sentence
        for sentence in said
    )
    assert (
        "Batch normalization has a larger error than group normalization with batches of 2 images; with the other "
        "sizes they cannot be told apart." in said
    )
    row = batch_size.against_batch(runs({("batch", 2): 0.05})).query("batch_size == 2 and other == 'group'").iloc[0]
    assert row["mean"] == pytest.approx(0.05, abs=0.003)
    assert row["low"] < 0.05 < row["high"]


def test_a_planted_gain_has_the_other_sign():
    said = batch_size.findings(runs({("layer", 2): 0.05, ("layer", 8): 0.05, ("layer", 32): 0.05}))
    assert "Batch normalization has a smaller error than layer normalization with batches of 2, 8, 32 images." in said


def test_where_nothing_was_planted_nothing_is_found():
    said = batch_size.findings(runs())
    assert sum(", which cannot be told from chance." in sentence for sentence in said) == 3
    assert "Batch normalization and group normalization cannot be told apart with any batch size." in said


def test_a_single_seed_has_neither_interval_nor_verdict():
    table = runs()[lambda rows: rows["seed"] == 0]
    assert batch_size.results(table).loc[0, "batch"].replace(".", "").isdigit()
    said = batch_size.findings(table)
    assert not any("nan" in sentence or "more than chance" in sentence for sentence in said)
    assert sum("which a single seed cannot tell from chance" in sentence for sentence in said) == 3


def test_the_published_numbers_have_the_gap_that_their_abstract_states():
    # "10.6 % lower error than its BN counterpart when using a batch size of 2", arXiv:1803.08494
    errors = PUBLISHED.set_index(["normalization", "batch_size"])["error"]
    assert errors["batch", 2] - errors["group", 2] == pytest.approx(0.106)


def test_the_figure_has_a_line_for_each_normalization_here_and_there():
    above, below = batch_size.figure(runs(), PUBLISHED).axes
    assert len(above.containers) == 3
    assert len(below.lines) == 2
    assert "batch 23.6 at 32" in batch_size.describe(runs(), PUBLISHED)
