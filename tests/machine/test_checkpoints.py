"""A checkpoint gives back what was put in it, to the run that it is of and to no other."""

from pathlib import Path

import pytest
import torch
from torch import Tensor

from normstudy.machine import checkpoints


def tensors(seed: int) -> dict[str, Tensor]:
    """What training changes: of several types, one of them not contiguous, one a single number."""
    generator = torch.Generator().manual_seed(seed)
    return {
        "weight": torch.randn(3, 4, generator=generator).T,
        "steps": torch.randint(1000, (), generator=generator),
        "fine": torch.randn(2, dtype=torch.float64, generator=generator),
    }


def state(known: dict[str, Tensor], generator: torch.Generator) -> list[Tensor]:
    return [*(tensor.clone() for tensor in known.values()), generator.get_state()]


def same(one: list[Tensor], other: list[Tensor]) -> bool:
    return all(torch.equal(first, second) for first, second in zip(one, other, strict=True))


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    path = tmp_path / "new" / "checkpoint.safetensors"
    checkpoints.save(path, tensors(1), torch.Generator().manual_seed(11), "a run", '{"epoch": "α"}')
    return path


def test_tensors_generator_and_history_come_back_in_place(saved: Path):
    known, generator = tensors(2), torch.Generator().manual_seed(12)
    view = known["weight"][0]
    assert checkpoints.restore(saved, known, generator, "a run") == '{"epoch": "α"}'
    assert same(state(known, generator), state(tensors(1), torch.Generator().manual_seed(11)))
    assert torch.equal(view, tensors(1)["weight"][0]), "who holds a tensor sees it change"


def test_what_is_drawn_afterwards_is_what_would_have_been_drawn(saved: Path):
    generator = torch.Generator()
    checkpoints.restore(saved, {}, generator, "a run")
    assert torch.equal(torch.rand(5, generator=generator), torch.rand(5, generator=torch.Generator().manual_seed(11)))


def test_a_later_checkpoint_takes_the_place_of_an_earlier_one(saved: Path):
    checkpoints.save(saved, tensors(3), torch.Generator().manual_seed(13), "a run", "later")
    known, generator = tensors(2), torch.Generator()
    assert checkpoints.restore(saved, known, generator, "a run") == "later"
    assert same(state(known, generator), state(tensors(3), torch.Generator().manual_seed(13)))
    assert list(saved.parent.iterdir()) == [saved]


@pytest.mark.parametrize("damage", ["missing", "of another run", "empty", "cut short", "no tensors"])
def test_where_there_is_none_to_go_on_from_nothing_is_changed(saved: Path, damage: str):
    content = saved.read_bytes()
    match damage:
        case "missing":
            saved.unlink()
        case "empty":
            saved.write_bytes(b"")
        case "cut short":
            saved.write_bytes(content[:-1])
        case "no tensors":
            saved.write_bytes(b"not a checkpoint")
    known, generator = tensors(2), torch.Generator().manual_seed(12)
    before = state(known, generator)
    identity = "another run" if damage == "of another run" else "a run"
    assert checkpoints.restore(saved, known, generator, identity) is None
    assert same(state(known, generator), before)


def test_to_save_changes_nothing_that_is_saved(tmp_path: Path):
    known, generator = tensors(1), torch.Generator().manual_seed(11)
    before = state(known, generator)
    checkpoints.save(tmp_path / "a", known, generator, "", "")
    assert same(state(known, generator), before)
