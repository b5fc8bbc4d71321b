"""What running variances take up, told by what layers compute in evaluation mode; and what that is."""

from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from normstudy.checking import running
from normstudy.checking.layers import Layer, find
from normstudy.checking.trace import Trace, record

IMAGES = torch.randn(6, 1, 10, 10, generator=torch.Generator().manual_seed(0))


class Batch(nn.BatchNorm2d):
    """Batch normalization whose running variance takes up the biased variance and a share of the gap to the other."""

    def __init__(self, share: float, **options: float):
        super().__init__(3, **options)
        self.share = share

    def forward(self, x: Tensor) -> Tensor:
        if not self.training:
            return super().forward(x)
        over = (0, 2, 3)
        biased, unbiased = x.var(over, correction=0), x.var(over)
        with torch.no_grad():
            self.running_mean += self.momentum * (x.mean(over) - self.running_mean)
            self.running_var += self.momentum * (biased + self.share * (unbiased - biased) - self.running_var)
        return F.batch_norm(x, None, None, self.weight, self.bias, True, 0.0, self.eps)


class ByHand(Batch):
    """The same, without PyTorch's own operation in evaluation mode."""

    def forward(self, x: Tensor) -> Tensor:
        if self.training:
            return super().forward(x)
        normalized = (x.transpose(1, -1) - self.running_mean) / (self.running_var + self.eps).sqrt()
        return (self.weight * normalized + self.bias).transpose(1, -1)


class InEvaluation(ByHand):
    """The same with other statistics in evaluation mode than the running ones."""

    def __init__(self, change: Callable[["InEvaluation"], Tensor]):
        super().__init__(1.0)
        self.change = change
        nn.init.constant_(self.weight, 1.5)
        nn.init.constant_(self.bias, 0.5)

    def forward(self, x: Tensor) -> Tensor:
        if self.training:
            return super().forward(x)
        kept = {name: tensor.clone() for name, tensor in self.state_dict().items()}
        with torch.no_grad():
            self.change(self)
            returned = super().forward(x)
            self.load_state_dict(kept)
        return returned


class ChannelsLast(nn.Module):
    """Batch normalization of (N, H, W, 4) with an ε and a gamma of its own, by hand in evaluation mode."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.linspace(0.5, 2.0, 4))
        self.register_buffer("mean", torch.zeros(4))
        self.register_buffer("variance", torch.ones(4))

    def forward(self, x: Tensor) -> Tensor:
        if self.training:
            variance, mean = torch.var_mean(x, (0, 1, 2), correction=0)
            with torch.no_grad():
                self.mean += 0.1 * (mean - self.mean)
                self.variance += 0.1 * (variance - self.variance)
        else:
            mean, variance = self.mean, self.variance
        return self.weight * (x - mean) / (variance + 1e-5).sqrt()


class Functional(nn.Module):
    """Two normalizations in one forward, whose running statistics have a momentum each."""

    def __init__(self, *momenta: float):
        super().__init__()
        self.conv, self.momenta = nn.Conv2d(1, 3, 5, 5), momenta
        self.statistics = [(torch.zeros(3), torch.ones(3)) for _ in momenta]

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv(x)
        for statistics, momentum in zip(self.statistics, self.momenta, strict=True):
            x = F.relu(F.batch_norm(x, *statistics, None, None, self.training, momentum))
        return x


class Whole(nn.Module):
    """A convolution and a layer in one module, with the running statistics used by hand."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, 3, 5, 5)
        self.register_buffer("variance", torch.ones(1, 3, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv(x)
        if self.training:
            self.variance = 0.9 * self.variance + 0.1 * x.var((0, 2, 3), keepdim=True)
            return F.batch_norm(x, None, None, training=True)
        return x / self.variance.sqrt()


class Sharing(nn.Module):
    """A convolution and a function of the batch, the same in both modes."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, 3, 5, 5)

    def forward(self, x: Tensor) -> Tensor:
        return F.batch_norm(self.conv(x), None, None, training=True)


class Twice(nn.Module):
    """One layer in two places, where tensors have other sizes."""

    def __init__(self, norm: nn.Module):
        super().__init__()
        self.conv, self.norm = nn.Conv2d(1, 3, 3, 2), norm

    def forward(self, x: Tensor) -> Tensor:
        return self.norm(F.avg_pool2d(self.norm(self.conv(x)), 2))


def behind_a_convolution(layer: nn.Module) -> nn.Module:
    return nn.Sequential(nn.Conv2d(1, 3, 5, 5), layer)


def step(net: nn.Module) -> Trace:
    return record(net.train(), IMAGES)


def found(make: Callable[[], nn.Module]) -> tuple[nn.Module, list[Layer]]:
    """A new network, and the layers of another one that is like it."""
    nets = []
    for _ in range(2):
        torch.manual_seed(0)
        nets.append(make())
    return nets[0], find(nets[1], step(nets[1]))


def words(make: Callable[[], nn.Module]) -> list[str]:
    net, layers = found(make)
    return running.of_layers(net, IMAGES, layers, lambda: step(net))


@settings(max_examples=20)
@given(
    layer=st.sampled_from([Batch, ByHand]),
    share=st.sampled_from([0.0, 1.0]),
    momentum=st.floats(0.05, 1),
    eps=st.sampled_from([1e-5, 1e-3, 0.1]),
    gamma=st.floats(0.1, 2) | st.floats(-2, -0.1),
    beta=st.sampled_from([-1.5, 0.0, 0.5]),
)
def test_the_variance_that_is_taken_up_is_told_whatever_else_the_layer_has(
    layer: type[Batch], share: float, momentum: float, eps: float, gamma: float, beta: float
):
    def make() -> nn.Module:
        net = behind_a_convolution(layer(share, momentum=momentum, eps=eps))
        nn.init.constant_(net[1].weight, gamma)
        nn.init.constant_(net[1].bias, beta)
        return net

    assert words(make) == ["unbiased" if share else "biased"]


def test_pytorch_s_own_layers_take_up_the_unbiased_variance():
    assert words(lambda: behind_a_convolution(nn.BatchNorm2d(3))) == ["unbiased"]
    assert words(lambda: behind_a_convolution(nn.BatchNorm2d(3, momentum=None))) == ["unbiased"]
    assert words(lambda: nn.Sequential(nn.Flatten(), nn.Linear(100, 3), nn.BatchNorm1d(3))) == ["unbiased"]


@pytest.mark.parametrize(
    ("share", "word"),
    [
        (-0.3, "other"),
        (-0.15, "biased"),
        (0.15, "biased"),
        (0.3, "other"),
        (0.7, "other"),
        (0.85, "unbiased"),
        (1.15, "unbiased"),
        (1.3, "other"),
    ],
)
def test_what_is_near_neither_variance_is_another(share: float, word: str):
    assert words(lambda: behind_a_convolution(Batch(share))) == [word]


def test_statistics_that_take_up_nothing_are_unmoved():
    assert words(lambda: behind_a_convolution(nn.BatchNorm2d(3, momentum=0.0))) == ["unmoved"]


CHANGED: dict[str, tuple[Callable[[InEvaluation], Tensor], str]] = {
    "nothing": (lambda norm: norm.running_mean, "unbiased"),
    "the mean as it was first": (lambda norm: norm.running_mean.zero_(), "unmoved mean"),
    "the variance as it was first": (lambda norm: norm.running_var.fill_(1.0), "unmoved variance"),
    "both as they were first": (lambda norm: norm.running_mean.zero_() + norm.running_var.fill_(1.0), "unmoved"),
    "the mean twice": (lambda norm: norm.running_mean.mul_(2), "far"),
    "no root": (lambda norm: norm.running_var.square_(), "far"),
    "no gamma": (lambda norm: norm.weight.fill_(1.0), "far"),
    "no beta": (lambda norm: norm.bias.zero_(), "far"),
}


@pytest.mark.parametrize(("change", "word"), CHANGED.values(), ids=CHANGED)
def test_other_statistics_in_evaluation_mode_are_told(change: Callable[[InEvaluation], Tensor], word: str):
    assert words(lambda: behind_a_convolution(InEvaluation(change))) == [word]


def test_nothing_is_told_where_the_channels_of_evaluation_are_not_the_layer_s():
    class Last(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv, self.norm = nn.Conv2d(1, 4, 4, 2), ChannelsLast()

        def forward(self, x: Tensor) -> Tensor:
            return self.norm(self.conv(x).permute(0, 2, 3, 1))

    assert words(Last) == [""]


def test_deviations_may_be_averaged_instead_of_variances():
    class Deviations(InEvaluation):
        def forward(self, x: Tensor) -> Tensor:
            if not self.training:
                return super().forward(x)
            self.running_var.sqrt_()
            with torch.no_grad():
                self.running_mean += self.momentum * (x.mean((0, 2, 3)) - self.running_mean)
                self.running_var += self.momentum * (x.std((0, 2, 3)) - self.running_var)
            self.running_var.square_()
            return F.batch_norm(x, None, None, self.weight, self.bias, True)

    assert words(lambda: behind_a_convolution(Deviations(lambda norm: norm.running_mean))) == ["other"]


def test_channels_that_are_constant_say_nothing():
    def make() -> nn.Module:
        net = behind_a_convolution(nn.BatchNorm2d(3))
        nn.init.zeros_(net[0].weight[:2])
        return net

    assert words(make) == ["unbiased"]


def test_constant_channels_alone_say_nothing():
    def make() -> nn.Module:
        net = behind_a_convolution(nn.BatchNorm2d(3))
        nn.init.zeros_(net[0].weight)
        nn.init.zeros_(net[0].bias)
        return net

    assert words(make) == [""]


def test_each_layer_has_its_own_word():
    assert words(lambda: Functional(0.1, 0.0)) == ["unbiased", "unmoved"]
    assert words(lambda: Functional(0.0, 0.1)) == ["unmoved", "unbiased"]
    assert words(lambda: nn.Sequential(nn.Conv2d(1, 3, 5, 5), Batch(1.0), nn.ReLU(), Batch(0.0))) == [
        "unbiased",
        "biased",
    ]


def test_without_layers_there_is_no_word():
    assert words(lambda: behind_a_convolution(nn.ReLU())) == []


@pytest.mark.parametrize("make", [Whole, Sharing])
def test_of_arithmetic_beside_other_modules_and_of_what_shares_there_too_nothing_is_told(make: type[nn.Module]):
    assert words(make) == [""]
    net, layers = found(make)
    assert running.evaluations(net, IMAGES, layers) == [None]


def test_two_steps_are_taken():
    net, layers = found(lambda: behind_a_convolution(nn.BatchNorm2d(3)))
    modes = []

    def watched() -> Trace:
        trace = step(net)
        modes.append(net.training)
        return trace

    running.of_layers(net, IMAGES, layers, watched)
    assert modes == [True, True]
    assert net[1].num_batches_tracked == 2


@pytest.mark.parametrize("layer", [nn.BatchNorm2d(3), ByHand(1.0)], ids=["ready-made", "by hand"])
def test_what_a_layer_computes_in_evaluation_mode_is_found_by_its_module(layer: nn.Module):
    net = Twice(layer)
    layers = find(net, step(net))
    functions = running.evaluations(net, IMAGES, layers)
    assert [each.shape for each in layers] == [(6, 3, 4, 4), (6, 3, 2, 2)]
    for each, function in zip(layers, functions, strict=True):
        values = torch.randn(each.shape)
        torch.testing.assert_close(function(values.double()).float(), layer.eval()(values))
