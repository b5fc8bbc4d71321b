"""What the project promises of the network that a run trains: its parameters and its seed decide it, nothing else."""

from pathlib import Path

import pytest
import torch

from normstudy import training
from normstudy.machine.model_files import ModelError
from normstudy.model import GhostBatchNorm2d, Net
from normstudy.training import NETWORK
from tests.trainings import DEFAULTS, assert_same_weights, build

OWN = """
from torch import nn

class Net(nn.Sequential):
    def __init__(self, norm_arg, **others):
        super().__init__(nn.Flatten(), nn.Linear(784, 10))
        self.asked = norm_arg
"""


def test_the_parameters_that_decide_the_network_are_those_that_it_takes() -> None:
    assert set(NETWORK) == {"norm_arg", "groups", "depth", "initialization", "ghost_batch_size"}
    assert set(NETWORK) <= set(DEFAULTS)


def test_each_parameter_of_the_network_reaches_it() -> None:
    plain = build("batch")
    assert repr(build("group", groups=2)) == repr(Net("group", groups=2)) != repr(build("group"))
    assert len(build("batch", depth=3).features) == len(plain.features) + 3
    assert any(isinstance(layer, GhostBatchNorm2d) for layer in build("batch", ghost_batch_size=16).modules())
    first = [next(net.parameters()) for net in (plain, build("batch", initialization="he"))]
    assert first[1].std() > 2 * first[0].std()


def test_the_seed_alone_decides_the_weights_and_the_common_generator_stays_as_it_was() -> None:
    nets = []
    for drawn, seed in ((1, 5), (2, 5), (1, 6)):
        torch.manual_seed(drawn)
        before = torch.get_rng_state()
        nets.append(build("batch", seed=seed))
        assert torch.equal(torch.get_rng_state(), before)
    assert_same_weights(nets[0], nets[1])
    assert not torch.equal(next(nets[0].parameters()), next(nets[2].parameters()))


def test_a_file_of_ones_own_makes_the_network_in_its_place_with_weights_of_the_seed(tmp_path: Path) -> None:
    file = tmp_path / "own.py"
    file.write_text(OWN, encoding="utf-8")
    nets = [
        training.build(DEFAULTS | {"model": f"{file}:Net", "norm_arg": "layer", "seed": seed}) for seed in (3, 3, 4)
    ]
    assert [type(net).__name__ for net in nets] == ["Net"] * 3
    assert not isinstance(nets[0], Net)
    assert vars(nets[0])["asked"] == "layer"
    assert_same_weights(nets[0], nets[1])
    assert not torch.equal(next(nets[0].parameters()), next(nets[2].parameters()))


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="is not a file"):
        training.build(DEFAULTS | {"model": str(tmp_path / "none.py")})
