"""The chapter on one's own network: faults of published solutions, built anew, and what the check says of each."""

from collections.abc import Callable
from dataclasses import dataclass

import pandas as pd
import torch
from torch import Tensor, nn

from normstudy import training
from normstudy.checking import verdict
from normstudy.checking.examination import of_one
from normstudy.display.notation import count
from normstudy.model import Net

GROUPS = 4


@dataclass(frozen=True)
class Planted:
    """A fault in a layer.

    Attributes:
        meant: the normalization that was asked for.
        written: what stands in its place.
        layer: makes the layer, for so many channels of so many rows.
        published: whether it was found in a published solution.
    """

    meant: str
    written: str
    layer: Callable[[int, int], nn.Module]
    published: bool = False


class Function(nn.Module):
    """A layer without gamma and beta, whose calculation is given."""

    def __init__(self, calculate: Callable[[Tensor], Tensor]):
        super().__init__()
        self.calculate = calculate

    def forward(self, x: Tensor) -> Tensor:
        """What is calculated, (N, C, H, W) as its input."""
        return self.calculate(x)


def _over(*axes: int) -> Callable[[int, int], nn.Module]:
    """A layer that normalizes over some axes of (N, C, H, W)."""

    def calculate(x: Tensor) -> Tensor:
        return (x - x.mean(axes, keepdim=True)) / (x.var(axes, correction=0, keepdim=True) + 1e-5).sqrt()

    return lambda channels, rows: Function(calculate)


def _by_variance(x: Tensor) -> Tensor:
    groups = x.reshape(len(x), GROUPS, -1)
    return ((groups - groups.mean(2, keepdim=True)) / (groups.var(2, keepdim=True) + 1e-5)).view_as(x)


def _across_images(x: Tensor) -> Tensor:
    groups = x.reshape(2, -1)
    return ((groups - groups.mean(1, keepdim=True)) / groups.std(1, keepdim=True)).view_as(x)


def _out_of_the_gradient(x: Tensor) -> Tensor:
    fixed, axes = x.detach(), (1, 2, 3)
    return (x - fixed.mean(axes, keepdim=True)) / (fixed.var(axes, correction=0, keepdim=True) + 1e-5).sqrt()


PLANTED = (
    Planted("group", "by hand: the variance is taken for σ", lambda c, h: Function(_by_variance), published=True),
    Planted("layer", "nn.LayerNorm([C, H, W])", lambda c, h: nn.LayerNorm([c, h, h]), published=True),
    Planted("group", "by hand: a view that takes in other images", lambda c, h: Function(_across_images)),
    Planted("group", "nn.GroupNorm(1, C)", lambda c, h: nn.GroupNorm(1, c)),
    Planted("layer", "by hand: over the places alone", _over(2, 3)),
    Planted("layer", "by hand: over the channels of each place", _over(1)),
    Planted("layer", "by hand: over everything", _over(0, 1, 2, 3)),
    Planted("batch", "by hand: over the images alone", _over(0)),
    Planted("layer", "by hand: μ and σ out of the gradient", lambda c, h: Function(_out_of_the_gradient)),
    Planted("batch", "no running statistics", lambda c, h: nn.BatchNorm2d(c, track_running_stats=False)),
)


def faults(planted: tuple[Planted, ...] = PLANTED) -> pd.DataFrame:
    """What the check says of the study's network, each fault in the place of its first normalization, a row each."""
    return pd.DataFrame([_row(each) for each in planted])


def _row(planted: Planted) -> dict[str, str]:
    def make() -> nn.Module:
        torch.manual_seed(0)
        net = Net(planted.meant, GROUPS)
        net.features[0][1] = planted.layer(8, 14)  # type: ignore[operator]
        return net

    ((_, judged),) = verdict.judge({planted.meant: of_one(make)}).items()
    layer = judged["layers"][0]
    said = [fault["found"] for fault in judged["faults"]] or [f"a remark: {judged['remarks'][0]}"]
    return {
        "found in": "a published solution" if planted.published else "the tests",
        "meant": planted.meant,
        "written": planted.written,
        "what shares, as measured": layer["extent"],
        "means: by formula / measured": f"{count(verdict.by_formula(planted.meant, layer))} / {count(layer['count'])}",
        "γ and β": verdict.gamma_and_beta(layer),
        "what the check says": said[0],
    }


def penalties() -> pd.DataFrame:
    """How many of the network's parameters move by L1 alone: as the study adds it, and in two published ways."""
    net = Net("batch")
    weights = list(training.penalized_weights(net))
    ways = {
        "the weights of convolutions and of the linear layer": 1.0 * sum(weight.abs().sum() for weight in weights),
        "the same, its factor overwritten with 0": 0.0 * sum(weight.abs().sum() for weight in weights),
        "all parameters, gamma and beta too": 1.0 * sum(each.abs().sum() for each in net.parameters()),
    }
    rows = []
    for what, penalty in ways.items():
        assert isinstance(penalty, Tensor)
        gradients = torch.autograd.grad(penalty, list(net.parameters()), allow_unused=True)
        moved = [each for each, gradient in zip(net.parameters(), gradients, strict=True) if _moves(gradient)]
        own = sum(any(each is weight for weight in weights) for each in moved)
        rows.append({"L1 covers": what, "weights that it moves": own, "other parameters": len(moved) - own})
    return pd.DataFrame(rows)


def _moves(gradient: Tensor | None) -> bool:
    return gradient is not None and bool(gradient.any())
