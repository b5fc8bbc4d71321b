"""What a network computes, as plain data: of each argument, of its layers, and what cannot be examined."""

import json
from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from normstudy.chapters.check import Function
from normstudy.checking import examination
from normstudy.machine.model_files import ModelError

NORMS: dict[str, Callable[[], nn.Module]] = {
    "batch": lambda: nn.BatchNorm2d(6),
    "layer": lambda: nn.GroupNorm(1, 6),
    "group": lambda: nn.GroupNorm(3, 6),
}


def network(norm: nn.Module, *last: nn.Module, bias: bool = False) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(1, 6, 7, 7, bias=bias), norm, nn.ReLU(), nn.Flatten(), nn.Linear(96, 10), *last)


def of_argument(norm_arg: str) -> nn.Module:
    return network(NORMS[norm_arg]())


def of(make: Callable[[], nn.Module]) -> dict[str, Any]:
    """What is found of one network, which is drawn the same each time."""

    def again() -> nn.Module:
        torch.manual_seed(0)
        return make()

    return examination.of_one(again)


def of_calculation(calculate: Callable[[Tensor], Tensor], bias: bool = False) -> dict[str, Any]:
    return of(lambda: network(Function(calculate), bias=bias))


class Refusing(nn.Module):
    """A network that raises an exception for so many images in one mode."""

    def __init__(self, number: int, training: bool):
        super().__init__()
        self.net, self.number, self.mode = of_argument("batch"), number, training

    def forward(self, x: Tensor) -> Tensor:
        if len(x) == self.number and self.training is self.mode:
            raise ValueError(f"{self.number}\nimages")
        return self.net(x)


class Functional(nn.Module):
    """Normalizations without modules: of the images, and behind a convolution."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.linear = nn.Conv2d(1, 6, 7, 7), nn.Linear(96, 10)

    def forward(self, x: Tensor) -> Tensor:
        x = F.group_norm(self.conv(F.group_norm(x, 1)), 3)
        return self.linear(F.relu(x).flatten(1))


class Own(nn.Module):
    """A network whose matrix is in no layer."""

    def __init__(self) -> None:
        super().__init__()
        self.matrix, self.vector = nn.Parameter(torch.ones(784, 10)), nn.Parameter(torch.ones(10))

    def forward(self, x: Tensor) -> Tensor:
        return x.flatten(1) @ self.matrix + self.vector


class In32(nn.Module):
    """A network that can be computed in float32 alone."""

    def __init__(self, net: nn.Module):
        super().__init__()
        self.net = net

    def forward(self, x: Tensor) -> Tensor:
        return self.net(x.float())


def test_a_network_is_examined_with_each_argument_in_the_study_s_order():
    found = examination.examine(of_argument)
    assert list(found) == ["batch", "layer", "group"]
    assert [each["layers"][0]["names"] for each in found.values()] == [["batch"], ["layer"], ["group"]]
    assert json.loads(json.dumps(found)) == found


def test_an_argument_that_is_refused_is_broken_and_the_others_are_examined():
    def make(norm_arg: str) -> nn.Module:
        if norm_arg == "layer":
            raise KeyError(norm_arg)
        return of_argument(norm_arg)

    found = examination.examine(make)
    trace = found["layer"].pop("traceback")
    assert found["layer"] == {"broken": "make('layer') raises KeyError: 'layer'", "layers": []}
    assert trace.splitlines()[-1].endswith("ModelError: make('layer') raises KeyError: 'layer'")
    assert "KeyError: 'layer'\n" in trace
    assert [norm_arg for norm_arg in found if "broken" not in found[norm_arg]] == ["batch", "group"]


def test_what_can_be_built_with_no_argument_is_refused_as_with_the_first():
    def make(norm_arg: str) -> nn.Module:
        raise KeyError(norm_arg)

    with pytest.raises(ModelError) as error:
        examination.examine(make)
    assert str(error.value) == "make('batch') raises KeyError: 'batch'"


def test_what_can_be_built_and_not_run_is_broken_with_every_argument():
    found = examination.examine(lambda norm_arg: nn.Flatten())
    said = "gives (6, 784) for (6, 1, 28, 28); it must give (6, 10)"
    assert [(each["broken"], each["layers"]) for each in found.values()] == 3 * [(said, [])]
    assert all(said in each["traceback"] for each in found.values())


def test_a_network_is_built_the_same_each_time_and_anew():
    one, other = (examination.build(of_argument, "batch") for _ in range(2))
    assert one is not other
    torch.testing.assert_close(one.state_dict(), other.state_dict(), rtol=0, atol=0)


def test_a_network_is_built_with_all_its_parameters():
    net = examination.build(lambda norm_arg: nn.Sequential(nn.Flatten(), nn.LazyLinear(10)), "batch")
    assert [tuple(each.shape) for each in net.parameters()] == [(10, 784), (10,)]


def test_what_is_no_network_cannot_be_built():
    def make(norm_arg: str) -> int:
        return 3

    with pytest.raises(ModelError) as error:
        examination.build(make, "group")
    assert str(error.value) == "make('group') is a int; it must be a torch.nn.Module"


def test_a_run_gives_logits_and_goes_all_the_way_back():
    net = of_argument("batch")
    logits = examination.run(net)
    assert logits.shape == (6, 10)
    assert all(parameter.grad is not None for parameter in net.parameters())
    assert net[1].num_batches_tracked == 2


WRONG_OUTPUTS: dict[str, tuple[Callable[[Tensor], Any], str]] = {
    "classes": (lambda x: x[:, :9], "gives (6, 9) for (6, 1, 28, 28); it must give (6, 10)"),
    "images": (lambda x: x[:1], "gives (1, 10) for (6, 1, 28, 28); it must give (6, 10)"),
    "a list": (lambda x: [x], "gives list for (6, 1, 28, 28); it must give (6, 10)"),
    "no dimension of one image": (lambda x: x.squeeze(), "gives (10,) for (1, 1, 28, 28); it must give (1, 10)"),
    "infinity": (lambda x: x / 0, "gives numbers that are not finite"),
    "no way back": (
        lambda x: x.detach(),
        "raises RuntimeError: element 0 of tensors does not require grad and does not have a grad_fn",
    ),
}


@pytest.mark.parametrize(("calculate", "why"), WRONG_OUTPUTS.values(), ids=WRONG_OUTPUTS)
def test_what_gives_no_logits_is_refused_in_one_line(calculate: Callable[[Tensor], Any], why: str):
    with pytest.raises(ModelError) as error:
        examination.run(network(nn.BatchNorm2d(6), Function(calculate)))
    assert str(error.value) == why


@pytest.mark.parametrize(("number", "training"), [(6, True), (3, True), (1, False)], ids=str)
def test_a_batch_a_smaller_one_and_a_single_image_in_evaluation_mode_are_tried(number: int, training: bool):
    with pytest.raises(ModelError) as error:
        examination.run(Refusing(number, training))
    assert str(error.value) == f"raises ValueError: {number} images"
    assert isinstance(error.value.__cause__, ValueError)


@pytest.mark.parametrize(
    "net",
    [network(nn.Identity()), nn.Sequential(nn.BatchNorm2d(1), nn.Flatten(), nn.Linear(784, 10))],
    ids=["none", "of the images"],
)
def test_a_network_without_a_normalization_behind_weights_is_refused(net: nn.Module):
    with pytest.raises(ModelError) as error:
        examination.find_some(net)
    assert str(error.value) == (
        "normalizes nothing behind a layer with weights; 'normstudy check' measures what layers compute"
    )


@pytest.mark.parametrize("norm_arg", NORMS)
def test_a_network_with_a_normalization_behind_weights_is_not(norm_arg: str):
    examination.find_some(of_argument(norm_arg).eval())


@pytest.mark.parametrize(
    ("net", "said"),
    [
        (network(nn.Identity()), "normalizes nothing behind a layer with weights; 'normstudy check' measures "),
        (Refusing(3, True), "raises ValueError: 3 images"),
    ],
    ids=["normalizes nothing", "cannot be run"],
)
def test_a_network_that_cannot_be_used_is_refused_by_its_reference_and_argument(net: nn.Module, said: str):
    with pytest.raises(ModelError) as error:
        examination.try_out(net, "own.py:Net", "layer")
    assert str(error.value).startswith(f"own.py:Net with norm_arg layer {said}")


def test_of_a_network_without_normalization_none_is_asked_nor_where_it_was_looked_at_before():
    examination.try_out(network(nn.Identity()), "own.py:Net", "none")
    examination.try_out(network(nn.Identity()), "own.py:Net", "layer", look=False)


def test_of_a_layer_there_is_all_that_was_measured():
    found = of(lambda: of_argument("batch"))
    assert found["layers"] == [
        {
            "name": "1",
            "shape": [6, 6, 4, 4],
            "kind": "mean and deviation",
            "names": ["batch"],
            "extent": "all images, one channel, all places",
            "groups": 6,
            "count": 6,
            "size": 6 * 16,
            "even": True,
            "sheet": 6 * [[0, 1, 2, 3, 4, 5]],
            "exact": True,
            "constant": False,
            "parameters": {"1.weight": [6], "1.bias": [6]},
            "before": True,
            "after": True,
            "useless_bias": "",
            "running": "unbiased",
        }
    ]
    del found["layers"]
    assert found == {
        "parameters": 6 * 49 + 2 * 6 + 960 + 10,
        "without_gradient": [],
        "derivative": True,
        "probabilities": False,
        "l1": ["0.weight", "4.weight"],
        "l2": ["0.weight", "4.weight"],
        "not_penalized": [],
        "company": False,
        "chance": False,
        "evaluation": [{"name": "1", "kind": "fixed", "names": [], "extent": ""}],
    }


def test_a_layer_that_shares_in_evaluation_mode_is_measured_there_too():
    found = of(lambda: of_argument("group"))
    extent = "one image, 2 of 6 channels, all places"
    assert found["evaluation"] == [
        {"name": "1", "kind": "mean and deviation", "names": ["group"], "extent": extent},
    ]
    assert found["layers"][0]["running"] == ""


def test_a_layer_without_a_module_is_named_by_where_it_stands():
    layers = of(Functional)["layers"]
    assert [layer["name"] for layer in layers] == ["forward (after the input)", "forward (after conv)"]
    assert [(layer["before"], layer["after"]) for layer in layers] == [(False, True), (True, True)]


def test_a_bias_that_the_mean_takes_away_is_useless():
    assert of(lambda: network(nn.BatchNorm2d(6), bias=True))["layers"][0]["useless_bias"] == "0"
    (rms,) = of_calculation(lambda x: x / x.square().mean((1, 2, 3), keepdim=True).sqrt(), bias=True)["layers"]
    assert (rms["kind"], rms["exact"], rms["useless_bias"]) == ("deviation", True, "")


def test_what_leaves_nothing_of_its_input_is_constant():
    (layer,) = of_calculation(lambda x: F.layer_norm(x[..., None], (1,))[..., 0], bias=True)["layers"]
    assert (layer["kind"], layer["constant"], layer["useless_bias"]) == ("fixed", True, "")


def test_fixed_statistics_leave_something_of_the_input():
    mean, variance = torch.zeros(6), torch.ones(6)
    (layer,) = of_calculation(lambda x: F.batch_norm(x, mean, variance))["layers"]
    assert (layer["kind"], layer["constant"]) == ("fixed", False)


def test_another_formula_than_the_deviation_s_is_not_exact():
    (layer,) = of_calculation(
        lambda x: (x - x.mean((2, 3), keepdim=True)) / (x.amax((2, 3), keepdim=True) - x.amin((2, 3), keepdim=True))
    )["layers"]
    assert (layer["kind"], layer["names"], layer["exact"]) == ("mean and deviation", ["instance"], False)


@pytest.mark.parametrize(
    ("change", "word"),
    [(lambda net: net, "unbiased"), (lambda net: In32(net), "")],
    ids=["in float64", "in float32 alone"],
)
def test_the_variance_that_is_taken_up_is_told_of_a_small_momentum_or_not_at_all(
    change: Callable[[nn.Module], nn.Module], word: str
):
    def make() -> nn.Module:
        return change(network(nn.BatchNorm2d(6, momentum=0.002)))

    assert [layer["running"] for layer in of(make)["layers"]] == [word]


def test_what_is_taken_out_of_the_gradient_is_no_derivative():
    assert not of_calculation(lambda x: x - x.detach().mean((1, 2, 3), keepdim=True))["derivative"]


def test_parameters_that_no_gradient_reaches_are_named_unless_they_are_frozen():
    def make() -> nn.Module:
        net = of_argument("batch")
        net.unused, net.frozen = nn.Parameter(torch.ones(3)), nn.Parameter(torch.ones(3), requires_grad=False)
        return net

    found = of(make)
    assert found["without_gradient"] == ["unused"]
    assert found["parameters"] == of(lambda: of_argument("batch"))["parameters"] + 3


@pytest.mark.parametrize(
    ("last", "probabilities"),
    [(nn.Softmax(1), True), (nn.LogSoftmax(1), False), (nn.Softplus(), False), (nn.Identity(), False)],
    ids=str,
)
def test_an_output_is_probabilities_if_it_is_not_negative_and_adds_up_to_one(last: nn.Module, probabilities: bool):
    assert of(lambda: network(nn.BatchNorm2d(6), last))["probabilities"] is probabilities


def test_outputs_that_add_up_to_one_with_negative_ones_are_no_probabilities():
    last = Function(lambda x: x - x.mean(1, keepdim=True) + 0.1)
    assert of(lambda: network(nn.BatchNorm2d(6), last))["probabilities"] is False


def test_weights_outside_of_layers_are_covered_by_no_penalty():
    found = of(Own)
    assert (found["l1"], found["l2"], found["not_penalized"]) == ([], [], ["matrix"])
    assert found["layers"] == []


def test_frozen_weights_are_moved_by_no_penalty():
    def make() -> nn.Module:
        net = of_argument("batch")
        net[0].requires_grad_(False)
        return net

    found = of(make)
    assert (found["l1"], found["l2"], found["not_penalized"]) == (["4.weight"], ["4.weight"], [])


def test_whether_an_answer_depends_on_other_images_is_seen_in_evaluation_mode():
    assert of(lambda: network(nn.BatchNorm2d(6, track_running_stats=False)))["company"] is True
    assert of(lambda: network(nn.GroupNorm(1, 6)))["company"] is False


def test_whether_an_answer_depends_on_chance_is_seen_in_evaluation_mode():
    always = of_calculation(lambda x: F.dropout(x, 0.5, training=True))
    assert (always["company"], always["chance"]) == (False, True)
    assert of(lambda: network(nn.BatchNorm2d(6), nn.Dropout(0.5)))["chance"] is False
