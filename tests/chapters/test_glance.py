"""The first page: right numbers, and that depth needs normalization only where each is ahead of none."""

import itertools
import re

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


def test_the_numbers_are_those_of_the_deepest_network_and_of_the_shallowest():
    found = {
        name: said.replace("\u00a0", " ")
        for name, said in glance.numbers(glance.accuracies(trainability.resample(runs()))).items()
    }
    assert found["deepest"] == "16"
    means = {name: re.sub(r" \[\d+\.\d\d, \d+\.\d\d\]", "", said) for name, said in found.items()}
    assert (means["none_deep"], means["none_shallow"]) == ("10.00 %", "96.97 %")
    assert means["deep_span"] == "90.03 % (layer) to 94.97 % (batch)"


def test_the_first_page_has_the_intervals_of_the_section_that_it_leads_to():
    resampled = trainability.resample(runs())
    same = trainability.accuracies(runs(), resampled)
    row = same[(same["initialization"] == "pytorch") & (same["normalization"] == "layer") & (same["depth"] == 16)]
    assert estimates.accuracy(row.iloc[0]) in glance.numbers(glance.accuracies(resampled))["deep_span"]


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
    table = glance.accuracies(trainability.resample(runs()))
    assert [line.get_text() for line in glance.depths(table).axes[0].get_legend().get_texts()] == [
        "batch", "layer", "none",
    ]  # fmt: skip
    assert "none 97.0 at 0, 10.0 at 16" in glance.describe_depths(table)
