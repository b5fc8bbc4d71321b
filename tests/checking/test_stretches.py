"""The stretches of arithmetic of a forward pass: where they begin, what goes on, and what comes back."""

from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from normstudy.chapters.check import Function
from normstudy.checking import stretches
from normstudy.checking.stretches import Stretch
from normstudy.checking.trace import Trace, record

Calculation = Callable[[Tensor], Tensor]

GAMMA = torch.rand(6, 1, 1)

ARITHMETIC: dict[str, Calculation] = {
    "native_batch_norm": lambda x: F.batch_norm(x, None, None, training=True),
    "native_group_norm": lambda x: F.group_norm(x, 2),
    "native_layer_norm": lambda x: F.layer_norm(x, x.shape[1:]),
    "mean": lambda x: x.mean((0, 2, 3)),
    "var": lambda x: x.var((1, 2, 3)),
    "std_mean": lambda x: torch.std_mean(x, 1)[0],
    "linalg_vector_norm": lambda x: x.norm(dim=1),
    "amax": lambda x: x.amax(1),
    "max": lambda x: x.max(),
    "sub": lambda x: x - 1,
    "mul": lambda x: x * GAMMA,
    "addcmul": lambda x: torch.addcmul(GAMMA, x, GAMMA),
    "view": lambda x: x.view(4, 2, -1),
    "permute": lambda x: x.permute(0, 2, 3, 1),
    "clone": lambda x: x.clone(),
    "_to_copy": lambda x: x.double(),
    "slice": lambda x: x[:, :2],
    "split": lambda x: x.chunk(2, dim=1)[0],
    "cat": lambda x: torch.cat([x, x]),
    "index": lambda x: x[:, torch.tensor([1, 0])],
    "zeros_like": torch.zeros_like,
    "pow": lambda x: x**2,
    "rsqrt": torch.rsqrt,
    "abs": torch.abs,
    "lerp": lambda x: x.lerp(GAMMA, 0.5),
}
OTHERS: dict[str, Calculation] = {
    "convolution": lambda x: F.conv2d(x, torch.ones(6, 6, 1, 1)),
    "addmm": lambda x: F.linear(x.flatten(1), torch.ones(10, 150), torch.ones(10)),
    "relu": F.relu,
    "tanh": torch.tanh,
    "exp": torch.exp,
    "_softmax": lambda x: x.softmax(dim=1),
    "max_pool2d_with_indices": lambda x: F.max_pool2d(x, 2),
    "avg_pool2d": lambda x: F.avg_pool2d(x, 2),
}


def divided(calculate: Calculation) -> tuple[Trace, list[Stretch], set[int]]:
    trace = record(Function(calculate), torch.rand(4, 6, 5, 5))
    return trace, *stretches.divide(trace)


def described(calculate: Calculation) -> list[tuple[str, set[int], list[str]]]:
    """Of each stretch: the operation that it begins with, its parents and its operations."""
    trace, found, _ = divided(calculate)
    names = [step.name for step in trace.steps]
    return [
        (
            names[stretch.begin] if stretch.begin >= 0 else "",
            set(stretch.parents),
            [names[number] for number in stretch.steps],
        )
        for stretch in found
    ]


def test_the_network_s_input_is_the_entry_of_the_first_stretch():
    trace, (first,), constants = divided(lambda x: x)
    assert first.entry is trace.given
    assert (first.begin, first.parents, first.steps) == (-1, frozenset(), [])
    assert constants == set()


@pytest.mark.parametrize("name", ARITHMETIC)
def test_arithmetic_goes_on_with_a_stretch(name: str):
    ((_, _, steps),) = described(ARITHMETIC[name])
    assert name in steps


@pytest.mark.parametrize("name", OTHERS)
def test_what_is_no_arithmetic_ends_a_stretch_and_begins_the_next(name: str):
    trace, (first, second), _ = divided(lambda x: OTHERS[name](x + 1) - 1)
    begin = trace.steps[second.begin]
    assert begin.name == name
    assert second.entry is begin.outputs[0]
    assert second.parents == {0}
    assert trace.steps[first.steps[0]].name == "add"
    assert [trace.steps[number].name for number in second.steps] == ["sub"]


def test_every_operation_goes_by_a_name_that_pytorch_has():
    assert [name for name in stretches.ARITHMETIC if not hasattr(torch.ops.aten, name)] == []


@given(words=st.lists(st.sampled_from(["mul", "sub", "abs", "relu", "tanh", "exp"]), max_size=8))
def test_a_chain_is_cut_where_its_nonlinearities_are(words: list[str]):
    def chain(x: Tensor) -> Tensor:
        for word in words:
            x = {**ARITHMETIC, **OTHERS}[word](x)
        return x

    cuts = [number for number, word in enumerate(words) if word in OTHERS]
    trace, found, _ = divided(chain)
    assert [step.name for step in trace.steps] == words
    assert [stretch.begin for stretch in found] == [-1, *cuts]
    assert [stretch.steps for stretch in found] == [
        list(range(begin + 1, end)) for begin, end in zip([-1, *cuts], [*cuts, len(words)], strict=True)
    ]
    assert [stretch.parents for stretch in found] == [set(), *({before} for before in range(len(cuts)))]


def test_a_nonlinearity_in_place_begins_a_stretch_though_its_memory_is_the_same():
    assert described(lambda x: F.relu(x * 2, inplace=True) - 1) == [("", set(), ["mul"]), ("relu", {0}, ["sub"])]


def test_all_that_an_operation_gives_belongs_to_the_stretch_that_it_begins():
    found = described(lambda x: F.max_pool2d(x, 2, return_indices=True)[1] + 1)
    assert found == [("", set(), []), ("max_pool2d_with_indices", {0}, ["add"])]


def test_where_two_paths_of_one_size_meet_a_stretch_begins():
    paths = described(lambda x: (x + torch.relu(x)) * 2)
    assert paths == [("", set(), []), ("relu", {0}, []), ("add", {0, 1}, ["mul"])]


def test_what_is_of_one_stretch_may_be_of_any_size():
    assert described(lambda x: torch.cat([x, x]) + torch.cat([x * 2, x])) == [("", set(), ["cat", "mul", "cat", "add"])]


def test_statistics_may_go_through_any_operations_and_come_back():
    found = described(lambda x: x * torch.sigmoid(torch.tanh(x.mean((2, 3), keepdim=True)) + 1))
    assert found == [("", set(), ["mean", "mul"]), ("tanh", {0}, ["add"]), ("sigmoid", {1}, [])]


def test_statistics_come_back_to_what_is_smaller_than_the_entry_too():
    def calculate(x: Tensor) -> Tensor:
        mean = x.mean((2, 3), keepdim=True)
        return x - mean * torch.sigmoid(mean)

    assert described(calculate) == [("", set(), ["mean", "mul", "sub"]), ("sigmoid", {0}, [])]


def test_what_comes_back_goes_on_with_no_nonlinearity():
    found = described(lambda x: torch.maximum(x, torch.tanh(x.mean((2, 3), keepdim=True))))
    assert found == [("", set(), ["mean"]), ("tanh", {0}, []), ("maximum", {0, 1}, [])]


def test_statistics_that_are_not_of_the_entry_alone_begin_a_stretch():
    def calculate(x: Tensor) -> Tensor:
        y = torch.relu(x)
        return y * torch.atan2(y.amax((2, 3), keepdim=True), x.amin((2, 3), keepdim=True))

    found = described(calculate)
    assert found == [("", set(), ["amin"]), ("relu", {0}, ["amax"]), ("atan2", {0, 1}, []), ("mul", {1, 2}, [])]


def test_statistics_of_what_came_before_begin_a_stretch():
    found = described(lambda x: torch.relu(x) * torch.tanh(x.mean((2, 3), keepdim=True)))
    assert found == [("", set(), ["mean"]), ("relu", {0}, []), ("tanh", {0}, []), ("mul", {1, 2}, [])]


def test_what_depends_on_no_image_is_in_no_stretch():
    trace, (only,), constants = divided(lambda x: x * torch.tanh(GAMMA * 2))
    assert [step.name for step in trace.steps] == ["mul", "tanh", "mul"]
    assert constants == {0, 1}
    assert only.steps == [2]


def test_memory_of_its_own_goes_on_with_what_is_written_into_it():
    def calculate(x: Tensor) -> Tensor:
        memory = torch.zeros(x.shape)
        memory[:, :2] = x[:, :2]
        return memory - 1

    trace, (only,), constants = divided(calculate)
    assert [trace.steps[number].name for number in only.steps] == ["slice", "copy", "sub"]
    assert "zeros" in {trace.steps[number].name for number in constants}


def test_what_gives_no_tensor_is_in_no_stretch():
    trace, (only,), constants = divided(lambda x: x * x.sum().item())
    assert [step.name for step in trace.steps] == ["sum", "_local_scalar_dense", "mul"]
    assert only.steps == [0, 2]
    assert constants == set()
