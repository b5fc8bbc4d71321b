"""A wrapper as those of Lightning: the network is inside, and training steps stand beside it."""

import torch
import torch.nn.functional as F
from plain import Network, layer_of
from torch import nn


class Wrapper(nn.Module):
    def __init__(self, norm_arg, learning_rate=0.01):
        super().__init__()
        self.learning_rate = learning_rate
        self.model = Network(layer_of(norm_arg))

    def forward(self, images):
        return self.model(images)

    def training_step(self, batch, _):
        images, labels = batch
        return F.cross_entropy(self(images), labels)

    def configure_optimizers(self):
        return torch.optim.Adam(self.parameters(), self.learning_rate)


Net = Wrapper
