"""Toys of the project, never run and up to date."""

import shutil
from pathlib import Path

import pytest

from tests.toy import write_toy


@pytest.fixture
def toy(tmp_path: Path) -> Path:
    """A project that was never run."""
    write_toy(tmp_path)
    return tmp_path


@pytest.fixture
def done(finished: Path, tmp_path: Path) -> Path:
    """A project in which everything is up to date."""
    return shutil.copytree(finished, tmp_path / "done")
