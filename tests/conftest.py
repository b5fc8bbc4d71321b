"""The study on the small digits, run once, and its report by each renderer: what tests of the whole read."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import settings

from normstudy.rendering.render import find_quarto

settings.register_profile("shared machine", deadline=None)
settings.load_profile("shared machine")

ROOT = Path(__file__).parents[1]
WITHOUT_QUARTO = (
    sys.executable,
    "-c",
    "from normstudy import cli; from normstudy.rendering import render; render.find_quarto = lambda: None; cli.main()",
)
"""What stands for `normstudy` where it is not to find Quarto."""


def command(project: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run a command in a project's folder, as a user would, with this environment's programs first on the PATH."""
    environment = os.environ | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    environment["QUARTO_PYTHON"] = sys.executable
    return subprocess.run(words, cwd=project, env=environment, capture_output=True, text=True, check=False)


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project's sources: what git tracks, and what it would."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    copy = tmp_path_factory.mktemp("project")
    for name in listed.stdout.splitlines():
        if (ROOT / name).is_file():
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, copy / name)
    return copy


@pytest.fixture(scope="session")
def study(project: Path) -> Path:
    """The same, with the study run on digits."""
    run = command(project, "normstudy", "run", "-p", "dataset", "digits")
    assert run.returncode == 0, run.stdout + run.stderr
    return project


@pytest.fixture(scope="session", params=["pandoc", "quarto"])
def report(study: Path, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the report on digits, made by each renderer."""
    if request.param == "quarto":
        if find_quarto() is None:
            pytest.skip("Quarto is not installed")
        made = command(study, "quarto", "render", "--profile", "digits")
        assert "WARN" not in made.stderr + made.stdout, made.stderr
    else:
        made = command(study, *WITHOUT_QUARTO, "render", "--dataset", "digits")
    assert made.returncode == 0, made.stdout + made.stderr
    kept = tmp_path_factory.mktemp(f"report-{request.param}") / "_report"
    shutil.copytree(study / "_report", kept)
    return kept
