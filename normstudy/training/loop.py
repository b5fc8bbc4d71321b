"""The loop: a network trained for some epochs, one learning rate a step; a stopped run goes on from a checkpoint."""

import json
import math
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from normstudy.data import Dataset, augment, to_input
from normstudy.machine import checkpoints
from normstudy.machine.processor import keep_freed_memory
from normstudy.machine.recording import Epoch, record
from normstudy.model import Net
from normstudy.training import evaluation
from normstudy.training.penalties import penalty
from normstudy.training.settings import Diverged, EpochMetrics, Settings


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


# Longer than other functions: to take it apart would put every published result out of date and change none of them.
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
    # normalization would only turn it back, and another network may view channels and places as one dimension.
    fast = dataset.device.type == "cpu" and isinstance(net, Net)
    layout = torch.channels_last if fast else torch.contiguous_format
    net.to(dataset.device).to(memory_format=layout).train()
    generator = torch.Generator(dataset.device).manual_seed(settings.seed)
    rates = one_cycle(settings.learning_rate, settings.epochs * batches)
    epoch = Epoch.empty(len(dataset.train_images), batches, settings.batch_size, dataset.device)
    step, state = _rehearsed(net, dataset, settings, generator, epoch)
    identity = _identity(net, dataset, settings)
    kept = checkpoints.restore(checkpoint, state, generator, identity) if checkpoint else None
    history = [EpochMetrics(**metrics) for metrics in json.loads(kept or "[]")]

    for number in range(len(history) + 1, settings.epochs + 1):
        start, before = time.perf_counter(), {name: tensor.clone() for name, tensor in net.state_dict().items()}
        easy = settings.easy if number < settings.epochs else 1.0  # so that the end is with images as they come
        epoch.begin(rates[(number - 1) * batches : number * batches], easy, generator)
        _train(net, step, epoch, settings.seed * settings.epochs + number)
        test_loss, test_correct, _ = evaluation.on_device(net, dataset.test_images, dataset.test_labels, dataset)
        # Here a GPU is waited for, and nowhere else in an epoch but while easy images are left out. The last number
        # only says whether all losses were finite.
        numbers = torch.stack([*epoch.sums(easy), test_loss, test_correct, epoch.losses.sum()]).tolist()
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
            now = state | _tensors(net)  # a network may have put new tensors in the place of its own
            checkpoints.save(checkpoint, now, generator, identity, json.dumps(list(map(asdict, history))))
        on_epoch(history[-1])
    return history


def _rehearsed(
    net: nn.Module, dataset: Dataset, settings: Settings, generator: torch.Generator, epoch: Epoch
) -> tuple[Callable[[], None], dict[str, Tensor]]:
    """The step to train with, and all tensors that outlast an epoch: the network's, the optimizer's, the last losses.

    A step is taken, so that all these tensors exist, and undone. On an NVIDIA GPU that of the study's network is
    recorded.
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
        right = (logits.argmax(dim=1) == targets).float()
        epoch.correct[epoch.batch] = right.sum()
        epoch.remember(chosen, F.cross_entropy(logits.detach(), targets, reduction="none"), right)
        epoch.batch.add_(1)

    def first_step() -> None:
        epoch.batch.zero_()
        step()

    first = {name: tensor.clone() for name, tensor in net.state_dict().items()}
    if dataset.device.type == "cuda" and isinstance(net, Net):  # another may do in Python what no recording repeats
        taken = record(step, first_step, generator)
    else:
        first_step()
        taken = step
    net.load_state_dict(first)
    state = _tensors(net)
    for name in ("last_losses", "last_correct"):
        state[f"epoch.{name}"] = getattr(epoch, name).fill_(math.nan)
    for name, parameter in net.named_parameters():
        for average, tensor in optimizer.state[parameter].items():
            state[f"optimizer.{name}.{average}"] = tensor.zero_()
    generator.manual_seed(generator.initial_seed())
    return taken, state


def _tensors(net: nn.Module) -> dict[str, Tensor]:
    return {f"net.{name}": tensor for name, tensor in net.state_dict().items()}


def _train(net: nn.Module, step: Callable[[], None], epoch: Epoch, seed: int) -> None:
    """Take the steps of an epoch; on the CPU only to the first whose loss is not finite.

    What somebody's own network draws, as for dropout, comes from `seed` alone.
    """
    net.train()
    device = epoch.batch.device
    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        torch.manual_seed(seed)
        for number in range(len(epoch.order)):
            step()
            if device.type == "cpu" and not math.isfinite(epoch.losses[number] + epoch.penalties[number]):
                break


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
