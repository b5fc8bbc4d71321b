"""What tests need besides Python's packages: where it is missing they are skipped, but in CI they fail."""

import os

import pytest


def need(what: str, there: object) -> None:
    """Go on only where something is there."""
    if not there:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(f"{what} is not installed")
