"""The layers are made and never called."""

import torch.nn.functional as F
from plain import Network, layer_of


class Net(Network):
    def __init__(self, norm_arg):
        super().__init__(layer_of(norm_arg))

    def forward(self, x):
        x = F.relu(self.conv2(F.relu(self.conv1(x))))
        return self.linear(F.relu(self.conv3(x)).flatten(1))
