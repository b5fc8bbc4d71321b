"""The running mean follows the batches, the running variance is forgotten."""

from plain import Network, Running, layer_of


class Batch(Running):
    def forward(self, x):
        if self.training:
            self.mean = 0.9 * self.mean + 0.1 * x.detach().mean((0, 2, 3)).view(-1, 1, 1)
            return super().forward(x)
        x = (x - self.mean) / (self.variance + 1e-5).sqrt()
        return x * self.gamma[:, None, None] + self.beta[:, None, None]


def Net(norm_arg):
    return Network(lambda channels, height: Batch(channels) if norm_arg == "batch" else layer_of(norm_arg)(channels))
