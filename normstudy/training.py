"""Training: the penalties, the loop, and the numbers of every epoch."""

import json
import math
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import NamedTuple

import torch
import torch.nn.functional as F
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn

from normstudy.data import Dataset, augment, to_input
from normstudy.machine import keep_freed_memory
from normstudy.model import Net

DEVICES = ("auto", "cpu", "cuda", "mps")
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

    epochs: int = 20
    batch_size: int = 128
    learning_rate: float = 0.01
    l1: float = 0.0
    l2: float = 0.0
    seed: int = 0
    rotation: float = 10.0
    shift: float = 2.0
    scale: float = 0.1


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


def build(norm_arg: str, groups: int, seed: int, device: torch.device | str = "cpu") -> Net:
    """A new network, whose weights depend on `seed` alone: they are drawn on the CPU, whatever the device."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return Net(norm_arg, groups).to(device)


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
    net: Net,
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
    images, labels, device = dataset.train_images, dataset.train_labels, dataset.device
    batches = len(images) // settings.batch_size
    if batches == 0:
        raise ValueError(f"batch_size is {settings.batch_size}; there are only {len(images)} training images")
    keep_freed_memory()
    # Channels last is the layout in which convolution, normalization and pooling are fastest on the CPU. CUDA's group
    # normalization would only turn it back.
    layout = torch.channels_last if device.type == "cpu" else torch.contiguous_format
    net.to(device).to(memory_format=layout).train()
    generator = torch.Generator(device).manual_seed(settings.seed)
    rates = one_cycle(settings.learning_rate, settings.epochs * batches)
    rate = torch.tensor(settings.learning_rate, device=device)
    optimizer = torch.optim.Adam(net.parameters(), lr=rate, fused=True, capturable=device.type == "cuda")

    # What the steps of an epoch read and write. All of it lives on the device, the batch's number too, so that a step
    # is the same work each time and a GPU never waits for Python.
    batch = torch.zeros(1, dtype=torch.int64, device=device)
    order = torch.zeros(batches, settings.batch_size, dtype=torch.int64, device=device)
    losses, penalties, correct = (torch.zeros(batches, device=device) for _ in range(3))
    rates_of_all, rates_of_epoch = torch.tensor(rates, device=device), torch.zeros(batches, device=device)

    def step() -> None:
        chosen = order[batch].squeeze(0)
        # index_select copies whole images, eight times as fast as indexing
        augmented = augment(
            images.index_select(0, chosen), generator, settings.rotation, settings.shift, settings.scale
        )
        logits, targets = net(to_input(augmented, dataset)), labels[chosen]
        loss, added = F.cross_entropy(logits, targets), penalty(net, settings)
        optimizer.zero_grad()
        (loss + added).backward()  # type: ignore[no-untyped-call]
        rate.copy_(rates_of_epoch[batch].squeeze(0))
        optimizer.step()
        losses[batch] = loss.detach()
        penalties[batch] = added.detach()
        correct[batch] = (logits.argmax(dim=1) == targets).sum().float()
        batch.add_(1)

    run = _Run(net, optimizer, generator, _identity(net, dataset, settings))
    step = run.rehearse(step, batch)
    if checkpoint:
        run.restore(checkpoint)

    for epoch in range(len(run.history) + 1, settings.epochs + 1):
        start = time.perf_counter()
        before = {name: tensor.clone() for name, tensor in net.state_dict().items()}
        net.train()
        batch.zero_()
        rates_of_epoch.copy_(rates_of_all[(epoch - 1) * batches : epoch * batches])
        shuffled = torch.randperm(len(images), generator=generator, device=device)
        order.copy_(shuffled[: order.numel()].view_as(order))
        for number in range(batches):
            step()
            if device.type == "cpu" and not math.isfinite(losses[number] + penalties[number]):
                break
        test_loss, test_correct, _ = _evaluate(net, dataset.test_images, dataset.test_labels, dataset)
        # The one moment of an epoch at which a GPU is waited for.
        numbers = torch.stack([losses.mean(), penalties.mean(), correct.sum(), test_loss, test_correct]).tolist()
        if not all(map(math.isfinite, numbers)):
            finite = (losses + penalties).isfinite().tolist()
            net.load_state_dict(before)
            raise Diverged(epoch, 1 + finite.index(False) if False in finite else batches, settings, run.history)
        run.history.append(
            EpochMetrics(
                epoch=epoch,
                learning_rate=rates[epoch * batches - 1],
                train_loss=numbers[0],
                train_penalty=numbers[1],
                train_accuracy=numbers[2] / order.numel(),
                test_loss=numbers[3],
                test_accuracy=numbers[4] / len(dataset.test_labels),
                seconds=time.perf_counter() - start,
            )
        )
        if checkpoint:
            run.save(checkpoint)
        on_epoch(run.history[-1])
    return run.history


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


def _identity(net: Net, dataset: Dataset, settings: Settings) -> str:
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


@dataclass
class _Run:
    """All that changes in training: what a checkpoint holds."""

    net: Net
    optimizer: torch.optim.Optimizer
    generator: torch.Generator
    identity: str
    history: list[EpochMetrics] = field(default_factory=list)

    def tensors(self) -> dict[str, Tensor]:
        """The weights and running statistics of the network and the optimizer's averages: themselves, not copies."""
        tensors = {f"net.{name}": tensor for name, tensor in self.net.state_dict().items()}
        for name, parameter in self.net.named_parameters():
            for average, tensor in self.optimizer.state[parameter].items():
                tensors[f"optimizer.{name}.{average}"] = tensor
        return tensors

    def rehearse(self, step: Callable[[], None], batch: Tensor) -> Callable[[], None]:
        """Takes `step` once, so that all tensors exist, undoes what it did, and returns the step to train with.

        On an NVIDIA GPU that is a recording of its kernels, which is replayed without Python (CUDA graphs).
        """
        first = {name: tensor.clone() for name, tensor in self.net.state_dict().items()}
        if batch.is_cuda:
            step = self._record(step, batch)
        else:
            step()
        self.net.load_state_dict(first)
        for averages in self.optimizer.state.values():
            for tensor in averages.values():
                tensor.zero_()
        self.generator.manual_seed(self.generator.initial_seed())
        return step

    def _record(self, step: Callable[[], None], batch: Tensor) -> Callable[[], None]:
        """The recording of a step, made as PyTorch's notes on CUDA graphs ask: after a few steps on another stream."""
        stream = torch.cuda.Stream()  # type: ignore[no-untyped-call]
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            for _ in range(3):
                batch.zero_()
                step()
        torch.cuda.current_stream().wait_stream(stream)
        graph = torch.cuda.CUDAGraph()
        graph.register_generator_state(self.generator)
        # Another thread of a worker may be at work on the same GPU.
        with torch.cuda.graph(graph, capture_error_mode="thread_local"):
            step()
        return graph.replay

    def save(self, path: Path) -> None:
        """Puts a new checkpoint in the place of the old one, in one step."""
        # All copies from a GPU are asked for before any is waited for.
        copies = {name: tensor.to("cpu", non_blocking=tensor.is_cuda) for name, tensor in self.tensors().items()}
        if any(tensor.is_cuda for tensor in self.tensors().values()):
            torch.cuda.synchronize()
        tensors = {name: tensor.contiguous() for name, tensor in copies.items()}
        history = json.dumps([asdict(metrics) for metrics in self.history])
        content = save(
            {**tensors, "generator": self.generator.get_state()},
            metadata={"identity": self.identity, "history": history},
        )
        path.parent.mkdir(parents=True, exist_ok=True)
        aside = path.with_name(f".{path.name}.{os.getpid()}")
        aside.write_bytes(content)
        aside.replace(path)

    def restore(self, path: Path) -> None:
        """Goes on from a checkpoint, if there is a readable one of the same run."""
        try:
            with safe_open(path, framework="pt") as file:
                metadata = file.metadata() or {}
                saved = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        except (FileNotFoundError, SafetensorError):
            return
        if metadata.get("identity") != self.identity:
            return
        self.history = [EpochMetrics(**metrics) for metrics in json.loads(metadata["history"])]
        self.generator.set_state(saved["generator"])
        for name, tensor in self.tensors().items():
            tensor.copy_(saved[name])
