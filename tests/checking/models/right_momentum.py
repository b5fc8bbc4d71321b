"""One layer forgets nothing, the next all but the last batch; two layers share gamma and beta."""

from plain import Network, layer_of
from torch import nn


class Net(Network):
    def __init__(self, norm_arg):
        super().__init__(layer_of(norm_arg))
        if norm_arg == "batch":
            self.norm1, self.norm2 = nn.BatchNorm2d(8, momentum=None), nn.BatchNorm2d(12, momentum=1.0)
        self.conv3, self.norm3 = nn.Conv2d(12, 12, 3, 2, bias=False), layer_of(norm_arg)(12)
        self.norm3.weight, self.norm3.bias = self.norm2.weight, self.norm2.bias
        self.linear = nn.Linear(12 * 25, 10)
