"""Networks and settings for short trainings: the study's defaults, but for what a test says."""

from pathlib import Path
from typing import Any

from normstudy import training
from normstudy.experiments import parameters
from normstudy.model import Net
from normstudy.training import Settings

DEFAULTS = parameters.defaults(Path(__file__).parents[1] / "report" / "notebooks" / "variant.ipynb")


def settings(**changes: Any) -> Settings:
    """The defaults of a variant's notebook, with changes."""
    return Settings.of(DEFAULTS | changes)


def build(norm_arg: str, device: str = "cpu", **changes: Any) -> Net:
    """A new network with this normalization, of the defaults of a variant's notebook, with changes."""
    return training.build(DEFAULTS | {"norm_arg": norm_arg} | changes, device)
