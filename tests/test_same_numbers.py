"""Two codes are told to give the same numbers if they do, and which columns differ if they do not."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from normstudy.experiments import provenance
from tests import same_numbers
from tests.same_numbers import Made


def rows(**changes: Any) -> list[dict[str, Any]]:
    about = {"dataset": "digits", "norm_arg": "batch", "seed": 0, "epochs": 1}
    return [about | {"test_loss": 0.5, "code": "this", "seconds": 1.0} | changes]


def test_code_and_seconds_may_differ_and_nan_is_like_nan():
    ours = Made("this", [rows(), rows(test_loss=float("nan"))])
    theirs = Made("that", [rows(code="that", seconds=2.0), rows(code="that", test_loss=float("nan"))])
    assert same_numbers.differences(ours, theirs) == []


@pytest.mark.parametrize(
    ("there", "said"),
    [
        (rows(test_loss=0.5000001), "1 rows here, 1 there; test_loss differ"),
        (rows() + rows(), "1 rows here, 2 there; dataset, epochs, norm_arg, seed, test_loss differ"),
        (rows(beside=1), "1 rows here, 1 there; beside differ"),
    ],
)
def test_what_differs_is_named(there: list[dict[str, Any]], said: str):
    (line,) = same_numbers.differences(Made("this", [rows()]), Made("that", [there]))
    assert line == f"{{'dataset': 'digits', 'norm_arg': 'batch', 'seed': 0, 'epochs': 1}}: {said}"


def test_of_every_published_table_there_are_runs_of_every_normalization():
    tables = same_numbers.published()
    assert {"mnist/depth", "digits/seeds"} <= set(tables)
    runs = same_numbers.sample("digits/seeds")
    assert sorted(str(run["norm_arg"]) for run in runs) == ["batch"] * 2 + ["group"] * 2 + ["layer"] * 2
    assert runs == same_numbers.sample("digits/seeds")


@pytest.mark.slow
def test_the_code_of_a_commit_is_run_beside_this_one_and_a_changed_one_is_told(tmp_path: Path):
    runs = [run | {"epochs": 1} for run in same_numbers.sample("digits/seeds")[::2]]
    ours, theirs = same_numbers.compare("HEAD", runs)
    assert ours.code == provenance.fingerprint()
    assert same_numbers.differences(ours, theirs) == []
    package = shutil.copytree(provenance.PACKAGE, tmp_path / "normstudy")
    loop = package / "training" / "loop.py"
    loop.write_text(loop.read_text(encoding="utf-8").replace("fused=True", "fused=True, eps=1e-3"), encoding="utf-8")
    changed = same_numbers.made_in(tmp_path, runs)
    assert changed.code != ours.code
    assert len(same_numbers.differences(ours, changed)) == len(runs)
