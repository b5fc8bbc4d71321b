"""A file from which a stopped training goes on, with the numbers it would have had."""

from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save as as_bytes
from torch import Tensor

from normstudy.machine import whole


def save(path: Path, tensors: Mapping[str, Tensor], generator: torch.Generator, identity: str, history: str) -> None:
    """Put a new checkpoint in the place of the old one, in one step.

    Args:
        path: the file; its folder is made where it is missing.
        tensors: all that training changes, by name, on any device.
        generator: what training draws from.
        identity: what two runs must share for one to go on from the other's checkpoint.
        history: a text that is kept with it.
    """
    # All copies from a GPU are asked for before any is waited for.
    copies = {name: tensor.to("cpu", non_blocking=tensor.is_cuda) for name, tensor in tensors.items()}
    if any(tensor.is_cuda for tensor in tensors.values()):
        torch.cuda.synchronize()
    content = {name: tensor.contiguous() for name, tensor in copies.items()} | {"generator": generator.get_state()}
    whole.write(path, as_bytes(content, metadata={"identity": identity, "history": history}))


def restore(path: Path, tensors: Mapping[str, Tensor], generator: torch.Generator, identity: str) -> str | None:
    """Set tensors and generator, in place, to those of a checkpoint, and return its history.

    None, and nothing is changed, where there is no readable checkpoint of the same identity.
    """
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            saved = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except (FileNotFoundError, SafetensorError):
        return None
    if metadata.get("identity") != identity:
        return None
    generator.set_state(saved["generator"])
    for name, tensor in tensors.items():
        tensor.copy_(saved[name])
    return str(metadata["history"])
