"""Who shares in a layer, measured: a set is found with its name, its extent and its size."""

import pytest
import torch
from torch import Tensor, nn

from normstudy import statistics
from normstudy.checking import sharing
from normstudy.normalizations import NORMALIZATIONS, NORMALIZING

SHAPE = (3, 6, 4, 4)


@pytest.mark.parametrize("norm_arg", NORMALIZING)
def test_every_normalization_is_found_with_its_name_and_its_number_of_sets(norm_arg: str):
    def layer(x: Tensor) -> Tensor:
        return statistics.normalize(x, norm_arg, groups=2)

    found = sharing.measure(layer, SHAPE)
    assert found.names == ((norm_arg,) if NORMALIZATIONS[norm_arg].centred else ("layer",))
    assert found.count == statistics.count(SHAPE, norm_arg, groups=2)
    assert found.size * found.count == torch.Size(SHAPE).numel()
    assert sharing.normalizes(layer, found, NORMALIZATIONS[norm_arg].centred)
    assert not sharing.normalizes(lambda x: layer(x) ** 3, found, NORMALIZATIONS[norm_arg].centred)


def test_a_set_is_all_that_changes_with_one_element():
    found = sharing.measure(nn.GroupNorm(2, 6).double().requires_grad_(False), (3, 6, 4, 4))
    assert found.names == ("group",)
    assert (found.groups, found.count, found.size) == (2, 6, 3 * 16)
    assert found.sheet == [[0, 0, 0, 1, 1, 1], [2, 2, 2, 3, 3, 3], [4, 4, 4, 5, 5, 5]]


def test_sets_that_a_size_of_one_makes_equal_have_all_names():
    vectors = sharing.measure(nn.GroupNorm(1, 6).double().requires_grad_(False), (3, 6, 1, 1))
    assert vectors.names == ("layer", "position")


def test_what_no_normalization_shares_has_no_name():
    found = sharing.measure(lambda x: x - x.mean((0, 1, 2, 3), keepdim=True), SHAPE)
    assert (found.names, found.extent) == ((), "all images, all channels, all places")
