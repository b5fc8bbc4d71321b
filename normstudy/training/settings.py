"""What decides a training run, and what is known of each of its epochs."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Self


@dataclass(frozen=True)
class Settings:
    """What decides a training run, beside the network and the data.

    Attributes:
        epochs: how often as many images are seen as there are for training.
        batch_size: images a step; a last incomplete batch of an epoch is left out (other images in each epoch).
        easy: how often an easy image is drawn, one whose last loss is below the mean of all, beside the others: 0.01 to
            1. With 1, and in the last epoch, each image is drawn once. That hard images teach more in the same time was
            seen by Loshchilov & Hutter (2015, arXiv:1511.06343); mean and last epoch are those of Qin et al. (2023,
            arXiv:2303.04947), who weigh easy images more where fewer are drawn; here all weigh the same.
        learning_rate: the peak of the schedule `one_cycle`.
        l1: weight of the sum of |w| in the loss.
        l2: weight of the sum of w² in the loss.
        seed: decides the order of the images and their augmentation, and in `build` the first weights.
        rotation, shift, scale: the largest changes that `data.augment` makes, in degrees, pixels and as a fraction.
    """

    epochs: int
    batch_size: int
    easy: float
    learning_rate: float
    l1: float
    l2: float
    seed: int
    rotation: float
    shift: float
    scale: float

    @classmethod
    def of(cls, parameters: Mapping[str, Any]) -> Self:
        """The settings among the parameters of a variant, whose notebook has the one list of defaults."""
        return cls(**{field.name: parameters[field.name] for field in fields(cls)})


@dataclass(frozen=True)
class EpochMetrics:
    """The numbers of one epoch.

    Those of training are means over the images, as they were trained on: augmented, the network in training mode and
    changing; where `Settings.easy` is below 1, each image as it was when it was last drawn. Those of the test are those
    of the network at the epoch's end, in evaluation mode.
    """

    epoch: int  # from 1
    learning_rate: float  # of the epoch's last step
    train_loss: float  # cross-entropy, without the penalty
    train_penalty: float  # what was added to it
    train_accuracy: float  # 0 to 1
    test_loss: float
    test_accuracy: float
    seconds: float


class Diverged(ArithmeticError):  # noqa: N818
    """A loss became infinite or not a number; the message says when, and which settings are the likely culprits.

    `history` has the metrics of the epochs before. The network is as it was after the last of them.
    """

    def __init__(self, epoch: int, batch: int, settings: Settings, history: list[EpochMetrics]):
        super().__init__(
            f"the loss is not finite in epoch {epoch}, batch {batch}: too high is probably "
            f"learning_rate ({settings.learning_rate}), l1 ({settings.l1}) or l2 ({settings.l2})"
        )
        self.epoch = epoch
        self.batch = batch
        self.history = history
