"""What PyTorch's normalization layers share and learn is read off what they do."""

import pytest
from torch import nn

from normstudy.analysis import pytorch_layers
from normstudy.analysis.pytorch_layers import describe, layers

FOUND = {
    "BatchNorm2d(C)": ("C means and deviations", "C", "C", "running statistics"),
    "GroupNorm(1, C)": ("N means and deviations", "C", "C", "the same"),
    "GroupNorm(G, C)": ("N·G means and deviations", "C", "C", "the same"),
    "LayerNorm([C, H, W])": ("N means and deviations", "C·H·W", "C·H·W", "the same"),
    "LayerNorm(C), channels last": ("N·H·W means and deviations", "C", "C", "the same"),
    "RMSNorm(C), channels last": ("N·H·W root mean squares", "C", "none", "the same"),
}


@pytest.mark.parametrize("name", layers())
def test_a_layer_is_described_by_what_it_does(name: str):
    assert tuple(describe(layers()[name]).values()) == FOUND[name]


def test_instance_normalization_without_parameters():
    assert describe(nn.InstanceNorm2d(4).double()) == {
        "statistics": "N·C means and deviations",
        "gamma": "none",
        "beta": "none",
        "evaluation": "the same",
    }


def test_a_layer_whose_sets_are_no_product_is_refused(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(pytorch_layers.SIZES, "G", 4)
    with pytest.raises(ValueError, match="4 sets share their statistics; N·G would be another number"):
        describe(nn.GroupNorm(2, 4).double())
