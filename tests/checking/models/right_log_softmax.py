"""It ends with the logarithms of probabilities, and has dropout."""

import torch.nn.functional as F
from plain import Network, layer_of


class Net(Network):
    def __init__(self, norm_arg):
        super().__init__(layer_of(norm_arg))

    def forward(self, x):
        x = F.dropout(F.relu(self.norm1(self.conv1(x))), 0.1, self.training)
        x = F.dropout2d(F.relu(self.norm2(self.conv2(x))), 0.1, self.training)
        x = F.relu(self.norm3(self.conv3(x)))
        return F.log_softmax(self.linear(x.flatten(1)), dim=1)
