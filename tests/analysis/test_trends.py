"""The slope over the logarithm of a setting. Its intervals are tested where it is used: `chapters.test_ghost_batch`."""

import numpy as np
import pytest

from normstudy.analysis import trends

SIZES = [1, 2, 4, 8, 16, 32, 64, 128]


def test_a_straight_line_over_the_logarithm_has_its_slope():
    assert trends.weights(SIZES) @ (0.3 - 0.02 * np.log2(SIZES)) == pytest.approx(-0.02)


def test_what_all_settings_share_is_no_slope():
    assert trends.weights([2, 8, 64]).sum() == pytest.approx(0)


def test_two_settings_are_enough():
    assert trends.weights([2, 8]).tolist() == pytest.approx([-0.5, 0.5])


def test_a_single_setting_is_refused():
    with pytest.raises(ValueError, match="more than one setting"):
        trends.weights([8])
