"""What trainings begin with: the digits, and a few of them."""

from dataclasses import replace

import pytest

from normstudy import data
from normstudy.data import Dataset


@pytest.fixture(scope="package")
def digits() -> Dataset:
    return data.load("digits")


@pytest.fixture(scope="package")
def few(digits: Dataset) -> Dataset:
    """The first 200 training and 50 test digits."""
    return replace(
        digits,
        train_images=digits.train_images[:200],
        train_labels=digits.train_labels[:200],
        test_images=digits.test_images[:50],
        test_labels=digits.test_labels[:50],
    )
