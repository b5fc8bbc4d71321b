"""Builds somebody's network with each normalization, and says what it really computes: plain data, to be judged."""

import traceback
from collections.abc import Callable
from functools import partial
from typing import Any, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from normstudy.checking import derivative, running, sharing
from normstudy.checking.layers import Layer, find
from normstudy.checking.trace import Trace, record
from normstudy.machine import model_files
from normstudy.machine.model_files import ModelError
from normstudy.model import count_parameters
from normstudy.training import l1_penalty, l2_penalty

ARGUMENTS = ("batch", "layer", "group")
"""The values of `norm_arg` that are examined."""

IMAGES = 6  # of a batch: not the number of channels of many layers, and two and three divide it
CLASSES = 10

Found = dict[str, Any]


def examine(make: Callable[..., Any]) -> dict[str, Found]:
    """What there is to say of the network with each normalization, by the value of `norm_arg`.

    Raises:
        ModelError: the network can be built with none of them.
    """
    found: dict[str, Found] = {}
    refused: list[ModelError] = []
    for norm_arg in ARGUMENTS:
        try:
            build(make, norm_arg)
        except ModelError as error:
            refused.append(error)
            found[norm_arg] = _broken(error)
        else:
            found[norm_arg] = of_one(partial(build, make, norm_arg))
    if len(refused) == len(ARGUMENTS):
        raise refused[0]
    return found


def build(make: Callable[..., Any], norm_arg: str) -> nn.Module:
    """A new network, the same each time, with all its parameters.

    Raises:
        ModelError: it cannot be built.
    """
    torch.manual_seed(0)
    return model_files.with_all_parameters(model_files.construct(make, norm_arg, {}))


def of_one(make: Callable[[], nn.Module]) -> Found:
    """What there is to say of one network; `make` builds it anew, the same each time."""
    net = make()
    try:
        logits = run(net)
    except ModelError as error:
        return _broken(error)
    trained = {name: parameter for name, parameter in net.named_parameters() if parameter.requires_grad}
    return {
        "parameters": count_parameters(net),
        "without_gradient": [name for name, parameter in trained.items() if parameter.grad is None],
        "derivative": derivative.agrees(_moved(make()).train(), _images(0)),
        "probabilities": bool((logits >= 0).all() and torch.allclose(logits.sum(dim=1), torch.ones(IMAGES))),
        **_penalties(_moved(net), trained),  # at 0 no penalty has a gradient
        **_normalization(make),
    }


def run(net: nn.Module) -> Tensor:
    """Run a network forward and backward in training mode, and in evaluation mode: the logits (N, 10) of the first.

    Raises:
        ModelError: it raises an exception, which is the cause of the error, or gives something else than logits.
    """
    images = _images(0)
    try:
        logits = _logits(net.train(), images)
        if not logits.isfinite().all():
            raise ModelError("gives numbers that are not finite")
        F.cross_entropy(logits, torch.arange(IMAGES)).backward()  # type: ignore[no-untyped-call]
        _logits(net, images[:3])
        _logits(net.eval(), images[:1])
    except ModelError:
        raise
    except Exception as error:
        raise ModelError(model_files.raised(error)) from error
    return logits


def _logits(net: nn.Module, images: Tensor) -> Tensor:
    logits = net(images)
    if not isinstance(logits, Tensor) or logits.shape != (len(images), CLASSES):
        given = tuple(logits.shape) if isinstance(logits, Tensor) else type(logits).__name__
        raise ModelError(f"gives {given} for {tuple(images.shape)}; it must give {(len(images), CLASSES)}")
    return logits


def find_some(net: nn.Module) -> None:
    """See that a network has a normalization behind a layer with weights.

    Raises:
        ModelError: it has none.
    """
    if not any(layer.weighted_before for layer in find(net, record(net.train(), _images(0)))):
        raise ModelError(
            "normalizes nothing behind a layer with weights; 'normstudy check' measures what layers compute"
        )


def try_out(net: nn.Module, reference: str, norm_arg: str, look: bool = True) -> None:
    """Run a network that a reference has made with `norm_arg`; `look` whether it normalizes, if it is to.

    Raises:
        ModelError: it cannot be used. The message names the reference.
    """
    try:
        run(net)
        if look and norm_arg != "none":
            find_some(net)
    except ModelError as error:
        raise ModelError(f"{reference} with norm_arg {norm_arg} {error}") from error


def _broken(error: ModelError) -> Found:
    return {"broken": str(error), "traceback": "".join(traceback.format_exception(error)), "layers": []}


def _images(seed: int) -> Tensor:
    return torch.randn(IMAGES, 1, 28, 28, generator=torch.Generator().manual_seed(seed))


def _penalties(net: nn.Module, trained: dict[str, nn.Parameter]) -> Found:
    """The parameters that each penalty moves, and the matrices and kernels that neither does."""
    moved: dict[str, list[str]] = {"l1": [], "l2": []}
    for name, penalty in (("l1", l1_penalty), ("l2", l2_penalty)):
        try:
            gradients = torch.autograd.grad(penalty(net), list(trained.values()), allow_unused=True)
        except (RuntimeError, ValueError):  # there are no weights that it could cover
            continue
        moved[name] = [
            each for each, gradient in zip(trained, gradients, strict=True) if gradient is not None and gradient.any()
        ]
    free = [name for name, value in trained.items() if value.dim() > 1 and name not in moved["l1"] + moved["l2"]]
    return {"l1": moved["l1"], "l2": moved["l2"], "not_penalized": free}


def _normalization(make: Callable[[], nn.Module]) -> Found:
    """The normalization layers in training mode, and what becomes of them in evaluation mode."""
    net, images = _moved(make()), _images(0)
    layers = find(net, _step(net, images))
    measured = [_layer(layer) for layer in layers]
    alike = [place for place, layer in enumerate(measured) if "batch" in layer["names"]]
    for place, word in zip(alike, _running(make, [layers[place] for place in alike]), strict=True):
        measured[place]["running"] = word
    return {"layers": measured, **_evaluation(net.eval(), images)}


def _step(net: nn.Module, images: Tensor) -> Trace:
    torch.manual_seed(0)
    return record(net.train(), images)


def _running(make: Callable[[], nn.Module], layers: list[Layer]) -> list[str]:
    """What each layer's running statistics take up; in float32, rounding hides which variance it is."""
    if not layers:
        return []
    net, images = _moved(make()).double(), _images(0).double()
    try:
        return running.of_layers(net, images, layers, lambda: _step(net, images))
    except (RuntimeError, TypeError):  # an operation that takes no float64, or float32 beside it
        net, images = _moved(make()), _images(0)
    words = running.of_layers(net, images, layers, lambda: _step(net, images))
    return [word if word.startswith("unmoved") else "" for word in words]


@torch.no_grad()
def _moved(net: nn.Module) -> nn.Module:
    """The network with other parameters: gamma is not 1, nor beta 0."""
    generator = torch.Generator().manual_seed(1)
    for parameter in net.parameters():
        factor, shift = (torch.rand(parameter.shape, generator=generator) for _ in range(2))
        parameter.mul_(0.8 + 0.4 * factor).add_(0.1 * shift)
    return net


def _layer(layer: Layer) -> Found:
    found = sharing.measure(layer.function, layer.shape)
    given = sharing.example(layer.shape)
    returned = layer.function(given)
    each = torch.arange(1.0, layer.shape[1] + 1).view(1, -1, 1, 1)
    same = not sharing.differs(returned, layer.function(given + each)).any()
    regular = "some" not in found.extent
    complete = layer.kind in ("mean and deviation", "deviation")
    return {
        "name": _name(layer),
        "shape": list(layer.shape),
        "kind": layer.kind,
        "names": list(found.names),
        "extent": found.extent,
        "groups": found.groups,
        "count": found.count,
        "size": found.size,
        "even": found.even,
        "sheet": found.sheet,
        "exact": not (complete and regular)
        or sharing.normalizes(layer.function, found, layer.kind == "mean and deviation"),
        "constant": same and layer.kind == "fixed",
        "parameters": {name: list(shape) for name, shape in layer.parameters.items()},
        "before": layer.weighted_before,
        "after": layer.weighted_after,
        "useless_bias": layer.after if layer.bias and same and layer.kind != "fixed" else "",
        "running": "",
    }


def _name(layer: Layer) -> str:
    return layer.module if layer.leaf else f"{layer.module or 'forward'} (after {layer.after or 'the input'})"


def _evaluation(net: nn.Module, images: Tensor) -> Found:
    """Whether an image's answer depends on the others, and on chance; and what the layers share."""

    @torch.no_grad()
    def answer(images: Tensor, seed: int) -> Tensor:
        torch.manual_seed(seed)
        return cast(Tensor, net(images))[0]

    def differs(one: Tensor, other: Tensor) -> bool:
        return bool((one - other).abs().max() > 1e-3 * one.abs().max())

    here, there = answer(images, 0), answer(torch.cat([images[:1], _images(1)[1:]]), 0)
    again = answer(images, 1)
    layers = []
    for layer in find(net, record(net, images)):
        alone = layer.kind == "fixed"
        found = None if alone else sharing.measure(layer.function, layer.shape)
        names, extent = ([], "") if found is None else (list(found.names), found.extent)
        layers.append({"name": _name(layer), "kind": layer.kind, "names": names, "extent": extent})
    return {"company": differs(here, there), "chance": differs(here, again), "evaluation": layers}
