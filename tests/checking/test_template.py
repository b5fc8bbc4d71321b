"""The network to start from: a check of it says what is to be written, and it can be solved."""

import re
from pathlib import Path

import nbformat
import pytest

from normstudy.checking import template, verdict
from normstudy.checking.examination import examine
from normstudy.machine import model_files
from tests.commands import command

SOLUTION = """
        self.gamma, self.beta = (nn.Parameter(value * torch.ones(1, channels, 1, 1)) for value in (1.0, 0.0))
        self.register_buffer("mean", torch.zeros(1, channels, 1, 1))
        self.register_buffer("variance", torch.ones(1, channels, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        parts = x.view(len(x), 1 if self.norm_arg == "layer" else self.groups, -1)
        over = 2
        if self.norm_arg == "batch":
            parts, over = x, (0, 2, 3)
        mean, variance = parts.mean(over, keepdim=True), parts.var(over, correction=0, keepdim=True)
        if self.norm_arg == "batch" and self.training:
            with torch.no_grad():
                self.mean += 0.1 * (mean - self.mean)
                self.variance += 0.1 * (parts.var(over, keepdim=True) - self.variance)
        elif self.norm_arg == "batch":
            mean, variance = self.mean, self.variance
        return ((parts - mean) / (variance + 1e-5).sqrt()).view_as(x) * self.gamma + self.beta


class Net"""


def judged(file: Path) -> dict:
    return verdict.judge(examine(model_files.load(str(file))))


def test_the_command_writes_both_and_takes_nothing_s_place(tmp_path: Path):
    made = command(tmp_path, "normstudy", "new", "mine.py")
    assert made.stdout.splitlines() == ["mine.py", "mine.ipynb"]
    assert "mine.py:Net" in (tmp_path / "mine.ipynb").read_text()
    again = command(tmp_path, "normstudy", "new", "mine.py")
    assert again.returncode == 2
    assert again.stderr == "normstudy: mine.py is there already; name another file, or move it away\n"


def test_what_is_left_to_write_is_what_the_check_lacks(tmp_path: Path):
    template.write(tmp_path / "model.py")
    said = judged(tmp_path / "model.py")
    for found in said.values():
        (fault,) = found["faults"]
        assert fault["found"] == "no normalization behind a layer with weights"
        assert found["parameters"] < verdict.MOST_PARAMETERS


def solve(file: Path) -> None:
    text = re.sub(
        r"        # Task 4: a trained.*?\nclass Net", lambda _: SOLUTION.lstrip("\n"), file.read_text(), flags=re.S
    )
    file.write_text(text)


def test_its_tasks_can_be_solved(tmp_path: Path):
    file, _ = template.write(tmp_path / "model.py")
    solve(file)
    said = judged(file)
    assert [found["faults"] + found["remarks"] for found in said.values()] == [[], [], []]


@pytest.mark.slow
def test_the_notebook_checks_trains_and_draws(tmp_path: Path):
    file, _ = template.write(tmp_path / "model.py")
    solve(file)
    run = command(tmp_path, "papermill", "model.ipynb", "out.ipynb", "--no-progress-bar")
    assert run.returncode == 0, run.stderr
    path = tmp_path / "out.ipynb"
    assert path.read_text().count("of the test images are right") >= 3
    outputs = [output for cell in nbformat.read(path, 4).cells for output in cell.get("outputs", [])]
    assert sum("image/svg+xml" in output.get("data", {}) for output in outputs) == 4
