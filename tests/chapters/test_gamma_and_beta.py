"""Gamma and beta: they undo what layer normalization does to one image, and not what it does to the next."""

import torch

from normstudy.analysis import trained_layers
from normstudy.chapters import gamma_and_beta
from tests.trainings import build


def test_gamma_and_beta_give_back_one_image_and_not_the_next():
    batch = torch.randn(6, 1, 28, 28, generator=torch.Generator().manual_seed(0))
    undone = gamma_and_beta.undo(trained_layers.observe(build("layer", seed=0), batch)[1])
    assert undone.gap < 1e-12 < undone.other_gap
    torch.testing.assert_close(undone.steps[-1][2], undone.original)
    assert list(gamma_and_beta.returned_pixels(undone))[:2] == ["original", "gamma 1.0000, beta 0.0000"]
    assert "back to the original, at gamma" in gamma_and_beta.undoing(undone)[1]
