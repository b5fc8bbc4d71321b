"""The formula of `normstudy.statistics` against PyTorch's own layers, and the laws that it obeys."""

import random
from collections import Counter
from itertools import product

import pytest
import torch
from hypothesis import assume, given
from hypothesis import strategies as st
from torch import Tensor
from torch.nn import functional as F

from normstudy.normalizations import NORMALIZATIONS, NORMALIZING
from normstudy.statistics import (
    count,
    normalize,
    sharing_sets,
    statistics,
    update_running,
)

EXACT = {"rtol": 1e-12, "atol": 1e-12}


@st.composite
def cases(draw: st.DrawFn) -> tuple[Tensor, str, int]:
    """A tensor of arbitrary shape, a normalization, and a number of groups that divides its channels."""
    groups = draw(st.integers(1, 4))
    shape = (
        draw(st.integers(1, 5)),
        groups * draw(st.integers(1, 3)),
        draw(st.integers(1, 5)),
        draw(st.integers(1, 5)),
    )
    generator = torch.Generator().manual_seed(draw(st.integers(0, 2**31)))
    # A shuffled, evenly spaced ramp: arbitrary, but no two values so close that rounding is all that is compared.
    ramp = torch.arange(torch.Size(shape).numel(), dtype=torch.float64) - draw(st.integers(-20, 20))
    x = ramp[torch.randperm(ramp.numel(), generator=generator)].reshape(shape) * draw(st.sampled_from((0.01, 0.3, 1.0)))
    return x, draw(st.sampled_from(NORMALIZING)), groups


def pytorch(x: Tensor, norm_arg: str, groups: int, gamma: Tensor | None = None, beta: Tensor | None = None) -> Tensor:
    """The same normalization by PyTorch's functions; gamma and beta are per channel."""
    match norm_arg:
        case "batch":
            return F.batch_norm(x, None, None, gamma, beta, training=True)
        case "layer":
            if gamma is not None and beta is not None:
                gamma, beta = (v.view(-1, 1, 1).expand(x.shape[1:]) for v in (gamma, beta))
            return F.layer_norm(x, x.shape[1:], gamma, beta)
        case "group":
            return F.group_norm(x, groups, gamma, beta)
        case "rms":
            shape = (-1, 1, 1)
            gamma = None if gamma is None else gamma.view(shape).expand(x.shape[1:])
            y = F.rms_norm(x, x.shape[1:], gamma, eps=1e-5)
            return y if beta is None else y + beta.view(shape)
        case "position":
            return F.layer_norm(x.movedim(1, -1), x.shape[1:2], gamma, beta).movedim(-1, 1)
        case _:
            return F.instance_norm(x, weight=gamma, bias=beta)


@given(cases())
def test_it_agrees_with_pytorch(case: tuple[Tensor, str, int]) -> None:
    x, norm_arg, groups = case
    # PyTorch refuses to normalize single values.
    assume(statistics(x, norm_arg, groups).size > 1)
    torch.testing.assert_close(normalize(x, norm_arg, groups), pytorch(x, norm_arg, groups), **EXACT)


@given(cases(), st.integers(0, 2**31))
def test_it_agrees_with_pytorch_on_gamma_and_beta_and_all_gradients(case: tuple[Tensor, str, int], seed: int) -> None:
    x, norm_arg, groups = case
    assume(statistics(x, norm_arg, groups).size > 1)
    generator = torch.Generator().manual_seed(seed)
    gamma, beta = torch.randn(2, x.shape[1], dtype=torch.float64, generator=generator)
    upstream = torch.randn(x.shape, dtype=torch.float64, generator=generator)

    def value_and_gradients(function) -> tuple[Tensor, ...]:
        leaves = [value.clone().requires_grad_() for value in (x, gamma, beta)]
        y = function(leaves[0], norm_arg, groups, leaves[1], leaves[2])
        return y.detach(), *torch.autograd.grad(y, leaves, upstream)

    torch.testing.assert_close(value_and_gradients(normalize), value_and_gradients(pytorch), **EXACT)


@pytest.mark.parametrize("norm_arg", NORMALIZING)
def test_its_gradients_are_those_of_finite_differences(norm_arg: str) -> None:
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(3, 4, 2, 2, dtype=torch.float64, generator=generator, requires_grad=True)
    gamma, beta = (torch.randn(4, dtype=torch.float64, generator=generator, requires_grad=True) for _ in range(2))
    assert torch.autograd.gradcheck(lambda *given: normalize(given[0], norm_arg, 2, *given[1:]), (x, gamma, beta))


def test_gamma_and_beta_per_element_are_those_of_pytorchs_layer_norm() -> None:
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(3, 4, 5, 2, dtype=torch.float64, generator=generator)
    gamma, beta = torch.randn(2, 4, 5, 2, dtype=torch.float64, generator=generator)
    torch.testing.assert_close(
        normalize(x, "layer", gamma=gamma, beta=beta), F.layer_norm(x, (4, 5, 2), gamma, beta), **EXACT
    )


@given(cases())
def test_the_sets_are_those_of_the_definition(case: tuple[Tensor, str, int]) -> None:
    x, norm_arg, groups = case
    per_group = x.shape[1] // groups
    share = {
        "batch": lambda i, k: i[1] == k[1],
        "layer": lambda i, k: i[0] == k[0],
        "group": lambda i, k: i[0] == k[0] and i[1] // per_group == k[1] // per_group,
        "instance": lambda i, k: i[:2] == k[:2],
        "rms": lambda i, k: i[0] == k[0],
        "position": lambda i, k: (i[0], *i[2:]) == (k[0], *k[2:]),
    }[norm_arg]
    sets = sharing_sets(x.shape, norm_arg, groups)
    elements = list(product(*map(range, x.shape)))  # (n, c, h, w) of each
    chance = random.Random(0)
    for i, k in zip(chance.choices(elements, k=300), chance.choices(elements, k=300), strict=True):
        assert (sets[i] == sets[k]) == share(i, k)


@given(cases())
def test_there_are_as_many_sets_as_counted_and_all_have_the_same_size(case: tuple[Tensor, str, int]) -> None:
    x, norm_arg, groups = case
    members = Counter(sharing_sets(x.shape, norm_arg, groups).flatten().tolist())
    assert sorted(members) == list(range(count(x.shape, norm_arg, groups)))
    assert set(members.values()) == {statistics(x, norm_arg, groups).size}


@pytest.mark.parametrize(
    ("norm_arg", "expected"),
    [("batch", 6), ("layer", 4), ("group", 12), ("instance", 24), ("rms", 4), ("position", 16)],
)
def test_four_images_of_six_channels_in_three_groups_have(norm_arg: str, expected: int) -> None:
    assert count((4, 6, 2, 2), norm_arg, groups=3) == expected


@given(cases())
def test_every_set_comes_out_with_mean_zero_and_nearly_unit_variance(case: tuple[Tensor, str, int]) -> None:
    x, norm_arg, groups = case
    before = statistics(x, norm_arg, groups)
    after = statistics(normalize(x, norm_arg, groups), norm_arg, groups)
    torch.testing.assert_close(after.means, torch.zeros_like(after.means), **EXACT)
    # Epsilon takes a little away from one: v / (v + ε).
    torch.testing.assert_close(after.variances, before.variances / (before.variances + 1e-5), **EXACT)


@given(cases())
def test_layer_and_instance_normalization_are_group_normalization_at_its_two_ends(
    case: tuple[Tensor, str, int],
) -> None:
    x, _, _ = case
    assert torch.equal(normalize(x, "layer"), normalize(x, "group", groups=1))
    assert torch.equal(normalize(x, "instance"), normalize(x, "group", groups=x.shape[1]))


def test_a_group_that_is_not_asked_for_is_the_only_one() -> None:
    x = torch.randn(3, 4, 2, 2, generator=torch.Generator().manual_seed(0))
    assert torch.equal(normalize(x, "group"), normalize(x, "layer"))
    assert torch.equal(sharing_sets(x.shape, "group"), sharing_sets(x.shape, "layer"))
    assert count(x.shape, "group") == 3
    assert statistics(x, "group").size == 16


@given(cases(), st.floats(0.1, 10), st.floats(-10, 10))
def test_contrast_and_brightness_of_the_input_do_not_matter(
    case: tuple[Tensor, str, int], contrast: float, brightness: float
) -> None:
    x, norm_arg, groups = case
    brightness = brightness if NORMALIZATIONS[norm_arg].centred else 0
    changed = normalize(contrast * x + brightness, norm_arg, groups, epsilon=contrast**2 * 1e-5)
    torch.testing.assert_close(changed, normalize(x, norm_arg, groups), rtol=1e-9, atol=1e-9)


@given(cases())
def test_gamma_equal_to_the_deviation_and_beta_equal_to_the_mean_undo_it(case: tuple[Tensor, str, int]) -> None:
    x, _, _ = case
    found = statistics(x, "batch")
    undone = normalize(x, "batch", gamma=found.standard_deviations, beta=found.means)
    torch.testing.assert_close(undone, x, **EXACT)


@pytest.mark.parametrize(("norm_arg", "depends"), [("batch", True), ("layer", False), ("group", False)])
def test_an_image_depends_on_the_images_beside_it(norm_arg: str, depends: bool) -> None:
    first, *others = torch.randn(3, 1, 4, 3, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    results = [normalize(torch.cat([first, other]), norm_arg, 2)[0] for other in others]
    assert torch.allclose(*results) is not depends


@given(cases(), st.floats(0.01, 1))
def test_running_statistics_are_updated_as_pytorch_updates_them(case: tuple[Tensor, str, int], momentum: float) -> None:
    x, _, _ = case
    assume(statistics(x, "batch").size > 1)
    channels = torch.arange(x.shape[1], dtype=torch.float64)
    expected_mean, expected_variance = channels - 1, channels + 1
    updated = update_running(expected_mean.clone(), expected_variance.clone(), x, momentum)
    F.batch_norm(x, expected_mean, expected_variance, training=True, momentum=momentum)
    torch.testing.assert_close(updated, (expected_mean, expected_variance), **EXACT)


def test_a_batch_weighs_a_tenth_unless_it_is_said_otherwise_as_in_pytorch() -> None:
    x = torch.tensor([1.0, 3.0], dtype=torch.float64).view(2, 1, 1, 1)
    zero, one = torch.zeros(1).double(), torch.ones(1).double()
    layer = torch.nn.BatchNorm2d(1).double()
    layer(x)
    torch.testing.assert_close(update_running(zero, one, x), (layer.running_mean, layer.running_var), **EXACT)


def test_the_batch_is_normalized_with_the_biased_variance_and_the_unbiased_one_is_stored() -> None:
    x = torch.tensor([1.0, 3.0], dtype=torch.float64).view(2, 1, 1, 1)  # biased variance 1, unbiased variance 2
    torch.testing.assert_close(normalize(x, "batch", epsilon=0).flatten(), torch.tensor([-1.0, 1.0]).double())
    zero, one = torch.zeros(1).double(), torch.ones(1).double()
    assert [float(v) for v in update_running(zero, one, x, momentum=1.0)] == [2.0, 2.0]


@pytest.mark.parametrize(
    ("shape", "norm_arg", "groups", "message"),
    [
        ((2, 4, 2, 2), "batchh", 1, "norm_arg is 'batchh'; it must be one of " + ", ".join(NORMALIZING)),
        ((2, 4, 2, 2), "none", 1, "norm_arg is 'none'; it must be one of " + ", ".join(NORMALIZING)),
        ((2, 4, 2, 2), "group", 3, "groups is 3; it must divide the 4 channels"),
        ((2, 4, 2, 2), "group", 0, "groups is 0; it must divide the 4 channels"),
        (
            (1, 4, 2, 2, 2),
            "layer",
            1,
            r"the tensor's shape is \(1, 4, 2, 2, 2\); it must be \(N, C, H, W\), each at least 1",
        ),
        ((4, 2, 2), "layer", 1, r"the tensor's shape is \(4, 2, 2\); it must be \(N, C, H, W\), each at least 1"),
        ((0, 4, 2, 2), "layer", 1, r"the tensor's shape is \(0, 4, 2, 2\); it must be \(N, C, H, W\), each at least 1"),
    ],
)
def test_an_error_names_what_was_wrong_and_what_would_be_right(
    shape: tuple[int, ...], norm_arg: str, groups: int, message: str
) -> None:
    for function in (sharing_sets, count):
        with pytest.raises(ValueError, match=f"^{message}$"):
            function(shape, norm_arg, groups)
    with pytest.raises(ValueError, match=f"^{message}$"):
        normalize(torch.zeros(shape), norm_arg, groups)


def test_a_single_element_per_channel_has_no_unbiased_variance() -> None:
    with pytest.raises(ValueError, match=r"^x has the shape \(1, 2, 1, 1\); an unbiased variance needs two elements"):
        update_running(torch.zeros(2), torch.ones(2), torch.zeros(1, 2, 1, 1))
