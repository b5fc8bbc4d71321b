"""The network as a drawing: its layers from top to bottom, with the shapes and parameters that were measured."""

from dataclasses import dataclass, field

import torch
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from torch import Tensor, nn

from normstudy.display.figures import new_figure
from normstudy.display.notation import count
from normstudy.model import count_parameters


@dataclass
class Stage:
    """A layer that changes the shape of what it is given, and those behind it that do not.

    Attributes:
        layers: their names.
        shape: of what comes out for one image, (C, H, W) or (K,).
        parameters: how many each has.
    """

    layers: list[str]
    shape: tuple[int, ...]
    parameters: list[int] = field(default_factory=list)


@torch.no_grad()
def stages(net: nn.Module, images: Tensor) -> list[Stage]:
    """What images (N, 1, H, W) go through, as it is measured when they do; the first stage is an image itself."""
    found = [Stage(["image"], tuple(images.shape[1:]))]

    def note(layer: nn.Module, _: tuple[Tensor], returned: Tensor) -> None:
        shape, parameters = tuple(returned.shape[1:]), count_parameters(layer)
        if isinstance(layer, nn.Conv2d | nn.Linear) or shape != found[-1].shape:
            found.append(Stage([named(layer)], shape, [parameters] if parameters else []))
        elif not isinstance(layer, nn.Identity):
            found[-1].layers.append(named(layer))
            found[-1].parameters += [parameters] if parameters else []

    leaves = [layer for layer in net.modules() if not list(layer.children())]
    hooks = [layer.register_forward_hook(note) for layer in leaves]
    training = net.training
    net.eval()(images)
    net.train(training)
    for hook in hooks:
        hook.remove()
    return found


def named(layer: nn.Module) -> str:
    """A layer in words."""
    match layer:
        case nn.Conv2d():
            size = "×".join(map(str, layer.kernel_size))
            stride = f", stride {layer.stride[0]}" if layer.stride != (1, 1) else ""
            depthwise = "depthwise " if layer.groups == layer.in_channels > 1 else ""
            return f"{depthwise}convolution {size}{stride}"
        case nn.MaxPool2d():
            return f"maximum of {layer.kernel_size}×{layer.kernel_size}"
        case nn.Linear():
            return "linear"
    return type(layer).__name__


def figure(found: list[Stage]) -> Figure:
    """The stages from top to bottom: a sheet a channel, the layers, the shape C×H×W and the parameters."""
    drawn, axes = new_figure(4.2, 0.44 * len(found) + 0.3)
    axis = axes[0, 0]
    axis.axis("off")
    axis.set(xlim=(0, 4.2), ylim=(len(found) - 0.6, -1), aspect="auto")
    largest = max(max(stage.shape[1:], default=1) for stage in found)
    for place, words in ((1.0, "layers"), (3.25, "shape"), (4.2, "parameters")):
        axis.text(place, -0.75, words, ha="left" if place == 1 else "right", va="center", fontsize=8.5, weight="bold")
    for row, stage in enumerate(found):
        side = max(stage.shape[1:], default=1) / largest
        for channel in range(stage.shape[0]):
            corner = (0.05 + 0.035 * channel, row - 0.35 * side + 0.006 * channel)
            sheet = Rectangle(corner, 0.36 * side, 0.7 * side, facecolor="#DCE9F5", edgecolor="#33658A", linewidth=0.5)
            axis.add_patch(sheet)
        axis.text(1.0, row, "\n".join(_lines(stage.layers)), ha="left", va="center", fontsize=8.5, linespacing=1.1)
        axis.text(3.25, row, "×".join(map(str, stage.shape)), ha="right", va="center", fontsize=8.5)
        axis.text(4.2, row, " + ".join(map(count, stage.parameters)), ha="right", va="center", fontsize=8.5)
    return drawn


def _lines(layers: list[str]) -> list[str]:
    return [layers[0], ", ".join(layers[1:])] if len(layers) > 1 else layers


def alternative(found: list[Stage]) -> str:
    """The drawing in words."""
    total = sum(sum(stage.parameters) for stage in found)
    parts = [
        f"{', '.join(stage.layers)}: {'×'.join(map(str, stage.shape))}"
        + (f", {' + '.join(map(count, stage.parameters))} parameters" if stage.parameters else "")
        for stage in found
    ]
    return f"The network from top to bottom, {count(total)} parameters in all. {'; '.join(parts)}."
