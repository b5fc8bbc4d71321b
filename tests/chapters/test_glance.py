"""The first page: right numbers, and that depth needs normalization only where each is ahead of none."""

import itertools

import pandas as pd
import pytest

from normstudy.analysis import trainability
from normstudy.chapters import glance
from normstudy.display import estimates
from normstudy.experiments.parameters import VARIANTS
from normstudy.normalizations import NORMALIZATIONS
from tests import planted


def runs(none: float = 0.1, layer: float = 0.9, spread: float = 0.003) -> pd.DataFrame:
    """Runs as they are and with 16 more blocks, from both initializations; He's are not looked at."""
    deep = {"batch": 0.95, "layer": layer, "none": none}
    return planted.table(
        (
            {"initialization": kind, "norm_arg": name, "depth": depth, "test_accuracy": accuracy}
            for kind, name in itertools.product(("pytorch", "he"), deep)
            for depth, accuracy in ((0, 0.97), (16, deep[name] if kind == "pytorch" else 0.5))
        ),
        spread=spread,
    )


def accuracies(table: pd.DataFrame) -> pd.DataFrame:
    return trainability.accuracies(table, trainability.resample(table))


def test_the_numbers_are_those_of_the_deepest_networks():
    table = accuracies(runs(layer=0.6))
    found = glance.numbers(table)
    assert found["deepest"] == "16"
    assert [found["pytorch"][who] for who in ("none", "others")] == ["0 of 6", "0 (layer) to 6 (batch)"]
    assert [found["he"][who] for who in ("none", "others")] == ["0 of 6", "0 with each"]
    layer, batch = (
        estimates.accuracy(table.set_index(["initialization", "normalization", "depth"]).loc[("pytorch", name, 16)])
        for name in ("layer", "batch")
    )
    assert layer.startswith("60.00")
    assert found["pytorch"]["other_means"] == f"{layer} (layer) to {batch} (batch)"
    assert glance.numbers(accuracies(runs(layer=0.95)))["pytorch"]["others"] == "6 with each"


@pytest.mark.parametrize(
    ("none", "spread", "needed"), [(0.1, 0.003, True), (0.94, 0.003, False), (0.9, 0.01, None), (0.97, 0.003, False)]
)
def test_depth_needs_normalization_where_each_is_ahead_of_none(none: float, spread: float, needed: bool | None):
    assert glance.claims(glance.leads(trainability.resample(runs(none, spread=spread))))["needed"] is needed


def test_the_pictures_say_who_shares_and_how_accurate_each_is():
    assert [axis.get_title() for axis in glance.sharing().axes] == [
        f"{name}: {NORMALIZATIONS[name].count}" for name in VARIANTS
    ]
    assert "layer normalization has N, each image shares over all channels" in glance.describe_sharing()
    table = glance.accuracies(accuracies(runs()))
    assert [line.get_text() for line in glance.depths(table).axes[0].get_legend().get_texts()] == [
        "batch", "layer", "none",
    ]  # fmt: skip
    assert "none 97.0 at 0, 10.0 at 16" in glance.describe_depths(table)
