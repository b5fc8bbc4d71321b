"""A network evaluated by other statistics than its running ones."""

from dataclasses import replace

import pytest
import torch
from torch import nn

from normstudy import data
from normstudy.experiments import evaluations, single
from normstudy.training import evaluate
from tests.trainings import DEFAULTS, build


@pytest.fixture(scope="module")
def few() -> data.Dataset:
    digits = data.load("digits")
    return replace(digits, train_images=digits.train_images[:128], train_labels=digits.train_labels[:128],
                   test_images=digits.test_images[:100], test_labels=digits.test_labels[:100])  # fmt: skip


def test_precise_statistics_are_those_of_all_that_a_layer_receives(few: data.Dataset):
    net = build("batch", ghost_batch_size=4)
    precise = evaluations.with_precise_statistics(net, few, 32)
    first = net.features[0][0](data.to_input(few.train_images, few)).detach()  # (128, 8, 14, 14)
    layer = next(layer for layer in precise.modules() if isinstance(layer, nn.BatchNorm2d))
    assert torch.allclose(layer.running_mean, first.mean(dim=(0, 2, 3)), atol=1e-5)
    assert torch.allclose(layer.running_var, first.var(dim=(0, 2, 3), correction=0), rtol=1e-4)


def test_with_the_training_set_as_the_batch_precise_statistics_return_what_training_returned(few: data.Dataset):
    net = build("batch")
    inputs = data.to_input(few.train_images, few)
    returned = net.train()(inputs)
    precise = evaluations.with_precise_statistics(net, few, len(few.train_images)).eval()
    assert torch.allclose(precise(inputs), returned, atol=1e-3)


def test_a_batch_is_normalized_by_its_own_statistics(few: data.Dataset):
    net = build("batch")
    found = evaluations.by_statistics(net, few, 50)
    inputs = data.to_input(few.test_images, few)
    logits = torch.cat([net.train()(inputs[:50]), net(inputs[50:])])
    assert found["test_loss_own"] == pytest.approx(
        torch.nn.functional.cross_entropy(logits, few.test_labels).item(), rel=1e-5
    )
    assert found["test_accuracy_own"] == pytest.approx((logits.argmax(dim=1) == few.test_labels).float().mean().item())
    assert found["wrong_own"] == (logits.argmax(dim=1) != few.test_labels).nonzero().flatten().tolist()


@pytest.mark.parametrize("batch_size", [30, 64, 100, 128])
def test_every_test_image_counts_once_whatever_the_batch(batch_size: int, few: data.Dataset):
    """Without normalization no image changes another, so that any batches give the network's own numbers."""
    net = build("none")
    found, plain = evaluations.by_statistics(net, few, batch_size), evaluate(net, few.test_images, few.test_labels, few)
    for way in ("own", "precise"):
        assert found[f"test_loss_{way}"] == pytest.approx(plain.loss, rel=1e-5)
        assert found[f"test_accuracy_{way}"] == pytest.approx(plain.accuracy)
        assert found[f"wrong_{way}"] == (plain.logits.argmax(dim=1) != few.test_labels).nonzero().flatten().tolist()


def test_the_network_is_left_as_it_was(few: data.Dataset):
    net = build("batch", ghost_batch_size=1)
    before = {name: tensor.clone() for name, tensor in net.state_dict().items()}
    evaluations.by_statistics(net, few, 32)
    assert all(torch.equal(tensor, before[name]) for name, tensor in net.state_dict().items())


def test_a_run_with_ghost_batches_says_so_in_its_last_row_and_no_other_run_does(few: data.Dataset):
    parameters = DEFAULTS | {"dataset": "digits", "measure": False, "epochs": 2, "batch_size": 32}
    first, last = single.run(parameters | {"ghost_batch_size": 8}, few)
    assert "test_loss_precise" not in first
    assert {"test_loss_own", "test_accuracy_own", "test_loss_precise", "test_accuracy_precise"} <= last.keys()
    assert "test_loss_own" not in single.run(parameters, few)[-1]
