"""The device that training runs on."""

import torch

DEVICES = ("auto", "cpu", "cuda", "mps")


def choose_device(name: str = "auto") -> torch.device:
    """The device that `name` asks for; `"auto"` is the first there is of CUDA, MPS and CPU.

    Raises:
        ValueError: the name is unknown, or there is no such device here.
    """
    if name not in DEVICES:
        raise ValueError(f"device is {name!r}; it must be one of {', '.join(DEVICES)}")
    there = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    if name == "auto":
        name = next(device for device, available in there.items() if available)
    if not there[name]:
        raise ValueError(f"device is {name!r}, which this machine lacks; auto chooses one that it has")
    return torch.device(name)
