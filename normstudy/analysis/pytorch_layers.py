"""PyTorch's own normalization layers: who shares, what is learned and what evaluation does, measured and not told.

A value that comes out depends on those that share with it, and on no others. So the derivatives say who shares.
"""

import copy
import math
from collections.abc import Callable

import pandas as pd
import torch
from torch import Tensor, nn

SIZES = {"N": 2, "C": 4, "H": 3, "W": 5, "G": 2}
"""What the layers are given: all sizes of the tensor are different, so that each is known by its size."""


class ChannelsLast(nn.Module):
    """A layer for the last axis, applied to each place's channels: (N, C, H, W) to the same.

    As ConvNeXt applies `LayerNorm` (Liu et al., 2022, arXiv:2201.03545).
    """

    def __init__(self, layer: nn.Module):
        super().__init__()
        self.layer = layer

    def forward(self, x: Tensor) -> Tensor:
        """Normalize the channels of each place."""
        normalized: Tensor = self.layer(x.permute(0, 2, 3, 1))
        return normalized.permute(0, 3, 1, 2)


def layers() -> dict[str, nn.Module]:
    """The layers as they are written in code, new and in float64."""
    c, h, w, g = (SIZES[letter] for letter in "CHWG")
    made = {
        "BatchNorm2d(C)": nn.BatchNorm2d(c),
        "GroupNorm(1, C)": nn.GroupNorm(1, c),
        "GroupNorm(G, C)": nn.GroupNorm(g, c),
        "LayerNorm([C, H, W])": nn.LayerNorm([c, h, w]),
        "LayerNorm(C), channels last": ChannelsLast(nn.LayerNorm(c)),
        "RMSNorm(C), channels last": ChannelsLast(nn.RMSNorm(c)),
    }
    return {name: layer.double() for name, layer in made.items()}


def describe(layer: nn.Module) -> dict[str, str]:
    """What a layer for (N, C, H, W) of `SIZES` does.

    Returns:
        `statistics`: how many it computes while it is trained, as a product of the letters of `SIZES`, and of which
        kind; `gamma` and `beta`: how many of each it learns, or none; `evaluation`: what it normalizes with then.

    Raises:
        ValueError: its sets of values are no such product.
    """
    x = torch.randn([SIZES[letter] for letter in "NCHW"], generator=torch.Generator().manual_seed(0)).double()
    number, formula = _sets(layer.train(), x)
    if number != math.prod(SIZES[letter] for letter in formula.split("·")):
        raise ValueError(f"{number} sets share their statistics; {formula} would be another number")
    centred = torch.allclose(layer(x + 1), layer(x))
    learned = [tuple(parameter.shape) for parameter in layer.parameters()]
    gamma, beta = [*map(_letters, learned), "none", "none"][:2]
    return {
        "statistics": f"{formula} means and deviations" if centred else f"{formula} root mean squares",
        "gamma": gamma,
        "beta": beta,
        "evaluation": _evaluation(layer, x),
    }


def _shares(layer: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    """Whether each value that comes out depends on each that goes in: (values, values)."""
    derivatives: Tensor = torch.autograd.functional.jacobian(layer, x)  # type: ignore[no-untyped-call]
    return derivatives.reshape(x.numel(), x.numel()).abs() > 1e-12


def _sets(layer: nn.Module, x: Tensor) -> tuple[int, str]:
    """How many sets of values share, and in what values agree that do."""
    shares = _shares(layer, x)
    first = shares[0].reshape(x.shape).nonzero()
    apart = []
    for axis, letter in enumerate("NCHW"):
        places = len(set(first[:, axis].tolist()))
        if places < x.shape[axis]:
            apart.append(letter if places == 1 else "G")
    return len(set(map(tuple, shares.tolist()))), "·".join(apart)


def _letters(shape: tuple[int, ...]) -> str:
    return "·".join(next(letter for letter, size in SIZES.items() if size == length) for length in shape)


def _evaluation(layer: nn.Module, x: Tensor) -> str:
    layer = copy.deepcopy(layer)
    trained = layer.train()(x).detach()
    if torch.equal(layer.eval()(x), trained):
        return "the same"
    alone = _shares(layer, x).equal(torch.eye(x.numel(), dtype=torch.bool))
    return "running statistics" if alone else "other statistics"


def table() -> pd.DataFrame:
    """What each of the layers was found to do, a row each."""
    titles = {"statistics": "in training", "evaluation": "in evaluation", "gamma": "gammas", "beta": "betas"}
    rows = [{"layer": name} | describe(layer) for name, layer in layers().items()]
    return pd.DataFrame(rows)[["layer", "statistics", "gamma", "beta", "evaluation"]].rename(columns=titles)
