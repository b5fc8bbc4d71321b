"""Whatever is wrong with what a user gives, the command says so in one line, with exit code 2, and touches nothing."""

import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from normstudy.cli import main
from tests.commands import ROOT, UNPRIVILEGED
from tests.data_files import DAMAGES
from tests.watching import contents
from tests.wrong_parameters import FILES, MISSPELT, WRONG_VALUES

Case = tuple[Callable[[Path], object], list[str], str]
"""What is done to a project, the command, and what its line must hold."""


def with_values(name: str, value: object) -> Callable[[Path], object]:
    return lambda project: (project / "params" / "layer.yaml").write_text(yaml.safe_dump({name: value}))


def with_file(content: str, name: str = "layer") -> Callable[[Path], object]:
    return lambda project: (project / "params" / f"{name}.yaml").write_text(content)


def a_file(place: str) -> Callable[[Path], object]:
    def put(project: Path) -> None:
        (project / place).parent.mkdir(parents=True, exist_ok=True)
        (project / place).write_text("somebody's")

    return put


def nothing(project: Path) -> None:
    pass


def wrong_values() -> dict[str, Case]:
    """Each wrong value in a file, and on the command line where it can be written there."""
    cases: dict[str, Case] = {}
    for name, value, _ in WRONG_VALUES:
        culprit = f"params/layer.yaml: {name} "
        cases[f"{name}: {value!r}"] = (with_values(name, value), ["run"], culprit)
        if isinstance(value, str):
            cases[f"-p {name} {value!r}"] = (nothing, ["run", "-p", name, value], f"normstudy: {name} is ")
        elif value is not None:
            cases[f"-p {name} {value}"] = (nothing, ["run", "-p", name, str(value)], f"normstudy: {name} is ")
    return cases


CASES: dict[str, Case] = {
    **wrong_values(),
    **{f"-p {name!r}": (nothing, ["run", "-p", name, "1"], near) for name, near in MISSPELT},
    **{f"{name!r}: 1": (with_values(name, 1), ["run"], near) for name, near in MISSPELT},
    **{f"a file with {what}": (with_file(content), ["run"], right) for what, (content, right) in FILES.items()},
    **{
        f"a sweep file with {what}": (with_file(content, "factorial"), ["sweep", "params/factorial.yaml"], right)
        for what, (content, right) in FILES.items()
        if what not in ("a list in a mapping", "a mapping in a mapping")  # the first is right for a sweep
    },
    "a sweep file with a value twice": (
        with_file("l1: [0.1, 0.10]", "factorial"), ["sweep", "params/factorial.yaml"], "l1: 0.1 is there twice",
    ),
    "-p twice": (nothing, ["run", "-p", "epochs", "1", "-p", "epochs", "2"], "epochs is given twice"),
    "-p twice for a sweep": (
        nothing, ["sweep", "params/factorial.yaml", "-p", "seed", "1", "-p", "seed", "1"], "seed is given twice",
    ),
    "a sweep file that is missing": (nothing, ["sweep", "params/none.yaml"], "none.yaml cannot be read: No such file"),
    "groups that do not divide": (nothing, ["run", "-p", "groups", "3"], "groups is 3; it must divide"),
    "an unknown variant": (nothing, ["run", "bach"], "'bach' is not one of"),
    "half a parameter": (nothing, ["run", "-p", "dataset", "digits", "-p", "epochs"], "requires 2 arguments"),
    "an unknown dataset": (nothing, ["render", "--dataset", "minst"], "'minst' is not one of"),
    "an unknown command": (nothing, ["runn"], "No such command 'runn'"),
    **{
        f"{seconds} seconds": (nothing, [command, "--time-limit", seconds], "seconds")
        for seconds in ("0", "-1", "nan", "inf")
        for command in ("run", "prepare", "render")
    },
    "no number of seconds": (nothing, ["run", "--time-limit", "soon"], "'soon' is not a valid float"),
    "one sweep for all experiments": (nothing, ["run", "-p", "sweep", "params/seeds.yaml"], "sweep is not a parameter"),
    "a variant without its file": (
        lambda project: (project / "params" / "layer.yaml").unlink(), ["run"], "layer.yaml is missing; the study's",
    ),
    "a variant with another's file": (
        with_values("norm_arg", "group"), ["run"], "layer.yaml says norm_arg: group; the study's layer variant needs",
    ),
    "too many runs": (
        with_file(f"seed: {list(range(1000))}\nepochs: {list(range(1, 102))}", "factorial"),
        ["sweep", "params/factorial.yaml"], "asks for 101,000 runs; a sweep has at most 100,000",
    ),
    "no jobs": (nothing, ["sweep", "params/factorial.yaml", "--jobs", "0"], "0 is not in the range"),
    "a file for all results": (a_file("report/executed"), ["run"], "report/executed must be a folder"),
    "a file for a dataset's results": (a_file("report/executed/digits"), ["run"], "executed/digits must be a folder"),
    "a file for a result": (a_file("report/executed/digits/layer"), ["run"], "executed/digits/layer must be a folder"),
    "a file for a sweep's results": (
        a_file("report/executed/digits/sweeps"), ["sweep", "params/factorial.yaml"], "digits/sweeps must be a folder",
    ),
}  # fmt: skip


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    shutil.copytree(ROOT / "report" / "notebooks", folder / "report" / "notebooks")
    shutil.copytree(ROOT / "params", folder / "params")
    shutil.copy(ROOT / "_quarto.yml", folder)
    (folder / "params" / "layer.yaml").write_text("norm_arg: layer\n")
    return folder


def everything(project: Path) -> dict[str, bytes]:
    """The files of a project but for what says who is at work."""
    return {name: content for name, content in contents(project).items() if Path(name).name not in (".lock", ".owner")}


def refused(words: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    """The one line with which the command refuses; before it, a render names its renderer."""
    with pytest.raises(SystemExit) as end:
        main(words)
    said = capsys.readouterr()
    assert end.value.code == 2, said.err
    assert re.fullmatch("(Renderer: .*\n)?" if words[0] == "render" else "", said.out)
    (line,) = said.err.splitlines()
    return line


@pytest.mark.parametrize(("spoil", "words", "right"), CASES.values(), ids=CASES)
def test_a_wrong_input(
    spoil: Callable[[Path], object],
    words: list[str],
    right: str,
    project: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
):
    (project / "params" / "digits.yaml").unlink()
    spoil(project)
    before = everything(project)
    monkeypatch.chdir(project)
    in_digits = [] if "--dataset" in words or "dataset" in words else ["-p", "dataset", "digits"]
    line = refused(words + (in_digits if words[0] in ("run", "sweep") else []), capsys)
    assert line.startswith("normstudy: ")
    assert right in line
    assert everything(project) == before


def test_a_wrong_time_limit_in_the_environment(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    monkeypatch.setenv("NORMSTUDY_TIME_LIMIT", "0")
    for command in ("run", "prepare", "render"):
        assert "0 is not a number of seconds above 0" in refused([command], capsys)


@pytest.mark.parametrize("command", [["run"], ["render"], ["sweep", "params/factorial.yaml", "-p", "dataset", "mnist"]])
@pytest.mark.parametrize(("name", "damage", "message"), DAMAGES, ids=[message for _, _, message in DAMAGES])
def test_wrong_data(
    name: str,
    damage: Callable[[Path], object],
    message: str,
    command: list[str],
    raw: Path,
    project: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
):
    damage(raw)
    before, data = everything(project), contents(raw)
    monkeypatch.chdir(project)
    line = refused(command, capsys)
    assert name in line
    assert message in line
    assert everything(project) == before
    assert contents(raw) == data


@pytest.mark.parametrize(
    ("place", "mode", "words", "right"),
    [
        ("report", 0o500, ["run"], "report/executed must be a folder that can be written: Permission denied"),
        ("report/executed", 0o500, ["run"], "report/executed must be a folder that can be written: Permission denied"),
        ("report/executed/digits", 0o500, ["run"], "executed/digits must be a folder that can be written: Permission"),
        (
            "report/executed/digits",
            0o500,
            ["sweep", "params/factorial.yaml"],
            "digits/sweeps must be a folder that can",
        ),
        ("params/layer.yaml", 0o000, ["run"], "params/layer.yaml cannot be read: Permission denied"),
        ("params/factorial.yaml", 0o000, ["sweep", "params/factorial.yaml"], "factorial.yaml' is not readable"),
    ],
)
def test_no_permission(place: str, mode: int, words: list[str], right: str, project: Path):
    if not (project / place).exists():
        (project / place).mkdir(parents=True)
    before = everything(project)
    (project / place).chmod(mode)
    program = Path(sys.executable).with_name("normstudy")
    said = subprocess.run(
        [*UNPRIVILEGED, program, *words, "-p", "dataset", "digits"],
        cwd=project, capture_output=True, text=True, check=False,
    )  # fmt: skip
    (project / place).chmod(0o700)
    assert said.returncode == 2
    assert re.fullmatch(f"normstudy: .*{re.escape(right)}.*\n", said.stderr)
    assert everything(project) == before
