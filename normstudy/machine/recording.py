"""Steps that are the same work each time, so that an NVIDIA GPU can replay a recording of one without Python."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor


@dataclass(frozen=True)
class Epoch:
    """What the steps of an epoch read and write.

    All of it lives on the device, the batch's number too, so that a step is the same work each time and a GPU never
    waits for Python.
    """

    order: Tensor  # (batches, N) int64: the images of each batch
    rates: Tensor  # (batches,): the learning rate of each step
    batch: Tensor  # (1,) int64: the one whose turn it is
    losses: Tensor  # (batches,)
    penalties: Tensor  # (batches,)
    correct: Tensor  # (batches,): how many images are classified as they should be

    @classmethod
    def empty(cls, batches: int, batch_size: int, device: torch.device) -> Self:
        """Room for an epoch of so many batches."""
        order = torch.zeros(batches, batch_size, dtype=torch.int64, device=device)
        batch = torch.zeros(1, dtype=torch.int64, device=device)
        rates, losses, penalties, correct = (torch.zeros(batches, device=device) for _ in range(4))
        return cls(order, rates, batch, losses, penalties, correct)

    def begin(self, rates: list[float], images: int, generator: torch.Generator) -> None:
        """Draw the order of the images; start again at the first batch."""
        self.batch.zero_()
        self.rates.copy_(torch.tensor(rates))
        shuffled = torch.randperm(images, generator=generator, device=self.order.device)
        self.order.copy_(shuffled[: self.order.numel()].view_as(self.order))

    def sums(self) -> tuple[Tensor, Tensor, Tensor]:
        """The mean loss, the mean penalty, and the number of images classified as they should be: scalars."""
        return self.losses.mean(), self.penalties.mean(), self.correct.sum()

    def first_not_finite(self) -> int:
        """The first batch, from 1, whose loss is not finite; the last one if all are."""
        finite = (self.losses + self.penalties).isfinite().tolist()
        return 1 + finite.index(False) if False in finite else len(finite)


def record(step: Callable[[], None], rehearsal: Callable[[], None], generator: torch.Generator) -> Callable[[], None]:
    """Record the kernels of a step as a CUDA graph, and return what replays it.

    As PyTorch's notes on CUDA graphs ask: after three rehearsals on another stream. All that a step reads and writes
    must stay where it is; `generator` is what it draws from.
    """
    stream = torch.cuda.Stream()  # type: ignore[no-untyped-call]
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        for _ in range(3):
            rehearsal()
    torch.cuda.current_stream().wait_stream(stream)
    graph = torch.cuda.CUDAGraph()
    graph.register_generator_state(generator)
    # Another thread of a worker may be at work on the same GPU.
    with torch.cuda.graph(graph, capture_error_mode="thread_local"):
        step()
    return graph.replay
