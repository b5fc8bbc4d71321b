"""What a normalization layer computes: one formula, and one argument that says which elements share its statistics.

For every element i of a tensor x of shape (N, C, H, W), with S_i the set of the m elements that share with it,

    mean                 μ_i = 1/m · Σ x_k                            over k in S_i
    variance             v_i = 1/m · Σ (x_k − μ_i)²                   over k in S_i
    standard deviation   σ_i = √(v_i + ε)
    normalized           y_i = γ · (x_i − μ_i) / σ_i + β

Batch, layer, group and instance normalization differ in S_i and in nothing else (Wu & He 2018, equations 1 to 7), as
does layer normalization per position: each image and place over its channels (Liu et al. 2022, arXiv:2201.03545). RMS
normalization shares as layer normalization does and subtracts nothing: there μ_i is 0, and σ_i the root mean square
(Zhang & Sennrich 2019, arXiv:1910.07467, equation 4).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from normstudy.normalizations import NORMALIZATIONS, NORMALIZING

EPSILON = 1e-5  # PyTorch's default; keeps the division possible where all elements of a set are equal


def sharing_sets(shape: Sequence[int], norm_arg: str, groups: int = 1) -> Tensor:
    """Number the sets S_i: elements with the same number share a mean and a standard deviation.

    Returns an int64 tensor of the given shape (N, C, H, W), whose values run from 0 to K−1, with K as `count` has it:
    to C−1 for batch normalization. `groups` is G; only group normalization looks at it.

    Raises ValueError for another norm_arg, a shape that is not (N, C, H, W), and groups that do not divide C.
    """
    _check(shape, norm_arg, groups)
    n, c, h, w = torch.meshgrid(*map(torch.arange, shape), indexing="ij")  # each (N, C, H, W): which image, …
    place = {"N": n, "C": c, "G": c * groups // shape[1], "H": h, "W": w}
    sets = torch.zeros_like(n)
    for letter in NORMALIZATIONS[norm_arg].apart:  # "NG": n · G + g
        sets = sets * _sizes(shape, groups)[letter] + place[letter]
    return sets


def count(shape: Sequence[int], norm_arg: str, groups: int = 1) -> int:
    """How many means, and as many standard deviations: K, as `normalizations` has it. Raises as `sharing_sets` does."""
    _check(shape, norm_arg, groups)
    return math.prod(_sizes(shape, groups)[letter] for letter in NORMALIZATIONS[norm_arg].apart)


@dataclass(frozen=True)
class Statistics:
    """The statistics of one tensor; K is the number of sets, as `count` gives it."""

    sets: Tensor  # (N, C, H, W), int64: the set that each element belongs to
    size: int  # m: how many elements each set has
    sums: Tensor  # (K,)
    means: Tensor  # (K,): 0 where none is subtracted
    variances: Tensor  # (K,): biased, divided by m and not by m − 1
    standard_deviations: Tensor  # (K,): with ε under the root


def statistics(x: Tensor, norm_arg: str, groups: int = 1, epsilon: float = EPSILON) -> Statistics:
    """Compute the mean and the standard deviation of every set of x, a floating tensor (N, C, H, W).

    Wu & He 2018, equation 2. Gradients flow through. Raises as `sharing_sets` does.
    """
    sets = sharing_sets(x.shape, norm_arg, groups).to(x.device)  # (N, C, H, W)
    sets_count = count(x.shape, norm_arg, groups)
    size = x.numel() // sets_count

    def add_up(values: Tensor) -> Tensor:
        return values.new_zeros(sets_count).index_add(0, sets.flatten(), values.flatten())  # (K,)

    sums = add_up(x)
    means = sums / size if NORMALIZATIONS[norm_arg].centred else torch.zeros_like(sums)
    variances = add_up((x - means[sets]) ** 2) / size
    return Statistics(sets, size, sums, means, variances, (variances + epsilon).sqrt())


def normalize(
    x: Tensor,
    norm_arg: str,
    groups: int = 1,
    gamma: Tensor | None = None,
    beta: Tensor | None = None,
    epsilon: float = EPSILON,
) -> Tensor:
    """Subtract from every element its set's mean and divide by its set's standard deviation; scale and shift.

    x is a floating tensor (N, C, H, W); so is the result. gamma and beta have shape (C,), one of each per channel, as
    PyTorch's `BatchNorm2d` and `GroupNorm` learn them, or (C, H, W), as its `LayerNorm` does; without them the result
    is the normalized tensor itself. Wu & He 2018, equations 1 and 6. Raises as `sharing_sets` does.
    """
    found = statistics(x, norm_arg, groups, epsilon)
    normalized = (x - found.means[found.sets]) / found.standard_deviations[found.sets]  # (N, C, H, W)
    if gamma is not None:
        normalized = normalized * (gamma.view(-1, 1, 1) if gamma.ndim == 1 else gamma)
    if beta is not None:
        normalized = normalized + (beta.view(-1, 1, 1) if beta.ndim == 1 else beta)
    return normalized


def update_running(
    running_mean: Tensor, running_variance: Tensor, x: Tensor, momentum: float = 0.1
) -> tuple[Tensor, Tensor]:
    """Move batch normalization's running statistics, both (C,), towards those of the batch x: (N, C, H, W).

    The batch itself is normalized with its biased variance (divided by m = N·H·W), but the running variance takes up
    the unbiased one (divided by m − 1): an estimate for all images, not a description of these. momentum is the weight
    of the new batch, between 0 and 1. Raises ValueError where each channel has a single element.
    """
    found = statistics(x, "batch")
    if found.size == 1:
        raise ValueError(f"x has the shape {tuple(x.shape)}; an unbiased variance needs two elements per channel")
    unbiased = found.variances * found.size / (found.size - 1)
    return (
        (1 - momentum) * running_mean + momentum * found.means,
        (1 - momentum) * running_variance + momentum * unbiased,
    )


def _sizes(shape: Sequence[int], groups: int) -> dict[str, int]:
    return dict(zip("NCHW", shape, strict=True)) | {"G": groups}


def _check(shape: Sequence[int], norm_arg: str, groups: int) -> None:
    if norm_arg not in NORMALIZING:
        raise ValueError(f"norm_arg is {norm_arg!r}; it must be one of {', '.join(NORMALIZING)}")
    if len(shape) != 4 or min(shape) < 1:
        raise ValueError(f"the tensor's shape is {tuple(shape)}; it must be (N, C, H, W), each at least 1")
    if "G" in NORMALIZATIONS[norm_arg].apart and (groups < 1 or shape[1] % groups):
        raise ValueError(f"groups is {groups}; it must divide the {shape[1]} channels")
