"""What the project promises of its datasets, their normalization and their augmentation."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage
from sklearn.datasets import load_digits
from torch import Tensor

from normstudy import data, files
from normstudy.data import Dataset, augment, hold_out, load, to_input

TRAIN = [4, 6, 7, 2, 7, 6, 8, 7, 4, 4, 2, 3, 3, 4, 7, 3, 7, 6, 2, 5]
TEST = [9, 5, 3, 4, 7, 4, 2, 6, 3, 2, 1, 9, 3, 1, 3, 5, 5, 6, 3, 9]
"""The first labels of the digits."""


@pytest.fixture(scope="module")
def digits() -> Dataset:
    return load("digits")


def images_of(number: int, seed: int = 0) -> Tensor:
    return torch.randint(0, 256, (number, 28, 28), dtype=torch.uint8, generator=torch.Generator().manual_seed(seed))


def test_digits_are_599_training_and_1198_test_images_of_28_by_28(digits: Dataset) -> None:
    assert digits.train_images.shape == (599, 28, 28)
    assert digits.test_images.shape == (1198, 28, 28)
    assert digits.train_images.dtype == torch.uint8
    assert digits.train_labels.dtype == torch.int64
    assert (digits.train_images.min(), digits.train_images.max()) == (0, 255)


def test_a_dataset_says_where_its_tensors_live(digits: Dataset) -> None:
    assert digits.device == torch.device("cpu")


def test_digits_are_as_bright_as_the_small_ones_they_are_enlarged_from(digits: Dataset) -> None:
    enlarged = torch.cat([digits.train_images, digits.test_images]).double().mean() / 255
    assert enlarged == pytest.approx(load_digits().images.mean() / 16, rel=1e-3)


def test_digits_are_split_the_same_way_every_time_with_no_image_on_both_sides(digits: Dataset) -> None:
    again = load("digits")
    assert torch.equal(again.test_images, digits.test_images)
    assert torch.equal(again.train_labels, digits.train_labels)
    training = {image.numpy().tobytes() for image in digits.train_images}
    assert not training & {image.numpy().tobytes() for image in digits.test_images}


def test_the_split_of_the_digits_is_the_one_that_published_results_were_made_with(digits: Dataset) -> None:
    assert digits.train_labels[:20].tolist() == TRAIN
    assert digits.test_labels[:20].tolist() == TEST


def test_each_class_has_its_share_of_the_test_digits(digits: Dataset) -> None:
    share = digits.test_labels.bincount() / (digits.test_labels.bincount() + digits.train_labels.bincount())
    assert ((share - 2 / 3).abs() < 0.01).all()


def test_every_dataset_has_ten_class_names() -> None:
    assert {name: len(classes) for name, classes in data.CLASSES.items()} == dict.fromkeys(files.DATASETS, 10)


def test_normalized_training_images_have_mean_0_and_standard_deviation_1(digits: Dataset) -> None:
    normalized = to_input(digits.train_images, digits).double()
    assert normalized.shape == (599, 1, 28, 28)
    assert abs(normalized.mean().item()) < 1e-5
    assert abs(normalized.std(correction=0).item() - 1) < 1e-5


def test_an_image_and_its_unaugmented_float_give_the_same_input(digits: Dataset) -> None:
    images = digits.test_images[:5]
    before = images.clone()
    unchanged = augment(images, torch.Generator(), rotation=0, shift=0, scale=0)
    torch.testing.assert_close(to_input(unchanged.clone(), digits), to_input(images, digits), rtol=0, atol=1e-3)
    assert torch.equal(images, before)


@settings(max_examples=25, deadline=None)
@given(
    number=st.integers(1, 20),
    rotation=st.floats(0, 180),
    shift=st.floats(0, 28),
    scale=st.floats(0, 0.9),
    seed=st.integers(0, 2**31),
)
def test_augmented_images_keep_their_shape_and_range(
    number: int, rotation: float, shift: float, scale: float, seed: int
) -> None:
    augmented = augment(images_of(number, seed), torch.Generator().manual_seed(seed), rotation, shift, scale)
    assert augmented.shape == (number, 28, 28)
    assert augmented.isfinite().all()
    assert augmented.min() >= 0
    assert augmented.max() <= 255.01


def test_an_augmentation_of_nothing_is_the_identity() -> None:
    images = images_of(7)
    augmented = augment(images, torch.Generator(), rotation=0, shift=0, scale=0)
    torch.testing.assert_close(augmented, images.float(), rtol=0, atol=1e-2)


def test_the_same_generator_state_augments_the_same_way_and_the_next_one_differently() -> None:
    images, generator = images_of(7), torch.Generator().manual_seed(3)
    first, second = (augment(images, generator, 10, 2, 0.1) for _ in range(2))
    assert torch.equal(first, augment(images, torch.Generator().manual_seed(3), 10, 2, 0.1))
    assert not torch.equal(first, second)


def test_each_image_of_a_batch_is_augmented_by_amounts_of_its_own() -> None:
    same = images_of(1).expand(4, 28, 28)
    augmented = augment(same, torch.Generator().manual_seed(0), 10, 2, 0.1)
    assert len({image.numpy().tobytes() for image in augmented}) == 4


def dot_in_the_middle() -> Tensor:
    images = torch.zeros(500, 28, 28, dtype=torch.uint8)
    images[:, 13:15, 13:15] = 255
    return images


def centre(images: Tensor) -> Tensor:
    """Each image's centre of mass, (N, 2), in pixels from the middle."""
    axis = torch.arange(28) - 13.5
    mass = images.sum((1, 2))
    return torch.stack([(images.sum(1) * axis).sum(1) / mass, (images.sum(2) * axis).sum(1) / mass], dim=1)


def test_a_pixel_comes_from_where_turn_size_and_move_say() -> None:
    images, largest = images_of(8), {"rotation": 30.0, "shift": 4.0, "scale": 0.3}
    augmented = augment(images, torch.Generator().manual_seed(5), **largest)
    turn, size, right, down = (2 * torch.rand(4, 8, generator=torch.Generator().manual_seed(5)) - 1).double().numpy()
    angle, zoom = np.radians(largest["rotation"] * turn), 1 + largest["scale"] * size
    for i, image in enumerate(images.double().numpy()):
        cosine, sine = np.cos(angle[i]) / zoom[i], np.sin(angle[i]) / zoom[i]
        back = np.array([[cosine, sine], [-sine, cosine]])  # from the row and column of a pixel to where it was
        middle = np.array([13.5, 13.5])
        moved = largest["shift"] * np.array([down[i], right[i]])
        expected = ndimage.affine_transform(image, back, middle - back @ middle + moved, order=1, mode="grid-constant")
        np.testing.assert_allclose(augmented[i].numpy(), expected, atol=0.02)


@pytest.mark.parametrize("shift", [1.0, 2.0, 5.0])
def test_images_move_by_at_most_the_shift_and_nearly_all_of_it_is_used(shift: float) -> None:
    moved = centre(augment(dot_in_the_middle(), torch.Generator().manual_seed(0), 0, shift, 0)).abs().max()
    assert 0.9 * shift < moved <= shift + 1e-3


@pytest.mark.parametrize("rotation", [5.0, 15.0, 40.0])
def test_images_turn_by_at_most_the_rotation_and_nearly_all_of_it_is_used(rotation: float) -> None:
    images = torch.zeros(500, 28, 28, dtype=torch.uint8)
    images[:, 13:15, 22:24] = 255  # nine pixels to the right of the middle
    x, y = centre(augment(images, torch.Generator().manual_seed(0), rotation, 0, 0)).unbind(1)
    turned = torch.atan2(y, x).rad2deg().abs().max()
    assert 0.9 * rotation < turned <= rotation + 0.5


@pytest.mark.parametrize("scale", [0.1, 0.3])
def test_images_grow_and_shrink_by_at_most_the_scale_and_nearly_all_of_it_is_used(scale: float) -> None:
    images = torch.zeros(500, 28, 28, dtype=torch.uint8)
    images[:, 13:15, 20:22] = 255  # seven pixels to the right of the middle
    distance = centre(augment(images, torch.Generator().manual_seed(0), 0, 0, scale))[:, 0] / 7
    assert 1 - scale - 0.02 <= distance.min() < 1 - 0.9 * scale
    assert 1 + 0.9 * scale < distance.max() <= 1 + scale + 0.02


def test_what_comes_in_from_outside_is_black() -> None:
    white = torch.full((50, 28, 28), 255, dtype=torch.uint8)
    augmented = augment(white, torch.Generator().manual_seed(0), 0, 10, 0)
    assert augmented.min() == 0
    assert (augmented.amax((1, 2)) > 254.9).all()


def test_held_out_images_come_from_the_training_set_and_leave_it(digits: Dataset) -> None:
    held = hold_out(digits, 400)
    assert torch.equal(torch.cat([held.train_images, held.test_images]), digits.train_images)
    assert torch.equal(torch.cat([held.train_labels, held.test_labels]), digits.train_labels)
    assert len(held.test_images) == 400
    assert (held.mean, held.std) == data.mean_and_std(digits.train_images[:-400])


@given(st.lists(st.integers(0, 255), min_size=1, max_size=50))
@settings(max_examples=50, deadline=None)
def test_mean_and_standard_deviation_are_those_of_the_pixels(pixels: list[int]) -> None:
    images = torch.tensor(pixels, dtype=torch.uint8)
    mean, std = data.mean_and_std(images)
    exact = images.double() / 255
    assert mean == pytest.approx(exact.mean().item(), abs=1e-9)
    assert std == pytest.approx(exact.std(correction=0).item(), abs=1e-9)


def test_a_dataset_cannot_be_changed(digits: Dataset) -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        digits.mean = 0.0  # type: ignore[misc]


def test_an_unknown_dataset_is_refused_with_those_that_exist() -> None:
    with pytest.raises(ValueError, match="dataset is 'minst'; it must be one of mnist, fashion_mnist, kmnist, digits"):
        load("minst")


def test_missing_files_that_cannot_be_downloaded_are_refused_and_nothing_takes_their_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(dataset: str) -> None:
        raise files.DataError(f"{dataset}: no files")

    monkeypatch.setattr(files, "fetch", fail)
    with pytest.raises(files.DataError, match="mnist: no files"):
        load("mnist")


def test_mnist_is_the_known_60000_and_10000_images() -> None:
    if not all(files.find("mnist").values()):
        pytest.skip(f"no MNIST in {files.folder('mnist')}")
    mnist = load("mnist")
    assert (len(mnist.train_images), len(mnist.test_images)) == (60_000, 10_000)
    assert mnist.train_labels[:10].tolist() == [5, 0, 4, 1, 9, 2, 1, 3, 1, 4]
    assert mnist.test_labels.bincount().tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
    assert (round(mnist.mean, 4), round(mnist.std, 4)) == (0.1307, 0.3081)
