"""Which elements of a layer share statistics: found by changing one element of its input and seeing what follows."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from normstudy.normalizations import NORMALIZATIONS

Function = Callable[[Tensor], Tensor]
"""What a layer computes: (N, C, H, W) to the same shape."""

PUSH = 1e4  # what is added to one element, whose like have a standard deviation of 2
TOLERANCE = 1e-5  # relative to the largest output; below it two numbers are the same but for rounding


@dataclass(frozen=True)
class Sharing:
    """Who shares a mean and a standard deviation in a layer.

    Attributes:
        shape: (N, C, H, W) of its input.
        names: the normalizations whose sets these are; several where a size is 1, none where no normalization has them.
        extent: over what one set extends, in words.
        groups: how many sets the channels of an image make.
        count: how many sets there are.
        size: how many elements the first set has.
        even: whether all sets have as many.
        sheet: the set of each image and channel at one place, (N, C) numbers from 0.
    """

    shape: tuple[int, int, int, int]
    names: tuple[str, ...]
    extent: str
    groups: int
    count: int
    size: int
    even: bool
    sheet: list[list[int]]


def measure(layer: Function, shape: tuple[int, int, int, int]) -> Sharing:
    """Change one element after another, until every image and channel belongs to a set."""
    number, channels, height, width = shape
    examples = [(given, layer(given), push) for given, push in ((example(shape), PUSH), (example(shape, 1), -PUSH / 3))]
    sheet = torch.full((number, channels), -1)
    sets: list[Tensor] = []
    apart = True
    for n in range(number):
        for c in range(channels):
            if sheet[n, c] < 0:
                touched = _touched(layer, examples, (n, c, height // 2, width // 2))
                own = touched.flatten(2).any(dim=2)  # (N, C)
                apart = apart and bool((sheet[own] < 0).all())
                sheet[own & (sheet < 0)] = len(sets)
                sets.append(_sides(touched))
    sizes = {int(sides.prod()) for sides in sets}
    kinds = [_kinds(sides, shape) for sides in sets]
    names = tuple(name for name in kinds[0] if apart and all(name in others for others in kinds))
    images, chans, places = sets[0].tolist()
    return Sharing(
        shape=shape,
        names=names,
        extent=", ".join(
            _side(*each)
            for each in (
                (images, number, "image"),
                (chans, channels, "channel"),
                (places, height * width, "place"),
            )
        ),
        groups=len(set(sheet[0].tolist())),
        count=len(sets) * (height * width // places if places else 1),
        size=images * chans * places,
        even=len(sizes) == 1,
        sheet=sheet.tolist(),
    )


def example(shape: tuple[int, ...], seed: int = 0) -> Tensor:
    """An input of a layer, float64: normal numbers around 1 with a standard deviation of 2."""
    return 1 + 2 * torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def differs(one: Tensor, other: Tensor) -> Tensor:
    """Where two outputs are not the same but for rounding."""
    return (one - other).abs() > TOLERANCE * one.abs().max().clamp(min=1e-12)


def _touched(layer: Function, examples: list[tuple[Tensor, Tensor, float]], element: tuple[int, ...]) -> Tensor:
    """The outputs (N, C, H, W) that change with one input, and that input's own.

    In one example an output may happen to stay as it was; hardly in all of them.
    """
    touched = torch.zeros_like(examples[0][0], dtype=torch.bool)
    touched[element] = True
    for given, before, push in examples:
        pushed = given.clone()
        pushed[element] += push
        touched |= differs(before, layer(pushed))
    return touched


def _sides(touched: Tensor) -> Tensor:
    """Over how many images, channels and places a set extends, (3,); zeros if it is not all that lies in these."""
    flat = touched.flatten(2)  # (N, C, H·W)
    sides = torch.stack([flat.any(dim=a).any(dim=b).sum() for a, b in ((1, 1), (0, 1), (0, 0))])
    return sides if sides.prod() == touched.sum() else sides * 0


def _kinds(sides: Tensor, shape: tuple[int, int, int, int]) -> list[str]:
    """The normalizations that have a set of these sides; one that subtracts no mean has another's."""
    number, channels, height, width = shape
    found = tuple(sides.tolist())
    in_group = found[1] if 1 < found[1] < channels else -1

    def expected(apart: list[str]) -> tuple[int, int, int]:
        across = 1 if "C" in apart else in_group if "G" in apart else channels
        return 1 if "N" in apart else number, across, 1 if "H" in apart else height * width

    return [
        each.name for each in NORMALIZATIONS.values() if each.count and each.centred and expected(each.apart) == found
    ]


def _side(found: int, of: int, one: str) -> str:
    if of == 1:
        return f"the only {one}"
    if found == of:
        return f"all {one}s"
    return f"one {one}" if found == 1 else f"{found} of {of} {one}s" if found else f"some {one}s"


def normalizes(layer: Function, sharing: Sharing, centred: bool) -> bool:
    """Whether a layer returns γ·(x − μ) / σ + β, with μ and σ of the sets found, and γ and β of channels or elements.

    Where it is not `centred`, μ is 0 and σ the root of the mean square (Zhang & Sennrich, 2019, arXiv:1910.07467).
    """
    number, channels, height, width = sharing.shape
    places = height * width
    one_place = sharing.count > max(map(max, sharing.sheet)) + 1
    labels = torch.tensor(sharing.sheet).view(number, channels, 1).expand(number, channels, places)
    labels = (labels * places + torch.arange(places) if one_place else labels).flatten()
    given = torch.stack([example(sharing.shape, seed) for seed in range(3)])
    returned = torch.stack([layer(each) for each in given]).flatten(3)

    def mean(values: Tensor) -> Tensor:
        sums = values.new_zeros(int(labels.max()) + 1).index_add(0, labels, values)
        return (sums / labels.bincount(minlength=len(sums)))[labels]

    normalized = []
    for each in given.flatten(1):
        centre = each - mean(each) if centred else each
        normalized.append((centre / mean(centre**2).sqrt()).view(number, channels, places))
    z = torch.stack(normalized)  # (3, N, C, H·W)
    return any(_affine(z, returned, apart) for apart in ((0, 1, 3), (0, 1)))


def _affine(x: Tensor, y: Tensor, over: tuple[int, ...]) -> bool:
    """Whether y = γ·x + β, with a γ and a β for what is not in `over`."""
    centred_x, centred_y = x - x.mean(over, keepdim=True), y - y.mean(over, keepdim=True)
    gamma = (centred_x * centred_y).sum(over, keepdim=True) / (centred_x**2).sum(over, keepdim=True).clamp(min=1e-12)
    return bool((centred_y - gamma * centred_x).abs().max() < 1e-2 * y.abs().max())
