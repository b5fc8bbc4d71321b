"""The sheet of images × channels: what shares has one colour, and one frame where it lies together."""

import pytest
import torch
from matplotlib.colors import to_hex

from normstudy.display import sharing
from normstudy.normalizations import NORMALIZATIONS, NORMALIZING
from normstudy.statistics import count, sharing_sets

X, GROUPS = torch.arange(48.0).reshape(3, 4, 2, 2), 2


@pytest.mark.parametrize("name", NORMALIZING)
def test_what_shares_has_one_colour_and_one_frame_where_it_lies_together(name: str):
    (axis,) = sharing.sharing_figure(X, GROUPS, [name]).axes
    filled = [to_hex(patch.get_facecolor()) for patch in axis.patches if patch.get_fill()]
    colours = sharing.set_colours(X.shape, name, GROUPS)
    assert filled == [colours[index] for index in sharing_sets(X.shape, name, GROUPS).flatten()]
    frames = [patch for patch in axis.patches if not patch.get_fill()]
    assert len(frames) == (0 if "H" in NORMALIZATIONS[name].apart else count(X.shape, name, GROUPS))


@pytest.mark.parametrize("name", NORMALIZING)
def test_each_set_is_named_by_who_shares(name: str):
    assert len(set(sharing.members(X.shape, name, GROUPS))) == count(X.shape, name, GROUPS)


def test_there_are_as_many_sheets_as_normalizations_in_rows():
    titles = [axis.get_title() for axis in sharing.sharing_figure(X, GROUPS, NORMALIZING).axes]
    assert [title.partition(":")[0] for title in titles if title] == list(NORMALIZING)
