"""What is known of each normalization: the one list, in the order of the study. Imports no torch."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Normalization:
    """One kind of normalization, and how it is drawn.

    Attributes:
        name: the value of `norm_arg`.
        title: its whole name.
        source: who proposed it.
        count: how many means, and as many standard deviations, a layer has: a product of N images, C channels, G groups
            of channels, H rows and W columns. Values that agree in all of these share; so they share over all others.
            Empty where nothing is normalized.
        idea: who shares a mean and a standard deviation.
        colour: one of Okabe & Ito's, which stay apart for colour-blind readers.
        dash: of its line; with `marker` it tells lines apart without colour. As Matplotlib names it.
        marker: of its points.
        centred: whether the mean is subtracted. Otherwise it counts as 0, and the standard deviation is the root mean
            square.
    """

    name: str
    title: str
    source: str
    count: str
    idea: str
    colour: str
    dash: str | tuple[int, tuple[int, ...]]
    marker: str
    centred: bool = True

    @property
    def apart(self) -> list[str]:
        """The letters of `count`: in what values agree that share."""
        return self.count.split("·") if self.count else []

    @property
    def size(self) -> str:
        """How many values share, as `count` is written: N·H·W, C/G·H·W."""
        over = "C/G" if "G" in self.apart else "C"
        return "·".join(over if axis == "C" else axis for axis in "NCHW" if axis not in self.apart)


# fmt: off
NORMALIZATIONS = {
    each.name: each
    for each in (
        Normalization(
            "batch", "Batch normalization", "Ioffe & Szegedy, 2015",
            "C", "each channel shares over all images", "#0072B2", "-", "o"
        ),
        Normalization(
            "layer", "Layer normalization", "Ba et al., 2016",
            "N", "each image shares over all channels", "#D55E00", "--", "s"
        ),
        Normalization(
            "group", "Group normalization", "Wu & He, 2018",
            "N·G", "each image shares within each group of channels", "#009E73", "-.", "^"
        ),
        Normalization(
            "instance", "Instance normalization", "Ulyanov et al., 2016",
            "N·C", "each image's channel shares with nothing else", "#CC79A7", ":", "D"
        ),
        Normalization(
            "rms", "RMS normalization", "Zhang & Sennrich, 2019",
            "N", "each image shares over all channels, and no mean is subtracted", "#E69F00", (0, (6, 2)), "v",
            centred=False
        ),
        Normalization(
            "position", "Layer normalization per position", "Ba et al., 2016; Liu et al., 2022",
            "N·H·W", "each place of an image shares over all channels", "#56B4E9", (0, (3, 1)), "P"
        ),
        Normalization("none", "No normalization", "", "", "nothing is normalized", "#555555", (0, (1, 1)), "x"),
    )
}
# fmt: on
NORMALIZING = tuple(name for name, each in NORMALIZATIONS.items() if each.count)
"""Those that normalize."""


def ordered(names: Iterable[str]) -> list[str]:
    """These names, each once, in the order of the study.

    Raises:
        ValueError: one of them is not known.
    """
    asked = dict.fromkeys(names)
    for name in asked:
        if name not in NORMALIZATIONS:
            raise ValueError(f"{name!r} is not a normalization; there are {', '.join(NORMALIZATIONS)}")
    return [name for name in NORMALIZATIONS if name in asked]
