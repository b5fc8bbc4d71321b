"""The worked example: a few numbers small enough to normalize by hand, and each step of it."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import torch
from matplotlib.figure import Figure
from torch import Tensor

from normstudy import statistics
from normstudy.display import sharing
from normstudy.display.notation import counted, decimal
from normstudy.normalizations import NORMALIZATIONS

GROUPS = 2
"""G of the worked example."""


def example(seed: int) -> Tensor:
    """The worked example: four images of 2×2 pixels with four channels, (4, 4, 2, 2), of whole numbers from 0 to 9."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(0, 10, (4, 4, 2, 2), generator=generator).double()


def pixels(x: Tensor) -> pd.DataFrame:
    """The sheet of x (N, C, H, W), a row an image, a column a channel, as it is written down."""

    def written(channel: Tensor) -> str:
        return " / ".join(" ".join(f"{value:.0f}" for value in row) for row in channel)

    return pd.DataFrame(
        [
            {"image": n} | {f"channel {c}": written(channel) for c, channel in enumerate(image, 1)}
            for n, image in enumerate(x, 1)
        ]
    )


def counts(x: Tensor, groups: int) -> pd.DataFrame:
    """How many means and standard deviations each normalization has, by the formula and for x (N, C, H, W)."""
    return pd.DataFrame(
        [
            {
                "normalization": name,
                "means": about.count if about.centred else "none",
                "standard deviations": about.count if about.centred else f"{about.count} (root mean squares)",
                "here": statistics.count(x.shape, name, groups),
                "values that share": statistics.statistics(x, name, groups).size,
            }
            for name, about in NORMALIZATIONS.items()
            if about.count
        ]
    )


def sheet(x: Tensor, name: str, groups: int) -> tuple[Figure, str]:
    """The coloured sheet of one normalization, with mean and deviation of each set, and its text alternative."""
    found = statistics.statistics(x, name, groups)
    each = [
        f"{who}: {decimal(float(mean), 2)} and {decimal(float(deviation), 2)}"
        for who, mean, deviation in zip(
            sharing.members(x.shape, name, groups), found.means, found.standard_deviations, strict=True
        )
    ]
    return sharing.worked_figure(x, name, groups), (
        f"The sheet of {x.shape[0]} images (rows) with {x.shape[1]} channels (columns) of {x.shape[2]}×{x.shape[3]} "
        f"pixels for {name} normalization: {counted(len(each), 'frame')}, each with its mean and its standard "
        f"deviation. {'; '.join(each)}."
    )


def worked(x: Tensor, name: str, groups: int) -> pd.DataFrame:
    """Every sum, mean, variance and standard deviation of x, a row a set."""
    found = statistics.statistics(x, name, groups)
    return pd.DataFrame(
        {
            "who shares": sharing.members(x.shape, name, groups),
            "m": found.size,
            "Σx": found.sums.int().tolist(),
            "μ = Σx/m": found.means.tolist(),
            "Σ(x−μ)²": (found.variances * found.size).tolist(),
            "v": found.variances.tolist(),
            "σ = √(v+ε)": found.standard_deviations.tolist(),
        }
    )


def normalized(x: Tensor, names: Sequence[str], groups: int) -> pd.DataFrame:
    """Every pixel of x, and what it is normalized to, in full."""
    results = {name: statistics.normalize(x, name, groups) for name in names}
    return pd.DataFrame(
        [
            dict(zip(("image", "channel", "row", "column"), (place + 1 for place in places), strict=True))
            | {"pixel": int(value)}
            | {name: float(result[places]) for name, result in results.items()}
            for places, value in np.ndenumerate(x.numpy())
        ]
    )


def in_rows(table: pd.DataFrame) -> pd.DataFrame:
    """`normalized` with a row an image and channel, as it is printed."""
    printed = table.assign(
        pixel=table["pixel"].astype(str),
        **{name: table[name].map(lambda value: decimal(value, 2, sign=True)) for name in table.columns[5:]},
    )
    rows = printed.groupby(["image", "channel"], as_index=False).agg(
        dict.fromkeys(["pixel", *table.columns[5:]], " ".join)
    )
    return rows.rename(columns={"pixel": "pixels"})


def one_pixel(x: Tensor, names: Sequence[str], groups: int) -> dict[str, Any]:
    """The calculation of the first pixel, for each normalization: its numbers as they are printed."""
    numbers: dict[str, Any] = {"pixel": f"{x[0, 0, 0, 0]:.0f}"}
    for name in names:
        found = statistics.statistics(x, name, groups)
        index = int(found.sets[0, 0, 0, 0])
        result = statistics.normalize(x, name, groups)[0, 0, 0, 0]
        of = {"mean": found.means[index], "variance": found.variances[index]}
        of |= {"deviation": found.standard_deviations[index], "normalized": result}
        numbers[name] = {
            "who": sharing.members(x.shape, name, groups)[index],
            "size": found.size,
            "values": " + ".join(f"{value:.0f}" for value in x[found.sets == index]),
            "sum": f"{found.sums[index]:.0f}",
            "squares": decimal(float(found.variances[index]) * found.size, 4),
            **{what: decimal(float(value), 4) for what, value in of.items()},
        }
    return numbers
