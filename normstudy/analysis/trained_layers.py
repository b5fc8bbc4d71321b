"""What the normalization layers of a trained network really computed, read off their inputs and outputs."""

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from normstudy.analysis import stand_ins
from normstudy.experiments.inside import normalization_layers
from normstudy.model import Net, count_parameters

COMPANY = 7
"""How many images are put beside one to see whether they change what is said of it."""


@dataclass(frozen=True)
class Layer:
    """A normalization layer, and what went in and came out for one batch."""

    name: str
    module: nn.Module
    given: Tensor  # (N, C, H, W)
    returned: Tensor  # (N, C, H, W)
    written: str = "own layer"  # in the study's network, PyTorch's name


@torch.no_grad()
def observe(net: nn.Module, inputs: Tensor, training: bool = True) -> list[Layer]:
    """Run a copy of `net` on inputs (N, 1, H, W), in float64; keep what each normalization layer saw and returned.

    The layers of another network than the study's are those that `stand_ins` finds.
    """
    if not isinstance(net, Net):
        return [Layer(*each) for each in stand_ins.observe(net, inputs, training)]
    net = copy.deepcopy(net).double().train(training)
    seen: list[Layer] = []
    for name, layer in normalization_layers(net).items():
        layer.register_forward_hook(
            lambda module, given, returned, name=name: seen.append(
                Layer(name, module, given[0], returned, _written(module))
            )
        )
    net(inputs.double())
    return seen


def measured(layer: Layer) -> tuple[Tensor, Tensor]:
    """The mean and the standard deviation that the layer used for each image and channel, both (N, C).

    Gamma and beta are undone; what is left is (x − μ) / σ, whose spread and centre give σ and μ. Where a channel's
    input has (nearly) no spread, or its gamma is 0, nothing can be read off: NaN.
    """
    gamma, beta = (tensor.detach() for tensor in layer.module.parameters())  # (C,) or, of LayerNorm, (C, H, W)
    if gamma.dim() == 1:
        gamma, beta = gamma.view(-1, 1, 1), beta.view(-1, 1, 1)
    normalized = (layer.returned - beta) / gamma
    deviation = layer.given.std(dim=(2, 3)) / normalized.std(dim=(2, 3))
    mean = layer.given.mean(dim=(2, 3)) - deviation * normalized.mean(dim=(2, 3))
    readable = (layer.given.std(dim=(2, 3)) > 1e-6) & (gamma.abs().amin(dim=(1, 2)) > 1e-9)
    nothing = torch.full_like(mean, torch.nan)
    return torch.where(readable, mean, nothing), torch.where(readable, deviation, nothing)


def distinct(layer: Layer) -> int:
    """How many different pairs of a mean and a standard deviation the layer used, as far as they can be read off."""
    mean, deviation = measured(layer)
    pairs = torch.stack([mean.flatten(), deviation.flatten()], dim=1)
    pairs = pairs[~pairs.isnan().any(dim=1)]
    return len(torch.unique((pairs / pairs.abs().mean(dim=0)).round(decimals=6), dim=0))


@torch.no_grad()
def company(net: nn.Module, images: Tensor, index: int, trials: int, generator: torch.Generator) -> Tensor:
    """What `net` in training mode says of one image, each time with `COMPANY` other images beside it.

    Args:
        net: the network; a copy of it is run, so that its running statistics stay.
        images: (N, 1, H, W), from which the company is drawn.
        index: which image is asked about.
        trials: how often the company is changed.
        generator: draws the company.

    Returns:
        Probabilities (trials, K).
    """
    net = copy.deepcopy(net).train()
    answers = []
    for _ in range(trials):
        others = torch.randint(len(images), (COMPANY,), generator=generator)
        batch = torch.cat([images[index : index + 1], images[others]])
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)  # so that dropout, where there is some, drops the same each time
            answers.append(net(batch)[0].softmax(dim=0))
    return torch.stack(answers)


def parameter_counts(observed: Mapping[str, Sequence[Layer]]) -> list[dict[str, int | str]]:
    """Gamma and beta of each normalization layer, a row each, beside those of `nn.LayerNorm` in its place.

    The layers of these networks have one of each for each channel (C). `nn.LayerNorm` has, as Ba et al. (2016), one for
    each element of an image (C·H·W).

    Args:
        observed: variant → its layers, all of one architecture.
    """
    rows: list[dict[str, int | str]] = []
    for number, layers in enumerate(zip(*observed.values(), strict=False), 1):
        own = dict(zip(observed, layers, strict=True))
        shape = tuple(layers[0].given.shape[1:])
        row: dict[str, int | str] = {"layer": number, "input C×H×W": "×".join(map(str, shape))}
        row |= {f"{name}: {layer.written}": count_parameters(layer.module) for name, layer in own.items()}
        rows.append(row | {"LayerNorm([C, H, W])": count_parameters(nn.LayerNorm(shape))})
    total: dict[str, int | str] = {"layer": "all", "input C×H×W": ""}
    return [*rows, total | {key: sum(int(row[key]) for row in rows) for key in rows[0] if key not in total}]


def _written(layer: nn.Module) -> str:
    if isinstance(layer, nn.GroupNorm):
        return "GroupNorm(1, C)" if layer.num_groups == 1 else "GroupNorm(G, C)"
    return f"{type(layer).__name__}(C)"
