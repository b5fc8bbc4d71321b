"""Whether training is repeatable is found by training again."""

from dataclasses import replace

import pytest
import torch

from normstudy import data
from normstudy.analysis.repeatability import repeat_first_epoch
from normstudy.training import Settings, fit
from tests.trainings import DEFAULTS, build

PARAMETERS = DEFAULTS | {"epochs": 2, "l1": 3e-5}


@pytest.mark.parametrize("norm_arg", ["batch", "layer", "group"])
def test_the_first_epoch_is_that_of_the_whole_training(norm_arg: str):
    digits = data.load("digits", torch.device("cpu"))
    first, _ = fit(build(norm_arg), digits, Settings.of(PARAMETERS))
    again = repeat_first_epoch(PARAMETERS | {"norm_arg": norm_arg}, digits)
    assert replace(again, seconds=first.seconds) == first
