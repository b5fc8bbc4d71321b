"""What many tests begin with. The study and its reports are made once, for all processes that run tests together."""

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch
from filelock import FileLock
from hypothesis import settings
from playwright.sync_api import Browser

from normstudy.rendering.render import find_quarto
from tests import data_files
from tests.browser import chromium
from tests.commands import ROOT, WITHOUT_QUARTO, command
from tests.toy import run_all, write_toy

settings.register_profile("shared machine", deadline=None)
settings.load_profile("shared machine")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What needs the executed study, a report or a browser is slow."""
    for item in items:
        if {"study", "report", "browser"} & set(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> None:
    """The cores are shared, and what tests train is too small to be shared out, here and in the commands they give."""
    torch.set_num_threads(1)
    os.environ["OMP_NUM_THREADS"] = "1"


Once = Callable[[str, Callable[[Path], None]], Path]


@pytest.fixture(scope="session")
def once(tmp_path_factory: pytest.TempPathFactory) -> Once:
    """Gives a folder of some name, which the first process that asks for it makes while the others wait."""
    own = tmp_path_factory.getbasetemp()
    together = own.parent if "PYTEST_XDIST_WORKER" in os.environ else own

    def folder_of(name: str, make: Callable[[Path], None]) -> Path:
        folder, made = together / name, together / f"{name}.made"
        with FileLock(together / f"{name}.lock"):
            if not made.exists():
                make(folder)
                made.touch()
        return folder

    return folder_of


@pytest.fixture(scope="session")
def project(once: Once) -> Path:
    """A copy of the project's sources: what git tracks, and what it would. Not to be changed."""

    def make(copy: Path) -> None:
        listed = subprocess.run(
            ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
            cwd=ROOT, capture_output=True, text=True, check=True,
        )  # fmt: skip
        for name in listed.stdout.splitlines():
            if (ROOT / name).is_file():
                (copy / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(ROOT / name, copy / name)

    return once("project", make)


@pytest.fixture(scope="session")
def study(project: Path, once: Once) -> Path:
    """The same, with the study run on digits. Not to be changed."""

    def make(copy: Path) -> None:
        shutil.copytree(project, copy)
        run = command(copy, "normstudy", "run", "-p", "dataset", "digits")
        assert run.returncode == 0, run.stdout + run.stderr

    return once("study", make)


@pytest.fixture(scope="session")
def finished(once: Once) -> Path:
    """A toy of the project in which everything is up to date. Not to be changed."""

    def make(root: Path) -> None:
        write_toy(root)
        assert set(run_all(root).values()) == {"done"}

    return once("toy", make)


@pytest.fixture(scope="session", params=["pandoc", "quarto"])
def report(study: Path, request: pytest.FixtureRequest, once: Once) -> Path:
    """The folder of the report on digits, made by each renderer. Not to be changed."""
    if request.param == "quarto" and find_quarto() is None:
        pytest.skip("Quarto is not installed")

    def make(copy: Path) -> None:
        shutil.copytree(study, copy)
        with_quarto = ("quarto", "render", "--profile", "digits")
        without = (*WITHOUT_QUARTO, "render", "--dataset", "digits")
        made = command(copy, *(with_quarto if request.param == "quarto" else without))
        assert made.returncode == 0, made.stdout + made.stderr
        assert "WARN" not in made.stderr + made.stdout, made.stderr

    return once(f"report-{request.param}", make) / "_report"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium, without a page."""
    with chromium() as browser:
        yield browser


@pytest.fixture
def raw(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a whole, small dataset in the place of MNIST."""
    monkeypatch.setenv("NORMSTUDY_DATA", str(tmp_path))
    return data_files.write(tmp_path)
