"""Where networks are trained: the device that is asked for, or the first that there is."""

import pytest
import torch

from normstudy.machine.devices import choose_device


@pytest.mark.parametrize(
    ("name", "message"),
    [("gpu", "device is 'gpu'; it must be one of auto, cpu, cuda, mps"), ("", "device is ''; it must be one of ")],
)
def test_an_unknown_device_is_refused_with_those_that_exist(name: str, message: str) -> None:
    with pytest.raises(ValueError, match="device is") as error:
        choose_device(name)
    assert str(error.value).startswith(message)


@pytest.mark.parametrize(
    ("cuda", "mps", "chosen"), [(True, True, "cuda"), (False, True, "mps"), (False, False, "cpu")], ids=str
)
def test_the_automatic_device_is_the_first_there_is(
    monkeypatch: pytest.MonkeyPatch, cuda: bool, mps: bool, chosen: str
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)
    assert choose_device("auto").type == chosen
    for name, there in (("cuda", cuda), ("mps", mps)):
        if not there:
            with pytest.raises(ValueError, match=f"device is '{name}', which this machine lacks"):
                choose_device(name)
