"""A network as the page runs it: its layers in order with their weights, or a word on why it cannot be described."""

import base64
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from normstudy.display.plain_layers import describe
from tests.trainings import build


def numbers(text: str) -> Tensor:
    """What the page reads: little-endian float32."""
    return torch.from_numpy(np.frombuffer(base64.b64decode(text), "<f4").copy())


def computed(layers: list[dict[str, Any]], values: Tensor) -> Tensor:
    """What described layers compute, from nothing but their description."""
    for layer in layers:
        arrays = {name: numbers(text) for name, text in layer.get("arrays", {}).items()}
        match layer["kind"]:
            case "convolution":
                weight, bias = arrays["weight"].view(layer["shape"]), arrays.get("bias")
                how = (layer[name] for name in ("stride", "padding", "dilation", "groups"))
                values = F.conv2d(values, weight, bias, *how)
            case "batch":
                kept = (arrays[name] for name in ("means", "variances", "gamma", "beta"))
                values = F.batch_norm(values, *kept, eps=layer["epsilon"])
            case "group":
                parameters = (arrays.get(name) for name in ("gamma", "beta"))
                values = F.group_norm(values, layer["groups"], *parameters, eps=layer["epsilon"])
            case "relu":
                values = values.relu()
            case "maximum":
                values = F.max_pool2d(values, layer["size"], layer["stride"])
            case "average":
                values = F.avg_pool2d(values, layer["size"], layer["stride"])
            case "average over all":
                values = values.mean(dim=(2, 3))
            case "linear":
                values = values.flatten(1)
                values = values @ arrays["weight"].view(-1, values.shape[1]).T + arrays.get("bias", torch.zeros(()))
    return values


OTHER = nn.Sequential(
    nn.Conv2d(1, 4, (3, 5), stride=(1, 2), padding=(1, 0), dilation=2, bias=False),
    nn.GroupNorm(4, 4, affine=False, eps=0.25),
    nn.AvgPool2d((2, 1), stride=1),
    nn.Dropout2d(0.5),
    nn.Conv2d(4, 6, 1, groups=2),
    nn.BatchNorm2d(6, eps=0.5),
    nn.MaxPool2d(3, stride=2),
    nn.Flatten(),
    nn.Dropout(0.5),
    nn.Identity(),
    nn.Linear(6 * 48, 3, bias=False),
)


@torch.no_grad()
def with_other_numbers(net: nn.Module) -> nn.Module:
    """The same network with random parameters and statistics, so that none is left at 0 or 1."""
    generator = torch.Generator().manual_seed(0)
    for tensor in net.state_dict().values():
        if tensor.is_floating_point():
            tensor.copy_(torch.rand(tensor.shape, generator=generator) - 0.4 * (tensor.ndim > 1))
    return net


@pytest.mark.parametrize("name", ["batch", "layer", "group", "instance", "none", "other"])
def test_the_description_computes_what_the_network_does_in_evaluation_mode(name: str):
    net = with_other_numbers(OTHER if name == "other" else build(name)).train()
    images = torch.rand(3, 1, 28, 28, generator=torch.Generator().manual_seed(1))
    found = computed(describe(net), images)
    assert net.training, "to describe a network changes nothing"
    torch.testing.assert_close(found, net.eval()(images), rtol=1e-4, atol=1e-5)


def test_layers_that_do_nothing_in_evaluation_mode_are_left_out():
    kinds = [layer["kind"] for layer in describe(OTHER)]
    assert kinds == ["convolution", "group", "average", "convolution", "batch", "maximum", "linear"]


class MoreInTraining(nn.Sequential):
    def forward(self, images: Tensor) -> Tensor:
        return super().forward(images + 1 if self.training else images)


def test_what_is_done_in_training_alone_is_left_out():
    assert [layer["kind"] for layer in describe(MoreInTraining(nn.ReLU()).train())] == ["relu"]


class Residual(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Conv2d(1, 1, 1), nn.Conv2d(1, 1, 1)

    def forward(self, images: Tensor) -> Tensor:
        return self.second(self.first(images)) + images


class Unused(Residual):
    def forward(self, images: Tensor) -> Tensor:
        maps = self.first(images)
        self.second(maps)
        return maps


class Branching(Residual):
    def forward(self, images: Tensor) -> Tensor:
        return self.first(images) if images.sum() > 0 else self.second(images)


class TwoChains(Residual):
    def forward(self, images: Tensor, others: Tensor) -> tuple[Tensor, Tensor]:
        return self.first(images), self.second(others)


class ByFunction(Residual):
    def forward(self, images: Tensor) -> Tensor:
        return torch.relu(self.first(images))


@pytest.mark.parametrize(
    ("net", "why"),
    [
        (Residual(), "the page runs chains of layers, and what follows images is none"),
        (Unused(), "the page runs chains of layers, and what follows first is none"),
        (TwoChains(), "the page runs chains of layers, and what follows images is none"),
        (Branching(), r"the page cannot follow the network \(TraceError\)"),
        (ByFunction(), r"the page cannot run .*relu.*; a layer of torch\.nn can be described"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, nn.Module) else "",
)
def test_what_is_no_chain_of_layers_is_refused(net: nn.Module, why: str):
    with pytest.raises(ValueError, match=why):
        describe(net)


@pytest.mark.parametrize(
    "layer",
    [
        nn.Tanh(),
        nn.Conv2d(1, 1, 3, padding="same"),
        nn.Conv2d(1, 1, 3, padding=1, padding_mode="reflect"),
        nn.BatchNorm2d(1, track_running_stats=False),
        nn.MaxPool2d(2, padding=1),
        nn.MaxPool2d(2, dilation=2),
        nn.MaxPool2d(2, ceil_mode=True),
        nn.AvgPool2d(2, padding=1),
        nn.AvgPool2d(2, ceil_mode=True),
        nn.AvgPool2d(2, divisor_override=3),
        nn.AdaptiveAvgPool2d(2),
    ],
    ids=str,
)
def test_a_layer_that_the_page_computes_otherwise_is_named(layer: nn.Module):
    with pytest.raises(ValueError, match="the page cannot run") as refusal:
        describe(nn.Sequential(nn.ReLU(), layer))
    assert str(refusal.value) == f"the page cannot run {layer} (1)"
