"""A network as the page runs it: a list of plain layers, their weights as text."""

import base64
import copy
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, fx, nn


def describe(net: nn.Module) -> list[dict[str, Any]]:
    """A network as a list of plain layers in the order in which they run, weights as base64 of little-endian float32.

    Raises:
        ValueError: it is not a chain of layers, or has one that `report/interactive/network.js` does not know.
    """
    try:
        graph = fx.symbolic_trace(copy.deepcopy(net).eval())  # a copy, since tracing can change what a network keeps
    except Exception as error:  # somebody's own network may do what cannot be traced
        raise ValueError(f"the page cannot follow the network ({type(error).__name__})") from error
    return list(_layers(graph))


def _layers(graph: fx.GraphModule) -> Iterator[dict[str, Any]]:
    previous = None
    for node in graph.graph.nodes:
        if node.op == "output":
            return
        if previous is not None and (node.all_input_nodes != [previous] or len(previous.users) != 1):
            raise ValueError(f"the page runs chains of layers, and what follows {previous.name} is none")
        if node.op == "call_module":
            yield from _layer(node.target, graph.get_submodule(node.target))
        elif node.op != "placeholder" and node.target not in ("flatten", torch.flatten):
            raise ValueError(f"the page cannot run {node.target} ({node.name}); a layer of torch.nn can be described")
        previous = node


def _layer(name: str, module: nn.Module) -> Iterator[dict[str, Any]]:
    match module:
        case nn.Conv2d(padding_mode="zeros") if not isinstance(module.padding, str):
            yield {
                "kind": "convolution",
                "stride": module.stride,
                "padding": module.padding,
                "dilation": module.dilation,
                "groups": module.groups,
                "shape": list(module.weight.shape),
                "arrays": _arrays(weight=module.weight, bias=module.bias),
            }
        case nn.BatchNorm2d(track_running_stats=True):
            arrays = _arrays(
                means=module.running_mean, variances=module.running_var, gamma=module.weight, beta=module.bias
            )
            yield {"kind": "batch", "epsilon": module.eps, "arrays": arrays}
        case nn.GroupNorm():
            arrays = _arrays(gamma=module.weight, beta=module.bias)
            yield {"kind": "group", "groups": module.num_groups, "epsilon": module.eps, "arrays": arrays}
        case nn.ReLU():
            yield {"kind": "relu"}
        case nn.MaxPool2d(padding=0, dilation=1, ceil_mode=False):
            yield {"kind": "maximum", "size": module.kernel_size, "stride": module.stride}
        case nn.AvgPool2d(padding=0, ceil_mode=False, divisor_override=None):
            yield {"kind": "average", "size": module.kernel_size, "stride": module.stride}
        case nn.AdaptiveAvgPool2d(output_size=1 | (1, 1)):
            yield {"kind": "average over all"}
        case nn.Linear():
            yield {"kind": "linear", "arrays": _arrays(weight=module.weight, bias=module.bias)}
        case nn.Identity() | nn.Flatten() | nn.Dropout() | nn.Dropout2d():
            return
        case _:
            raise ValueError(f"the page cannot run {module} ({name})")


def _arrays(**tensors: Tensor | None) -> dict[str, str]:
    return {
        name: base64.b64encode(tensor.detach().cpu().numpy().astype("<f4").tobytes()).decode()
        for name, tensor in tensors.items()
        if tensor is not None
    }
