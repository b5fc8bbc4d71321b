"""What makes a result out of date: what its code computes, not how it is written or where it lies."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from normstudy.experiments import provenance

SAYS = "import sys; from normstudy.experiments import provenance; print(provenance.__file__, provenance.fingerprint())"


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """A copy of the package."""
    return shutil.copytree(provenance.PACKAGE, tmp_path / "normstudy", ignore=shutil.ignore_patterns("__pycache__"))


def fingerprint(package: Path) -> str:
    """The fingerprint of the code that makes runs, told by a process that imports this copy of the package."""
    environment = os.environ | {"PYTHONPATH": str(package.parent)}
    told = subprocess.run([sys.executable, "-c", SAYS], cwd=package.parent, env=environment,
                          capture_output=True, text=True, check=True)  # fmt: skip
    file, word = told.stdout.split()
    assert Path(file).is_relative_to(package)
    return word


def rewrite(file: Path, old: str, new: str) -> None:
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new), encoding="utf-8")


def test_comments_docstrings_and_layout_make_nothing_out_of_date(package: Path):
    before = fingerprint(package)
    rewrite(package / "training" / "penalties.py", '"""The sum of |w| over', '"""What |w| adds up to over')
    rewrite(
        package / "training" / "loop.py", "    keep_freed_memory()\n", "\n    # Faster.\n    keep_freed_memory()\n\n"
    )
    assert fingerprint(package) == before


def test_a_moved_file_makes_nothing_out_of_date(package: Path):
    before = fingerprint(package)
    (package / "inner").mkdir()
    (package / "inner" / "__init__.py").touch()
    (package / "machine" / "processor.py").rename(package / "inner" / "processor.py")
    for file in package.rglob("*.py"):
        text = file.read_text(encoding="utf-8")
        file.write_text(
            text.replace("from normstudy.machine.processor import", "from normstudy.inner.processor import")
        )
    assert fingerprint(package) == before


def test_what_is_only_said_of_a_normalization_makes_nothing_out_of_date(package: Path):
    before = fingerprint(package)
    rewrite(package / "normalizations.py", "#0072B2", "#0072B3")
    assert fingerprint(package) == before


def test_what_a_function_computes_makes_runs_out_of_date(package: Path):
    before = fingerprint(package)
    rewrite(package / "training" / "loop.py", "peak / 25,", "peak / 24,")
    assert fingerprint(package) != before


def test_a_module_that_training_imports_makes_runs_out_of_date_and_another_does_not(package: Path):
    before = fingerprint(package)
    with (package / "display" / "figures.py").open("a") as file:
        file.write("ANOTHER = 1\n")
    assert fingerprint(package) == before
    with (package / "machine" / "processor.py").open("a") as file:
        file.write("ANOTHER = 1\n")
    assert fingerprint(package) != before


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("x = 1", "x = 1  # one"),
        ('def f():\n    """Say."""\n    return 1', "def f():\n    return 1"),
        ('x = 1\n"""What x is."""', "x = 1"),
        ("from normstudy import model", "from normstudy.inner import model"),
    ],
)
def test_meaning_leaves_out_what_computes_nothing(one: str, other: str, package: Path, monkeypatch: pytest.MonkeyPatch):
    (package / "inner").mkdir()
    shutil.copy(package / "model.py", package / "inner" / "model.py")
    monkeypatch.setattr(provenance, "PACKAGE", package)
    assert provenance.meaning(one) == provenance.meaning(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("x = 1", "x = 2"),
        ("def f(a=1): pass", "def f(a=2): pass"),
        ('x = "one"', 'x = "two"'),
        ("from normstudy.training import fit", "from normstudy.experiments.sweep import fit"),
        ("from numpy import mean", "from numpy import median as mean"),
    ],
)
def test_meaning_holds_all_that_computes(one: str, other: str):
    assert provenance.meaning(one) != provenance.meaning(other)


@pytest.mark.parametrize("network", ["", "a network\n"])
def test_only_code_of_which_it_is_said_that_its_numbers_are_the_same_counts_as_present(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, network: str
):
    model = str(tmp_path / "model.py") if network else ""
    if model:
        Path(model).write_text(network, encoding="utf-8")
    present = provenance.fingerprint(model)
    earlier = present.replace(provenance.fingerprint(), "earlier")
    assert provenance.is_present(present, model)
    assert not any(
        provenance.is_present(code, model) for code in (earlier, "", None, provenance.fingerprint() + " other")
    )
    monkeypatch.setattr(provenance, "SAME", {provenance.fingerprint(): ("earlier",), "another": ("older",)})
    assert provenance.is_present(earlier, model)
    assert not any(provenance.is_present(code, model) for code in ("older", "earlier other", "another"))
