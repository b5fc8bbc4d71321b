"""The drawing of the network has the shapes and parameters that it really has."""

import torch

from normstudy.display import network
from normstudy.model import count_parameters
from tests.trainings import build

IMAGE = torch.zeros(1, 1, 28, 28)


def test_every_stage_has_what_was_measured():
    net = build("batch", seed=0)
    found = network.stages(net, IMAGE)
    assert [stage.shape for stage in found] == [
        (1, 28, 28), (8, 14, 14), (12, 14, 14), (16, 14, 14), (16, 7, 7), (16, 7, 7), (16, 5, 5), (16, 1, 1), (10,),
    ]  # fmt: skip
    assert found[1].layers == ["convolution 3×3, stride 2", "BatchNorm2d", "ReLU"]
    assert found[1].parameters == [72, 16]
    assert found[7].layers == ["depthwise convolution 5×5"]
    assert sum(sum(stage.parameters) for stage in found) == count_parameters(net)
    assert net.training


def test_what_does_nothing_is_not_drawn():
    assert network.stages(build("none", seed=0), IMAGE)[1].layers == ["convolution 3×3, stride 2", "ReLU"]


def test_the_drawing_and_its_words_say_the_same():
    found = network.stages(build("layer", depth=2, seed=0), IMAGE)
    texts = " ".join(text.get_text() for text in network.figure(found).axes[0].texts)
    said = network.alternative(found)
    for part in ("16×7×7", "2,304 + 32", "GroupNorm", "maximum of 2×2"):
        assert part in texts
        assert part in said
    assert len(found) == 11
