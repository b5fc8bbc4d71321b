"""Training: the penalties, the loop, and the numbers of every epoch."""

import json
import math
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, fields
from inspect import signature
from pathlib import Path
from typing import Any, NamedTuple, Self

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from normstudy.data import Dataset, augment, to_input
from normstudy.machine import checkpoints, model_files
from normstudy.machine.processor import keep_freed_memory
from normstudy.machine.recording import Epoch, record
from normstudy.model import Net

NETWORK = {name: parameter.default for name, parameter in signature(Net).parameters.items()}
"""The parameters that decide the network, with their defaults."""

EVALUATION_BATCH = 250  # on the CPU: small enough for a core's cache, twice as fast as 1000


@dataclass(frozen=True)
class Settings:
    """What decides a training run, beside the network and the data.

    Attributes:
        epochs: how often each training image is seen.
        batch_size: images a step; a last incomplete batch of an epoch is left out (other images in each epoch).
        learning_rate: the peak of the schedule `one_cycle`.
        l1: weight of the sum of |w| in the loss.
        l2: weight of the sum of w² in the loss.
        seed: decides the order of the images and their augmentation, and in `build` the first weights.
        rotation, shift, scale: the largest changes that `data.augment` makes, in degrees, pixels and as a fraction.
    """

    epochs: int
    batch_size: int
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

    Those of training are means over the epoch's batches, as they were trained on: augmented, the network in training
    mode and changing. Those of the test are of the network at the epoch's end, in evaluation mode.
    """

    epoch: int  # from 1
    learning_rate: float  # of the epoch's last step
    train_loss: float  # cross-entropy, without the penalty
    train_penalty: float  # what was added to it
    train_accuracy: float  # 0 to 1
    test_loss: float
    test_accuracy: float
    seconds: float


class Evaluation(NamedTuple):
    """What a network makes of labelled images."""

    loss: float  # mean cross-entropy
    accuracy: float  # 0 to 1
    logits: Tensor  # (N, 10)


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


def build(parameters: Mapping[str, Any], device: torch.device | str = "cpu") -> nn.Module:
    """The network that a variant's parameters ask for, new: `Net`, or what the file makes that `model` names.

    Its weights depend on `seed` alone: they are drawn on the CPU, whatever the device.

    Raises:
        ModelError: the file makes no network of these parameters.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(int(parameters["seed"]))
        if reference := str(parameters.get("model") or ""):
            return model_files.network(reference, parameters, NETWORK).to(device)
        return Net(**{name: parameters[name] for name in NETWORK}).to(device)


def penalized_weights(net: nn.Module) -> Iterator[Tensor]:
    """The weights of convolution and linear layers: what the penalties cover. Not biases, gamma or beta."""
    return (layer.weight for layer in net.modules() if isinstance(layer, nn.Conv2d | nn.Linear))


def l1_penalty(net: nn.Module) -> Tensor:
    """The sum of |w| over the penalized weights, a scalar."""
    return torch.cat([weight.flatten() for weight in penalized_weights(net)]).abs().sum()


def l2_penalty(net: nn.Module) -> Tensor:
    """The sum of w² over the penalized weights, a scalar."""
    return torch.cat([weight.flatten() for weight in penalized_weights(net)]).square().sum()


def penalty(net: nn.Module, settings: Settings) -> Tensor:
    """What is added to the loss before backward(): l1 · sum |w| + l2 · sum w²."""
    total = torch.zeros((), device=next(net.parameters()).device)
    if settings.l1:
        total = total + settings.l1 * l1_penalty(net)
    if settings.l2:
        total = total + settings.l2 * l2_penalty(net)
    return total


def one_cycle(peak: float, steps: int) -> list[float]:
    """The learning rate of each of `steps` steps, as PyTorch's OneCycleLR has them by default.

    Up from peak / 25 to the peak in the first 30 % of the steps, then down to nearly nothing, along half cosines
    (Smith & Topin, 2017, arXiv:1708.07120).
    """

    def between(start: float, end: float, fraction: float) -> float:
        return end + (start - end) * (1 + math.cos(math.pi * fraction)) / 2

    start, end, turn = peak / 25, peak / 25e4, 0.3 * steps - 1
    return [
        between(start, peak, step / turn) if step <= turn else between(peak, end, (step - turn) / (steps - 1 - turn))
        for step in range(steps)
    ]


def fit(
    net: nn.Module,
    dataset: Dataset,
    settings: Settings,
    on_epoch: Callable[[EpochMetrics], object] = lambda metrics: None,
    checkpoint: Path | None = None,
) -> list[EpochMetrics]:
    """Trains `net` in place and returns the metrics of every epoch, in order.

    Args:
        net: the network, on any device; it is moved to that of the dataset.
        dataset: what to train and test on.
        settings: everything else that decides the result. On the CPU, the same settings give the same numbers bit for
            bit, for one number of threads.
        on_epoch: called with each epoch's metrics as soon as they are known (not with those of a resumed checkpoint).
        checkpoint: a file that is rewritten after each epoch. If it is there and belongs to the same run, training goes
            on from it, and ends with the same numbers as if it had never stopped.

    Raises:
        ValueError: a batch is larger than the training set.
        Diverged: a loss is not finite. That ends the training at once on the CPU; elsewhere at the end of the epoch, so
            that a GPU need not wait.
    """
    batches = len(dataset.train_images) // settings.batch_size
    if batches == 0:
        raise ValueError(
            f"batch_size is {settings.batch_size}; there are only {len(dataset.train_images)} training images"
        )
    keep_freed_memory()
    # Channels last is the layout in which convolution, normalization and pooling are fastest on the CPU. CUDA's group
    # normalization would only turn it back.
    layout = torch.channels_last if dataset.device.type == "cpu" else torch.contiguous_format
    net.to(dataset.device).to(memory_format=layout).train()
    generator = torch.Generator(dataset.device).manual_seed(settings.seed)
    rates = one_cycle(settings.learning_rate, settings.epochs * batches)
    epoch = Epoch.empty(batches, settings.batch_size, dataset.device)
    step, state = _rehearsed(net, dataset, settings, generator, epoch)
    identity = _identity(net, dataset, settings)
    kept = checkpoints.restore(checkpoint, state, generator, identity) if checkpoint else None
    history = [EpochMetrics(**metrics) for metrics in json.loads(kept or "[]")]

    for number in range(len(history) + 1, settings.epochs + 1):
        start, before = time.perf_counter(), {name: tensor.clone() for name, tensor in net.state_dict().items()}
        epoch.begin(rates[(number - 1) * batches : number * batches], len(dataset.train_images), generator)
        _train(net, step, epoch)
        test_loss, test_correct, _ = _evaluate(net, dataset.test_images, dataset.test_labels, dataset)
        # The one moment of an epoch at which a GPU is waited for.
        numbers = torch.stack([*epoch.sums(), test_loss, test_correct]).tolist()
        if not all(map(math.isfinite, numbers)):
            net.load_state_dict(before)
            raise Diverged(number, epoch.first_not_finite(), settings, history)
        history.append(
            EpochMetrics(
                epoch=number,
                learning_rate=rates[number * batches - 1],
                train_loss=numbers[0],
                train_penalty=numbers[1],
                train_accuracy=numbers[2] / epoch.order.numel(),
                test_loss=numbers[3],
                test_accuracy=numbers[4] / len(dataset.test_labels),
                seconds=time.perf_counter() - start,
            )
        )
        if checkpoint:
            checkpoints.save(checkpoint, state, generator, identity, json.dumps(list(map(asdict, history))))
        on_epoch(history[-1])
    return history


def _rehearsed(
    net: nn.Module, dataset: Dataset, settings: Settings, generator: torch.Generator, epoch: Epoch
) -> tuple[Callable[[], None], dict[str, Tensor]]:
    """The step to train with, and all tensors that it changes: weights, running statistics, the optimizer's averages.

    A step is taken, so that all these tensors exist, and undone. On an NVIDIA GPU it is recorded.
    """
    rate = torch.tensor(settings.learning_rate, device=dataset.device)
    optimizer = torch.optim.Adam(net.parameters(), lr=rate, fused=True, capturable=dataset.device.type == "cuda")

    def step() -> None:
        chosen = epoch.order[epoch.batch].squeeze(0)
        # index_select copies whole images, eight times as fast as indexing
        images = dataset.train_images.index_select(0, chosen)
        augmented = augment(images, generator, settings.rotation, settings.shift, settings.scale)
        logits, targets = net(to_input(augmented, dataset)), dataset.train_labels[chosen]
        loss, added = F.cross_entropy(logits, targets), penalty(net, settings)
        optimizer.zero_grad()
        (loss + added).backward()  # type: ignore[no-untyped-call]
        rate.copy_(epoch.rates[epoch.batch].squeeze(0))
        optimizer.step()
        epoch.losses[epoch.batch] = loss.detach()
        epoch.penalties[epoch.batch] = added.detach()
        epoch.correct[epoch.batch] = (logits.argmax(dim=1) == targets).sum().float()
        epoch.batch.add_(1)

    def first_step() -> None:
        epoch.batch.zero_()
        step()

    first = {name: tensor.clone() for name, tensor in net.state_dict().items()}
    if dataset.device.type == "cuda":
        taken = record(step, first_step, generator)
    else:
        first_step()
        taken = step
    net.load_state_dict(first)
    state = {f"net.{name}": tensor for name, tensor in net.state_dict().items()}
    for name, parameter in net.named_parameters():
        for average, tensor in optimizer.state[parameter].items():
            state[f"optimizer.{name}.{average}"] = tensor.zero_()
    generator.manual_seed(generator.initial_seed())
    return taken, state


def _train(net: nn.Module, step: Callable[[], None], epoch: Epoch) -> None:
    """Take the steps of an epoch; on the CPU only to the first whose loss is not finite."""
    net.train()
    watched = epoch.batch.device.type == "cpu"
    for number in range(len(epoch.order)):
        step()
        if watched and not math.isfinite(epoch.losses[number] + epoch.penalties[number]):
            break


def evaluate(net: nn.Module, images: Tensor, labels: Tensor, dataset: Dataset) -> Evaluation:
    """Loss, accuracy and logits of `net` in evaluation mode on uint8 images (N, 28, 28), normalized as `dataset`."""
    loss, correct, logits = _evaluate(net, images, labels, dataset)
    return Evaluation(loss.item(), correct.item() / len(labels), logits)


@torch.inference_mode()
def _evaluate(net: nn.Module, images: Tensor, labels: Tensor, dataset: Dataset) -> tuple[Tensor, Tensor, Tensor]:
    net.eval()
    size = len(images) if images.is_cuda else EVALUATION_BATCH
    starts = range(0, len(images), size)
    logits = torch.cat([net(to_input(images[start : start + size], dataset)) for start in starts])
    return F.cross_entropy(logits, labels), (logits.argmax(dim=1) == labels).sum().float(), logits


def _identity(net: nn.Module, dataset: Dataset, settings: Settings) -> str:
    """What two runs must share for one to go on from the other's checkpoint."""
    return json.dumps(
        {
            "settings": asdict(settings),
            "network": repr(net),
            "dataset": [dataset.name, len(dataset.train_images), len(dataset.test_images), dataset.mean, dataset.std],
            "device": str(dataset.device),
            "threads": torch.get_num_threads(),
            "torch": torch.__version__,
        }
    )
