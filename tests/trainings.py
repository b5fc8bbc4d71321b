"""Settings for short trainings: the study's defaults, but for what a test says."""

from pathlib import Path
from typing import Any

from normstudy.experiments import parameters
from normstudy.training import Settings

DEFAULTS = parameters.defaults(Path(__file__).parents[1] / "report" / "notebooks" / "variant.ipynb")


def settings(**changes: Any) -> Settings:
    """The defaults of a variant's notebook, with changes."""
    return Settings.of(DEFAULTS | changes)
