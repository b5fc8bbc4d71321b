"""What the project promises of its network."""

import pytest
import torch
from torch import nn

from normstudy import statistics
from normstudy.model import LAYERS, NORMALIZED_CHANNELS, GhostBatchNorm2d, Net, count_parameters, normalization
from normstudy.normalizations import NORMALIZATIONS, NORMALIZING


@pytest.mark.parametrize("norm_arg", NORMALIZATIONS)
def test_every_variant_turns_images_into_ten_logits(norm_arg: str) -> None:
    assert Net(norm_arg)(torch.rand(3, 1, 28, 28)).shape == (3, 10)


@pytest.mark.parametrize("norm_arg", NORMALIZATIONS)
def test_every_variant_has_fewer_than_8000_parameters(norm_arg: str) -> None:
    assert count_parameters(Net(norm_arg)) < 8000


def test_all_that_normalize_have_the_same_number_of_parameters() -> None:
    assert len({count_parameters(Net(norm_arg)) for norm_arg in NORMALIZING}) == 1


@pytest.mark.parametrize("norm_arg", NORMALIZATIONS)
def test_only_the_normalization_differs_between_variants(norm_arg: str) -> None:
    def rest(net: nn.Module) -> list[str]:
        layers = (layer for layer in net.modules() if not list(layer.children()))
        return [repr(layer).replace(", bias=False", "") for layer in layers if not isinstance(layer, LAYERS)]

    assert rest(Net(norm_arg)) == rest(Net("batch"))


def test_the_stated_channels_are_those_of_the_normalized_layers() -> None:
    layers = [layer for layer in Net("group").modules() if isinstance(layer, nn.GroupNorm)]
    assert tuple(layer.num_channels for layer in layers) == NORMALIZED_CHANNELS


@pytest.mark.parametrize(
    ("norm_arg", "shared_axes"),
    [("batch", (0, 2, 3)), ("layer", (1, 2, 3)), ("instance", (2, 3)), ("position", (1,))],
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


def test_rms_normalization_divides_by_the_root_mean_square_and_leaves_the_mean() -> None:
    activations = torch.randn(6, 8, 5, 5) * 3 + 2
    normalized = normalization("rms", 8, 4)(activations)
    torch.testing.assert_close(normalized.square().mean((1, 2, 3)), torch.ones(6))
    torch.testing.assert_close(normalized / activations, (normalized / activations)[:, :1, :1, :1].expand(6, 8, 5, 5))
    assert (normalized.mean((1, 2, 3)) > 0.3).all()


@pytest.mark.parametrize("norm_arg", NORMALIZING)
def test_each_layer_computes_the_formula(norm_arg: str) -> None:
    activations = 0.01 * torch.randn(6, 8, 5, 5, dtype=torch.float64) + 0.01  # so small that epsilon counts
    layer = normalization(norm_arg, 8, 4).double()
    gamma, beta = (nn.init.normal_(parameter).detach() for parameter in layer.parameters())
    expected = statistics.normalize(activations, norm_arg, 4, gamma, beta)
    torch.testing.assert_close(layer(activations).detach(), expected, rtol=1e-9, atol=1e-9)


def test_no_normalization_changes_nothing() -> None:
    activations = torch.randn(2, 8, 5, 5)
    assert normalization("none", 8, 4)(activations) is activations


@pytest.mark.parametrize("norm_arg", [name for name in NORMALIZATIONS if name != "batch"])
def test_only_batch_normalization_lets_one_image_change_another_in_training(norm_arg: str) -> None:
    first, second, other = torch.rand(3, 1, 28, 28).split(1)
    net = Net(norm_arg)
    torch.testing.assert_close(net(torch.cat([first, second]))[0], net(torch.cat([first, other]))[0])
    net = Net("batch")
    assert not torch.allclose(net(torch.cat([first, second]))[0], net(torch.cat([first, other]))[0])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("batchh",), "norm_arg is 'batchh'; it must be one of batch, layer, group, instance, "),
        (("",), "norm_arg is ''; it must be one of batch, layer, group, instance, "),
        (("group", 3), "groups is 3; it must divide the channels of every layer, "),
        (("group", 0), "groups is 0; it must divide "),
        (("group", -4), "groups is -4; it must divide "),
        (("layer", 5), "groups is 5; it must divide "),
        (("batch", 4, 0, "hee"), "initialization is 'hee'; it must be one of pytorch, he"),
    ],
)
def test_a_wrong_argument_is_refused_in_one_line_that_says_what_is_right(arguments: tuple, message: str) -> None:
    with pytest.raises(ValueError, match="must") as error:
        Net(*arguments)
    assert str(error.value).startswith(message)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("depth", [0, 1, 5])
def test_depth_is_how_many_more_blocks_there_are(depth: int) -> None:
    def blocks(net: Net) -> int:
        return sum(isinstance(layer, nn.ReLU) for layer in net.modules())

    deeper = Net("group", depth=depth)
    assert blocks(deeper) == blocks(Net("group")) + depth
    assert deeper(torch.rand(3, 1, 28, 28)).shape == (3, 10)


def test_he_initialization_has_the_variance_that_keeps_the_size_of_activations() -> None:
    torch.manual_seed(0)
    convolutions = list(Net("none", depth=30, initialization="he").features[:-1].modules())
    convolutions = [layer for layer in convolutions if isinstance(layer, nn.Conv2d)]
    assert len(convolutions) == 35
    for layer in convolutions:
        assert layer.bias.eq(0).all()
        fan_in = layer.weight[0].numel()
        assert layer.weight.var().item() == pytest.approx(2 / fan_in, rel=6 * (2 / layer.weight.numel()) ** 0.5)


def test_without_normalization_a_deep_network_loses_its_signal_but_for_he_initialization() -> None:
    images = torch.rand(64, 1, 28, 28)

    def spread(initialization: str) -> float:
        torch.manual_seed(0)
        return Net("none", depth=16, initialization=initialization).features(images).std(dim=0).mean().item()

    assert spread("he") > 1000 * spread("pytorch")


class TestGhostBatches:
    """Batch normalization whose statistics are of a part of the batch."""

    def test_each_part_is_normalized_as_a_batch_of_its_own(self) -> None:
        x = torch.rand(12, 5, 3, 2, generator=torch.Generator().manual_seed(0))
        ghost, plain = GhostBatchNorm2d(5, images=4), nn.BatchNorm2d(5)
        with torch.no_grad():
            for layer in (ghost, plain):
                layer.weight.copy_(torch.arange(1.0, 6))
                layer.bias.copy_(torch.arange(5.0))
        expected = torch.empty_like(x)
        for part in range(3):
            expected[part::3] = plain(x[part::3])
        assert torch.allclose(ghost(x), expected, atol=1e-6)

    def test_gradients_are_those_of_the_parts(self) -> None:
        x = torch.rand(6, 2, 3, 3, generator=torch.Generator().manual_seed(0))
        ways = []
        for ghost in (True, False):
            given, layer = x.clone().requires_grad_(), GhostBatchNorm2d(2, 3) if ghost else nn.BatchNorm2d(2)
            returned = layer(given) if ghost else torch.stack([layer(given[0::2]), layer(given[1::2])], 1).flatten(0, 1)
            returned.pow(3).sum().backward()
            ways.append((given.grad, layer.weight.grad, layer.bias.grad))
        assert all(torch.allclose(a, b, atol=1e-5) for a, b in zip(*ways, strict=True))

    def test_running_statistics_follow_the_mean_over_the_parts(self) -> None:
        x = torch.rand(8, 3, 2, 2, generator=torch.Generator().manual_seed(0))
        layer, parts = GhostBatchNorm2d(3, images=2), [x[part::4] for part in range(4)]
        layer(x)
        mean = torch.stack([part.mean(dim=(0, 2, 3)) for part in parts]).mean(dim=0)
        variance = torch.stack([part.var(dim=(0, 2, 3)) for part in parts]).mean(dim=0)
        assert torch.allclose(layer.running_mean, 0.1 * mean, atol=1e-6)
        assert torch.allclose(layer.running_var, 0.9 + 0.1 * variance, atol=1e-6)

    @pytest.mark.parametrize("training", [True, False])
    def test_with_the_whole_batch_it_is_batch_normalization(self, training: bool) -> None:
        x = torch.rand(6, 4, 3, 3)
        ghost, plain = GhostBatchNorm2d(4, 6).train(training), nn.BatchNorm2d(4).train(training)
        assert torch.allclose(ghost(x), plain(x), atol=1e-6)
        assert torch.allclose(ghost.running_var, plain.running_var, atol=1e-6)

    @pytest.mark.parametrize("layout", [torch.channels_last, torch.contiguous_format])
    @pytest.mark.parametrize("images", [1, 3, 6])
    def test_activations_keep_their_layout_since_convolutions_are_slow_on_another(
        self, layout: torch.memory_format, images: int
    ) -> None:
        x = torch.rand(6, 4, 3, 3).contiguous(memory_format=layout)
        assert GhostBatchNorm2d(4, images)(x).is_contiguous(memory_format=layout)

    def test_in_evaluation_no_image_shares_anything(self) -> None:
        net = Net("batch", ghost_batch_size=2).eval()
        images = torch.rand(5, 1, 28, 28)
        assert torch.allclose(net(images)[1:2], net(images[1:2]), atol=1e-6)
