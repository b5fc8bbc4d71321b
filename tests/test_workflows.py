"""What continuous integration tries, and what the published report is made with."""

import re
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.commands import ROOT, command

WORKFLOWS = ROOT / ".github" / "workflows"


def steps(file: Path) -> list[dict[str, Any]]:
    return [step for job in yaml.safe_load(file.read_text())["jobs"].values() for step in job["steps"]]


def asked(file: Path, action: str, name: str) -> str:
    """What a workflow asks an action for."""
    (step,) = [step for step in steps(file) if step.get("uses", "").startswith(action)]
    return str(step["with"][name])


def test_the_tests_run_with_the_oldest_and_the_newest_quarto_and_python():
    file = WORKFLOWS / "test.yml"
    matrix = yaml.safe_load(file.read_text())["jobs"]["test"]["strategy"]["matrix"]
    assert asked(file, "quarto-dev/quarto-actions/setup@", "version") == "${{ matrix.quarto }}"
    assert asked(file, "actions/setup-python@", "python-version") == "${{ matrix.python }}"
    combinations = {(each["quarto"], each["python"]) for each in matrix["include"]}
    oldest_python = re.search(r'requires-python = ">=(.*)"', (ROOT / "pyproject.toml").read_text())[1]
    oldest_quarto = re.search(r"\[Quarto\]\(.*?\) ([\d.]+) or newer", (ROOT / "README.md").read_text())[1]
    assert sorted(quarto.startswith(oldest_quarto) for quarto, _ in combinations) == [False, True]
    assert "release" in {quarto for quarto, _ in combinations}
    assert oldest_python in {python for _, python in combinations}
    assert len({python for _, python in combinations}) == 2


def test_the_report_is_published_by_a_quarto_whose_pdf_keeps_text_alternatives():
    version = asked(WORKFLOWS / "publish.yml", "quarto-dev/quarto-actions/setup@", "version")
    assert version == "release" or tuple(map(int, version.split("."))) >= (1, 9)


@pytest.mark.parametrize("file", sorted(WORKFLOWS.glob("*.yml")), ids=lambda file: file.name)
def test_commands_of_a_workflow_are_those_that_there_are(file: Path):
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    called = [word for step in steps(file) for word in re.findall(r"make ([\w-]+)", step.get("run", ""))]
    assert called
    assert set(called) <= set(targets)


def test_lint_leaves_a_model_of_ones_own_alone(tmp_path: Path):
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    for name in ("model.py", "class/a.py", "normstudy/model.py", "tests/a/test_b.py", "report/notebooks/c.ipynb"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    seen = command(tmp_path, "ruff", "check", "--show-files").stdout.splitlines()
    names = {Path(line).relative_to(tmp_path).as_posix() for line in seen}
    assert names == {"pyproject.toml", "normstudy/model.py", "tests/a/test_b.py", "report/notebooks/c.ipynb"}
