"""What the project promises of an evaluation: the numbers of the network as it is, which stays as it is."""

import pytest
import torch
from torch import nn

from normstudy.data import Dataset
from normstudy.training import evaluate
from tests.trainings import SHORT, train


def test_the_reported_test_numbers_are_those_of_the_network_that_comes_out(few: Dataset) -> None:
    net, history = train(few, SHORT)
    final = evaluate(net, few.test_images, few.test_labels, few)
    assert (final.loss, final.accuracy) == (history[-1].test_loss, history[-1].test_accuracy)
    assert final.logits.shape == (50, 10)
    expected = nn.functional.cross_entropy(final.logits, few.test_labels).item()
    assert final.loss == pytest.approx(expected)
    assert final.accuracy == pytest.approx((final.logits.argmax(1) == few.test_labels).double().mean().item())


def test_evaluation_changes_nothing_and_does_not_depend_on_the_batch(few: Dataset) -> None:
    net, _ = train(few, SHORT)
    before = {name: tensor.clone() for name, tensor in net.state_dict().items()}
    whole = evaluate(net, few.test_images, few.test_labels, few).logits
    one = evaluate(net, few.test_images[:1], few.test_labels[:1], few).logits
    torch.testing.assert_close(whole[:1], one)
    assert all(torch.equal(tensor, before[name]) for name, tensor in net.state_dict().items())
