"""What the steps of an epoch read and write. That a recording repeats a step is tested on a GPU: `test_gpu`."""

import math
from dataclasses import fields

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from normstudy.machine.recording import Epoch

CPU = torch.device("cpu")


def tensors(epoch: Epoch) -> dict[str, Tensor]:
    return {field.name: getattr(epoch, field.name) for field in fields(Epoch)}


def begun(images: int, batches: int, batch_size: int, seed: int = 0) -> Epoch:
    epoch = Epoch.empty(images, batches, batch_size, CPU)
    epoch.begin([0.1] * batches, 1, torch.Generator().manual_seed(seed))
    return epoch


def after(losses: list[float], penalties: list[float] | None = None) -> Epoch:
    """An epoch whose steps have written these."""
    epoch = Epoch.empty(len(losses), len(losses), 1, CPU)
    epoch.losses.copy_(torch.tensor(losses))
    epoch.penalties.copy_(torch.tensor(penalties or [0.0] * len(losses)))
    return epoch


def test_there_is_room_for_each_image_and_for_the_numbers_of_each_batch():
    epoch = Epoch.empty(17, 3, 5, CPU)
    assert {name: tuple(tensor.shape) for name, tensor in tensors(epoch).items()} == {
        "order": (3, 5), "rates": (3,), "batch": (1,), "losses": (3,), "penalties": (3,), "correct": (3,),
        "last_losses": (17,), "last_correct": (17,),
    }  # fmt: skip
    assert [name for name, tensor in tensors(epoch).items() if tensor.dtype == torch.int64] == ["order", "batch"]
    unknown = {name for name, tensor in tensors(epoch).items() if tensor.isnan().all()}
    assert unknown == {"last_losses", "last_correct"}
    assert not any(tensor.any() for name, tensor in tensors(epoch).items() if name not in unknown)


def test_what_is_written_to_one_of_them_is_written_to_no_other():
    epoch = Epoch.empty(17, 3, 5, CPU)
    assert len({tensor.data_ptr() for tensor in tensors(epoch).values()}) == len(fields(Epoch))


def test_all_of_it_lives_on_the_device():
    assert {tensor.device.type for tensor in tensors(Epoch.empty(17, 3, 5, torch.device("meta"))).values()} == {"meta"}


@settings(max_examples=50)
@given(st.integers(1, 5), st.integers(1, 5), st.integers(0, 5), st.integers(0, 1000))
def test_no_image_comes_twice_in_an_epoch(batches: int, batch_size: int, left_out: int, seed: int):
    images = batches * batch_size + left_out
    drawn = begun(images, batches, batch_size, seed).order.flatten().tolist()
    assert len(set(drawn)) == batches * batch_size
    assert set(drawn) <= set(range(images))


def test_every_image_has_its_turn_to_be_left_out():
    generator, epoch = torch.Generator().manual_seed(0), Epoch.empty(5, 1, 4, CPU)
    left_out = set()
    for _ in range(50):
        epoch.begin([0.1], 1, generator)
        left_out |= set(range(5)) - set(epoch.order.flatten().tolist())
    assert left_out == set(range(5))


def test_the_order_is_that_of_the_generator_and_another_one_in_the_next_epoch():
    generator, epoch = torch.Generator().manual_seed(1), Epoch.empty(100, 10, 10, CPU)
    globally = torch.get_rng_state()
    orders = []
    for _ in range(2):
        epoch.begin([0.1] * 10, 1, generator)
        orders.append(epoch.order.clone())
    assert torch.equal(torch.get_rng_state(), globally)
    assert not torch.equal(*orders)
    assert torch.equal(begun(100, 10, 10, seed=1).order, orders[0])
    assert not torch.equal(begun(100, 10, 10, seed=2).order, orders[0])


def test_an_epoch_begins_at_the_first_batch_with_rates_of_its_own_and_in_the_same_place():
    epoch = Epoch.empty(6, 3, 2, CPU)
    places = {name: tensor.data_ptr() for name, tensor in tensors(epoch).items()}
    epoch.batch.fill_(3)
    epoch.begin([0.1, 0.2, 0.3], 1, torch.Generator())
    assert epoch.batch.tolist() == [0]
    assert epoch.rates.tolist() == pytest.approx([0.1, 0.2, 0.3])
    assert {name: tensor.data_ptr() for name, tensor in tensors(epoch).items()} == places


def known(last_losses: list[float], batches: int = 1, batch_size: int = 1) -> Epoch:
    """An epoch of images that had these losses when they were last drawn."""
    epoch = Epoch.empty(len(last_losses), batches, batch_size, CPU)
    epoch.last_losses.copy_(torch.tensor(last_losses))
    return epoch


def test_before_anything_is_known_of_the_images_each_is_drawn_once_however_easy_ones_are_to_be_drawn():
    epoch = Epoch.empty(23, 4, 5, CPU)
    epoch.begin([0.1] * 4, 0.01, torch.Generator())
    assert len(set(epoch.order.flatten().tolist())) == 20


@pytest.mark.parametrize("easy", [0.1, 0.5])
def test_images_below_the_mean_loss_are_drawn_so_often_beside_the_others(easy: float):
    epoch = known([0.1] * 900 + [5.0] * 100, batches=100, batch_size=100)
    epoch.begin([0.1] * 100, easy, torch.Generator().manual_seed(0))
    times = torch.bincount(epoch.order.flatten(), minlength=1000).double()
    assert times[:900].mean() / times[900:].mean() == pytest.approx(easy, rel=0.1)
    assert times[900:].max() - times[900:].min() <= 1, "all hard images of a pass come before any comes again"
    assert times[:900].max() > times[:900].min(), "chance chooses among the easy ones"


def test_an_image_at_the_mean_and_one_never_drawn_are_not_easy():
    epoch = known([1.0, 1.0, 1.0, math.nan], batches=4, batch_size=100)
    epoch.begin([0.1] * 4, 0.01, torch.Generator())
    assert torch.bincount(epoch.order.flatten()).tolist() == [100] * 4


def test_with_1_what_is_known_of_the_images_makes_no_difference():
    epoch = known([0.1] * 90 + [5.0] * 10, batches=10, batch_size=10)
    epoch.begin([0.1] * 10, 1, torch.Generator().manual_seed(3))
    assert torch.equal(epoch.order, begun(100, 10, 10, seed=3).order)


def test_of_a_batch_the_last_losses_are_kept_and_of_an_image_that_is_in_it_twice_the_worse():
    epoch = known([9.0, 9.0, 9.0])
    epoch.remember(torch.tensor([2, 0, 2]), torch.tensor([0.5, 0.25, 0.75]), torch.tensor([1.0, 1.0, 0.0]))
    assert epoch.last_losses.tolist() == [0.25, 9.0, 0.75]
    assert [epoch.last_correct[0].item(), epoch.last_correct[2].item()] == [1.0, 0.0]


def test_where_batches_are_harder_than_the_images_loss_and_accuracy_are_those_of_the_images_drawn_so_far():
    epoch = after([5.0, 7.0], [0.5, 0.0])
    epoch.last_losses.copy_(torch.tensor([0.25, math.nan]))
    epoch.last_correct.copy_(torch.tensor([1.0, math.nan]))
    assert [number.item() for number in epoch.sums(easy=0.5)] == [0.25, 0.25, 2.0]
    assert [number.item() for number in epoch.sums(easy=1)] == [6.0, 0.25, 0.0]


def test_losses_and_penalties_are_averaged_and_images_are_counted():
    epoch = after([1.0, 2.0, 6.0], [0.5, 0.0, 1.0])
    epoch.correct.copy_(torch.tensor([4.0, 0.0, 3.0]))
    assert [number.shape for number in epoch.sums(easy=1)] == [()] * 3
    assert [number.item() for number in epoch.sums(easy=1)] == [3.0, 0.5, 7.0]


@pytest.mark.parametrize("wrong", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("where", [1, 2, 4])
def test_the_first_batch_whose_loss_or_penalty_is_not_finite_is_named(wrong: float, where: int):
    numbers = [1.0 if batch < where else wrong for batch in range(1, 5)]
    assert after(numbers).first_not_finite() == where
    assert after([1.0] * 4, numbers).first_not_finite() == where


def test_losses_and_penalties_count_that_are_finite_each_but_not_together():
    assert after([1.0, 3e38, 1.0], [1.0, 3e38, 1.0]).first_not_finite() == 2
    assert after([1.0, math.inf, 1.0], [1.0, -math.inf, 1.0]).first_not_finite() == 2


def test_where_all_are_finite_the_last_batch_is_named():
    assert after([1.0, 2.0, 3.0]).first_not_finite() == 3
    assert after([1.0]).first_not_finite() == 1
