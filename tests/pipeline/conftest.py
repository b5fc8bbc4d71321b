"""Toys of the project, never run and up to date."""

import shutil
from pathlib import Path

import pytest

from tests.conftest import Once
from tests.toy import run_all, write_toy


@pytest.fixture
def toy(tmp_path: Path) -> Path:
    """A project that was never run."""
    write_toy(tmp_path)
    return tmp_path


@pytest.fixture(scope="session")
def finished(once: Once) -> Path:
    """The same, run. Not to be changed."""

    def make(root: Path) -> None:
        write_toy(root)
        assert set(run_all(root).values()) == {"done"}

    return once("toy", make)


@pytest.fixture
def done(finished: Path, tmp_path: Path) -> Path:
    """A project in which everything is up to date."""
    return shutil.copytree(finished, tmp_path / "done")
