"""Steps that are the same work each time, so that an NVIDIA GPU can replay a recording of one without Python."""

import math
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
    last_losses: Tensor  # (images,): what each image had when it was last drawn; NaN before it ever was
    last_correct: Tensor  # (images,): whether it was classified as it should be then, 0 or 1; NaN before

    @classmethod
    def empty(cls, images: int, batches: int, batch_size: int, device: torch.device) -> Self:
        """Room for an epoch of so many batches, drawn from so many images."""
        order = torch.zeros(batches, batch_size, dtype=torch.int64, device=device)
        batch = torch.zeros(1, dtype=torch.int64, device=device)
        rates, losses, penalties, correct = (torch.zeros(batches, device=device) for _ in range(4))
        last_losses, last_correct = (torch.full((images,), math.nan, device=device) for _ in range(2))
        return cls(order, rates, batch, losses, penalties, correct, last_losses, last_correct)

    def begin(self, rates: list[float], easy: float, generator: torch.Generator) -> None:
        """Draw the images of all batches; start again at the first.

        With `easy` 1, each image is drawn once. Below 1, one passes through all images in random order until there are
        enough, and takes an easy one, whose last loss is below the mean, with this probability only.
        """
        self.batch.zero_()
        self.rates.copy_(torch.tensor(rates))
        drawn = self._shuffled(generator)
        if easy < 1:
            chances = torch.where(self.last_losses < self.last_losses.nanmean(), easy, 1.0)
            drawn = self._taken(drawn, chances, generator)
            while len(drawn) < self.order.numel():
                drawn = torch.cat([drawn, self._taken(self._shuffled(generator), chances, generator)])
        self.order.copy_(drawn[: self.order.numel()].view_as(self.order))

    def _shuffled(self, generator: torch.Generator) -> Tensor:
        return torch.randperm(len(self.last_losses), generator=generator, device=self.order.device)

    def _taken(self, images: Tensor, chances: Tensor, generator: torch.Generator) -> Tensor:
        return images[torch.rand(images.shape, generator=generator, device=images.device) < chances[images]]

    def remember(self, images: Tensor, losses: Tensor, correct: Tensor) -> None:
        """Keep what became of the images of a batch; of one that is in it twice, the worse."""
        self.last_losses.scatter_reduce_(0, images, losses, "amax", include_self=False)
        self.last_correct.scatter_reduce_(0, images, correct, "amin", include_self=False)

    def sums(self, easy: float) -> tuple[Tensor, Tensor, Tensor]:
        """The mean loss, the mean penalty, and how many of an epoch's images are classified right: scalars.

        Where the batches hold fewer easy images, loss and accuracy are those of all images, as each was last drawn.
        """
        if easy == 1:
            return self.losses.mean(), self.penalties.mean(), self.correct.sum()
        return self.last_losses.nanmean(), self.penalties.mean(), self.last_correct.nanmean() * self.order.numel()

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
