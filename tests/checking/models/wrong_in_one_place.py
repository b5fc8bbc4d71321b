"""One layer of the three is another one."""

from plain import Network, layer_of


class Net(Network):
    def __init__(self, norm_arg):
        super().__init__(layer_of(norm_arg))
        if norm_arg == "group":
            self.norm2 = layer_of("layer")(12)
