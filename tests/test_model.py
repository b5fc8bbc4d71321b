"""What the project promises of its network."""

import pytest
import torch
from torch import nn

from normstudy.model import NORMALIZATIONS, NORMALIZED_CHANNELS, Net, count_parameters, normalization


@pytest.mark.parametrize("norm_arg", NORMALIZATIONS)
def test_every_variant_turns_images_into_ten_logits(norm_arg: str) -> None:
    assert Net(norm_arg)(torch.rand(3, 1, 28, 28)).shape == (3, 10)


@pytest.mark.parametrize("norm_arg", NORMALIZATIONS)
def test_every_variant_has_fewer_than_8000_parameters(norm_arg: str) -> None:
    assert count_parameters(Net(norm_arg)) < 8000


def test_batch_layer_and_group_have_the_same_number_of_parameters() -> None:
    assert len({count_parameters(Net(norm_arg)) for norm_arg in ("batch", "layer", "group", "instance")}) == 1


@pytest.mark.parametrize("norm_arg", NORMALIZATIONS)
def test_only_the_normalization_differs_between_variants(norm_arg: str) -> None:
    def rest(net: nn.Module) -> list[str]:
        layers = (layer for layer in net.modules() if not list(layer.children()))
        normalizing = (nn.BatchNorm2d, nn.GroupNorm, nn.Identity)
        return [repr(layer).replace(", bias=False", "") for layer in layers if not isinstance(layer, normalizing)]

    assert rest(Net(norm_arg)) == rest(Net("batch"))


def test_the_stated_channels_are_those_of_the_normalized_layers() -> None:
    layers = [layer for layer in Net("group").modules() if isinstance(layer, nn.GroupNorm)]
    assert tuple(layer.num_channels for layer in layers) == NORMALIZED_CHANNELS


@pytest.mark.parametrize(
    ("norm_arg", "shared_axes"),
    [("batch", (0, 2, 3)), ("layer", (1, 2, 3)), ("instance", (2, 3))],
)
def test_a_layer_normalizes_the_elements_that_it_says(norm_arg: str, shared_axes: tuple[int, ...]) -> None:
    activations = torch.randn(6, 8, 5, 5) * 3 + 2
    normalized = normalization(norm_arg, 8, 4)(activations)
    torch.testing.assert_close(normalized.mean(shared_axes), torch.zeros_like(normalized.mean(shared_axes)))
    deviation = normalized.std(shared_axes, correction=0)
    torch.testing.assert_close(deviation, torch.ones_like(deviation), rtol=0, atol=1e-4)


def test_group_normalization_normalizes_neighbouring_channels_of_one_image() -> None:
    activations = torch.randn(6, 8, 5, 5) * 3 + 2
    normalized = normalization("group", 8, 4)(activations).view(6, 4, 2, 5, 5)
    torch.testing.assert_close(normalized.mean((2, 3, 4)), torch.zeros(6, 4))
    torch.testing.assert_close(normalized.std((2, 3, 4), correction=0), torch.ones(6, 4), rtol=0, atol=1e-4)


def test_no_normalization_changes_nothing() -> None:
    activations = torch.randn(2, 8, 5, 5)
    assert normalization("none", 8, 4)(activations) is activations


@pytest.mark.parametrize("norm_arg", ["layer", "group", "instance", "none"])
def test_only_batch_normalization_lets_one_image_change_another_in_training(norm_arg: str) -> None:
    first, second, other = torch.rand(3, 1, 28, 28).split(1)
    net = Net(norm_arg)
    torch.testing.assert_close(net(torch.cat([first, second]))[0], net(torch.cat([first, other]))[0])
    net = Net("batch")
    assert not torch.allclose(net(torch.cat([first, second]))[0], net(torch.cat([first, other]))[0])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("batchh",), "norm_arg is 'batchh'; it must be one of batch, layer, group, instance, none"),
        (("",), "norm_arg is ''; it must be one of batch, layer, group, instance, none"),
        (("group", 3), "groups is 3; it must divide the channels of every layer, "),
        (("group", 0), "groups is 0; it must divide "),
        (("group", -4), "groups is -4; it must divide "),
        (("layer", 5), "groups is 5; it must divide "),
    ],
)
def test_a_wrong_argument_is_refused_in_one_line_that_says_what_is_right(arguments: tuple, message: str) -> None:
    with pytest.raises(ValueError, match="must") as error:
        Net(*arguments)
    assert str(error.value).startswith(message)
    assert "\n" not in str(error.value)
