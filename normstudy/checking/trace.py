"""What a network computes, operation by operation, recorded so that parts of it can be computed again.

It is recorded where PyTorch dispatches operations, so that modules, functional calls and arithmetic by hand look alike.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.module import register_module_forward_hook, register_module_forward_pre_hook
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves, tree_map_only


@dataclass(frozen=True)
class Step:
    """One operation: what it was called with, what it returned, and the innermost module that was at work."""

    operation: Any
    arguments: tuple[Any, ...]
    options: dict[str, Any]
    returned: Any
    module: str

    @property
    def name(self) -> str:
        """The operation's, without the `_` of those that change a tensor in place."""
        return str(self.operation._schema.name).removeprefix("aten::").rstrip("_")

    @property
    def inputs(self) -> list[Tensor]:
        """The tensors that it was given."""
        return _tensors((self.arguments, self.options))

    @property
    def outputs(self) -> list[Tensor]:
        """The tensors that it returned."""
        return _tensors(self.returned)

    @property
    def written(self) -> set[int]:
        """What it changed in place, by `storage`."""
        return {storage(each) for each in self.outputs if any(each is other for other in self.inputs)}


@dataclass(frozen=True)
class Call:
    """One call of a module: what it was given first, what it returned, and the numbers of its operations."""

    module: str
    given: Any
    returned: Any
    begin: int
    end: int


@dataclass
class Trace:
    """All operations of one forward pass.

    Attributes:
        given: the network's input.
        returned: its output.
        steps: the operations, in order.
        calls: those of its modules, in the order in which they ended.
        values: by tensor, its values at their times: (the number of the step after which it had them, a copy).
    """

    given: Tensor
    returned: Any = None
    steps: list[Step] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    values: dict[int, list[tuple[int, Tensor]]] = field(default_factory=dict)

    def value(self, tensor: Tensor, time: int) -> Tensor:
        """A copy of what a tensor held after step `time`, or of what it held first."""
        before = [copy for when, copy in self.values[id(tensor)] if when <= time]
        return (before or [self.values[id(tensor)][0][1]])[-1].clone()

    def replay(self, start: int, end: int, tensor: Tensor, value: Tensor, wanted: Tensor) -> Tensor:
        """What `wanted` would be after step `end`, had `tensor` had another value after step `start`.

        Only what depends on that tensor, or on nothing, is computed again, in float64; chance falls the same each time.
        """
        now: dict[int, Tensor] = {id(tensor): value.double().clone()}  # some operations work in place
        changed = {storage(tensor)}

        def current(old: Tensor, time: int) -> Tensor:
            if id(old) not in now:
                # What does not depend on it is as it was by then: a pass may make its own gamma, and fill it.
                copy = self.value(old, start if storage(old) in changed else time)
                now[id(old)] = copy.double() if copy.is_floating_point() else copy
            return now[id(old)]

        with torch.random.fork_rng(devices=()):
            # torch.manual_seed prepares CUDA, too, which takes longer than a step.
            torch.default_generator.manual_seed(0)
            for number, step in enumerate(self.steps[start + 1 : end + 1], start + 1):
                inputs, outputs = step.inputs, step.outputs
                depends = any(storage(each) in changed for each in inputs)
                if inputs and not depends and not all(id(each) in now for each in inputs):
                    continue
                arguments, options = tree_map_only(
                    Tensor, partial(current, time=number - 1), (step.arguments, step.options)
                )
                again = _tensors(step.operation(*arguments, **options))
                changed.update(storage(each) for each in outputs if depends)
                if not inputs:
                    again = [each.double() if each.is_floating_point() else each for each in again]
                now.update((id(old), new) for old, new in zip(outputs, again, strict=True))
        return current(wanted, end)


def storage(tensor: Tensor) -> int:
    """What tensors have in common that are views of one another."""
    return int(tensor.untyped_storage()._cdata)


@torch.no_grad()
def record(net: nn.Module, images: Tensor) -> Trace:
    """Run a network on images (N, 1, 28, 28), in the mode in which it is."""
    trace = Trace(images)
    with _modules(net, trace) as path, _Recorder(trace, path):
        trace.returned = net(images)
    return trace


class _Recorder(TorchDispatchMode):  # type: ignore[no-untyped-call]
    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        return False  # since to skip PyTorch's compiler is to import it first, for seconds

    def __init__(self, trace: Trace, path: list[tuple[str, int]]):
        super().__init__()  # type: ignore[no-untyped-call]
        self.trace = trace
        self.path = path
        self._kept(trace.given, -1)

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        options = kwargs or {}
        number = len(self.trace.steps)
        for tensor in _tensors((args, options)):
            if id(tensor) not in self.trace.values:
                self._kept(tensor, -1)
        returned = func(*args, **options)
        step = Step(func, args, options, returned, self.path[-1][0] if self.path else "")
        self.trace.steps.append(step)
        for tensor in step.outputs:
            self._kept(tensor, number)
        return returned

    def _kept(self, tensor: Tensor, time: int) -> None:
        self.trace.values.setdefault(id(tensor), []).append((time, tensor.detach().clone()))


@contextmanager
def _modules(net: nn.Module, trace: Trace) -> Iterator[list[tuple[str, int]]]:
    """The names of the modules that are at work, the innermost last, each with the number of its first operation."""
    names = {id(module): name for name, module in net.named_modules()}
    path: list[tuple[str, int]] = []

    def begin(module: nn.Module, *_: Any) -> None:
        path.append((names.get(id(module), path[-1][0] if path else ""), len(trace.steps)))

    def end(_: nn.Module, given: tuple[Any, ...], returned: Any) -> None:
        name, first = path.pop()
        trace.calls.append(Call(name, given[0] if given else None, returned, first, len(trace.steps) - 1))

    hooks = [register_module_forward_pre_hook(begin), register_module_forward_hook(end)]
    try:
        yield path
    finally:
        for hook in hooks:
            hook.remove()


def _tensors(tree: Any) -> list[Tensor]:
    return [leaf for leaf in tree_leaves(tree) if isinstance(leaf, Tensor)]
