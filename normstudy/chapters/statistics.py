"""What the notebook on normalization statistics finds, in sentences made from its numbers."""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from normstudy.display.notation import count, counted, decimal, percent, significant

GROUPS = 2
"""G of the worked example."""

ROUNDING = 1e-5
"""Probabilities that differ by less do so by the rounding of float32."""


def example(seed: int) -> Tensor:
    """The worked example: four images of 2×2 pixels with four channels, (4, 4, 2, 2), of whole numbers from 0 to 9."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(0, 10, (4, 4, 2, 2), generator=generator).double()


def agreement(layers: int, batch_size: int, alike: bool, silent: Sequence[str]) -> str:
    """Whether so many layers' statistics, of a batch of so many images, are `alike` to the formula in their number.

    `silent` has, in words, the channels whose input is the same everywhere.
    """
    if alike:
        return (
            f"In all {counted(layers, 'layer')} of the three networks, as many different means and standard deviations "
            f"were measured on a batch of {counted(batch_size, 'image')} as the formula gives."
        )
    fewer = "Where fewer were measured than the formula gives, "
    if silent:
        return (
            f"{fewer}channels carry no signal: their input is the same everywhere, and nothing can be read off it. "
            f"Those are {', '.join(silent)}."
        )
    return f"{fewer}sets of values have equal statistics by chance."


def running_step(gap: float, biased_gap: float, size: int) -> str:
    """How far PyTorch's running statistics, moved by a batch, are from those computed here: the largest difference.

    `biased_gap` is what it would be with the biased variance, `size` is m, the number of values that share.
    """
    apart = f"those computed here, to within {significant(gap, 1)}" if gap else "exactly those computed here"
    return (
        f"One batch in training mode moves PyTorch's running statistics to {apart}. "
        f"That takes the unbiased variance: with the biased one they would be apart by {significant(biased_gap, 1)}. "
        f"Here m = N·H·W = {count(size)}, so that the two variances differ by the factor "
        f"m / (m − 1) = {decimal(size / (size - 1), 6)}."
    )


def company(
    index: int, true: str, answers: Mapping[str, int], alone: str, confidence: float, candidates: int, others: int
) -> str:
    """What batch normalization in training mode makes of one test image, beside so many others drawn at random.

    It is the one of the `candidates` that has the most different `answers`: the predicted class → how often, the most
    frequent first. `true` is its class, `alone` the one predicted in evaluation mode with this `confidence` (0 to 1).
    """
    times = sum(answers.values())
    named = [f"“{name}” in {count(number)}" for name, number in answers.items()]
    image = f"test image {count(index)}, whose class is “{true}”,"
    if len(answers) > 1:
        found = f"The answers vary most for {image} which is taken for {', '.join(named)}. They depend on the company."
    else:
        found = f"No answer varied with the company: {image} is taken for “{next(iter(answers))}” every time."
    return (
        f"Each of the {counted(candidates, 'test image')} of which the batch variant is least sure was shown to it in "
        f"training mode {counted(times, 'time')}, beside {counted(others, 'test image')} drawn at random each time. "
        f"{found} In evaluation mode it is taken for “{alone}” whatever is beside it, with a confidence of "
        f"{percent(confidence, 0)}."
    )


def company_of_others(gaps: Mapping[str, float], times: int) -> str:
    """What the variants that do not look at the batch make of it: variant → how far its probabilities vary."""
    names = " and ".join(f"the {name} variant" for name in gaps)
    asked = f"Asked about the same image in the same way {counted(times, 'time')}, {names}"
    if not any(gaps.values()):
        return f"{asked} gave the same probabilities each time, bit for bit: the company makes no difference to them."
    apart = " and ".join(f"{significant(gap, 1)} ({name})" for name, gap in gaps.items())
    if max(gaps.values()) < ROUNDING:
        return f"{asked} gave the same probabilities each time but for rounding, by up to {apart}."
    return f"{asked} gave probabilities that vary by up to {apart}."


def undoing(mean: float, deviation: float, gap: float, other_deviation: float, other_gap: float) -> str:
    """Whether gamma and beta give back what layer normalization took from an image, and from another one.

    `mean` and `deviation` are μ and σ of the image, `gap` is the largest difference of what comes back with γ = σ and
    β = μ. For another image and the same γ and β, σ is `other_deviation` and the difference `other_gap`.
    """
    exactly = f"as it was, to within {significant(gap, 1)}" if gap else "exactly as it was"
    return (
        f"This image has σ = {decimal(deviation, 4)} and μ = {decimal(mean, 4)}. "
        f"With γ = σ and β = μ the layer returns it {exactly}. "
        f"Another image of the batch has σ = {decimal(other_deviation, 4)}. "
        f"With the same γ and β it comes back changed, by up to {significant(other_gap)}."
    )


def totals(parameters: Mapping[str, int]) -> str:
    """Variant → how many parameters it has."""
    if len(set(parameters.values())) == 1:
        return f"In all, each variant has {counted(next(iter(parameters.values())), 'parameter')}."
    return "In all, " + ", ".join(f"{name} has {count(number)}" for name, number in parameters.items()) + " parameters."
