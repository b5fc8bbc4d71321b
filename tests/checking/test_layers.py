"""Where the layers are found and what they are measured to be, for networks drawn at random."""

import time

import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from normstudy.checking import verdict
from normstudy.checking.examination import examine
from normstudy.model import Net


class Random(nn.Module):
    """Blocks of convolution, normalization and nonlinearity in the order and the way of writing that are drawn."""

    def __init__(self, norm_arg: str, channels: list[int], ways: list[str], orders: list[str], head: str):
        super().__init__()
        self.norm_arg, self.ways, self.orders, self.head = norm_arg, ways, orders, head
        pairs = list(zip([1, *channels], channels, strict=False))
        self.convs = nn.ModuleList(
            nn.Conv2d(a, b, 3, 2 if number < 2 else 1, 1, bias=False) for number, (a, b) in enumerate(pairs)
        )
        widths = [a if order == "before" and a > 1 else b for (a, b), order in zip(pairs, orders, strict=True)]
        self.norms = nn.ModuleList(nn.BatchNorm2d(width) for width in widths)
        self.linear = nn.Linear(channels[-1] * (49 if head == "flatten" else 1), 10)

    def normalize(self, x: Tensor, number: int) -> Tensor:
        own, way = self.norms[number], self.ways[number]
        if self.norm_arg == "batch":
            return own(x)
        groups = 1 if self.norm_arg == "layer" else 2
        gamma, beta = own.weight, own.bias
        if way == "function":
            return F.group_norm(x, groups, gamma, beta)
        if way == "stacked":
            stacked = torch.stack(x.chunk(groups, dim=1))  # (G, N, C / G, H, W)
            mean, variance = stacked.mean((2, 3, 4), keepdim=True), stacked.var((2, 3, 4), keepdim=True, correction=0)
            y = torch.cat(list((stacked - mean) / (variance + 1e-5).sqrt()), dim=1)
            return y * gamma.view(1, -1, 1, 1) + beta.view(1, -1, 1, 1)
        parts = x.view(len(x), groups, -1)
        if way == "view":
            y = (parts - parts.mean(2, keepdim=True)) / (parts.var(2, keepdim=True) + 1e-5).sqrt()
        else:
            y = parts.clone()
            y -= y.mean(2, keepdim=True)
            y = y * y.square().mean(2, keepdim=True).add(1e-5).rsqrt()
        return y.view_as(x) * gamma.view(1, -1, 1, 1) + beta.view(1, -1, 1, 1)

    def forward(self, x: Tensor) -> Tensor:
        for number, conv in enumerate(self.convs):
            order = self.orders[number]
            if order == "before" and number:
                x = conv(F.relu(self.normalize(x, number)))
            elif order == "shortcut" and number > 1 and conv.in_channels == conv.out_channels:
                x = x + F.relu(self.normalize(conv(x), number))
            else:
                x = F.relu(self.normalize(conv(x), number))
        x = x.flatten(1) if self.head == "flatten" else x.mean((2, 3))
        return self.linear(x)


@settings(max_examples=5)
@given(data=st.data(), head=st.sampled_from(["flatten", "mean"]), blocks=st.integers(2, 4))
def test_no_right_network_is_called_wrong(data: st.DataObject, head: str, blocks: int):
    def draw(choices: list) -> list:
        return data.draw(st.lists(st.sampled_from(choices), min_size=blocks, max_size=blocks))

    channels, ways = draw([4, 6, 8, 12]), draw(["function", "view", "in place", "stacked"])
    orders = draw(["after", "before", "shortcut"])
    said = verdict.judge(examine(lambda norm_arg: Random(norm_arg, channels, ways, orders, head)))
    for norm_arg, found in said.items():
        assert found["faults"] == []
        judged = [layer for layer in found["layers"] if layer["before"]]
        assert len(judged) == blocks
        assert [layer["count"] for layer in judged] == [verdict.by_formula(norm_arg, layer) for layer in judged]


def test_a_check_takes_no_five_seconds():
    began = time.process_time()
    examine(Net)
    assert time.process_time() - began < 5
