"""`make mutants`: which small changes of the code no test notices. Cosmic Ray makes them, one at a time, in a copy.

    python -m tests.mutants [statistics loop penalties data inference staleness]

Each survivor is shown with its change: it asks for a test, or for a place in `NOTHING`.
"""

import difflib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from cosmic_ray.commands.init import init
from cosmic_ray.mutating import use_mutation
from cosmic_ray.plugins import get_operator
from cosmic_ray.work_db import WorkDB, use_db
from hypothesis import Phase, settings

from tests.commands import ROOT

TESTS = {
    "statistics": "tests/test_statistics.py",
    "training/loop": "tests/training/test_loop.py tests/training/test_penalties.py tests/training/test_evaluation.py",
    "training/penalties": "tests/training/test_penalties.py",
    "data": "tests/test_data.py",
    "analysis/inference": "tests/analysis/test_inference.py tests/analysis/test_effects.py",
    "pipeline/staleness": "tests/pipeline/test_staleness.py tests/pipeline/test_another_model.py",
}
"""The modules, and what tests each."""

NOTHING = {
    "strict=False": "what is paired is as long as one another, by what stands above",
    "values=outcome, observed=False": "combinations without values are left out whatever it says",
    "frozen=False": "nobody changes one",
    "images.shape[": "images are as wide as they are high",
    'name <= "digits"': "no name of a dataset comes before it",
    "if step < turn": "at the turn both sides say the peak",
    "squeeze( -1)": "one dimension",
    "fused=False": "the same step, more slowly",
    "perf_counter() % start": "the same while a clock has not doubled",
    "losses[number] - epoch.penalties": "finite where both are",
    "losses[number] * epoch.penalties": "finite where both are, below 1e19",
    "if batches <= 0": "no number of batches is negative",
    **{f'device.type {sign} "cpu"': "only a GPU can tell" for sign in ("<=", ">=")},
    **{f'device.type {sign} "cuda"': "only a GPU can tell" for sign in (">", ">=")},
    **{f'capturable=dataset.device.type {sign} "cuda"': "only a GPU can tell" for sign in ("!=", "<", "<=")},
    "index_add( -1,": "a vector has one dimension",
    "FORMAT = ": "any number does that was not used before",
    "PENALTIES[(l1 > 0) - 2 *": "counted from the end, the same of four",
    "PENALTIES[(l1 > 0) | 2 *": "the sum, since 1 and 2 share no bit",
    "PENALTIES[(l1 > 0) ^ 2 *": "the sum, since 1 and 2 share no bit",
    "PENALTIES[(l1 != 0)": "no factor is negative",
    "* (l2 != 0)]": "no factor is negative",
    "if above - below": "as many above as below have the probability 1, too",
    "if above ^ below": "as many above as below have the probability 1, too",
    "if above | below": "0 where both are, as the sum is",
    "[-1 ^ skipped]": "all bits turned: the same, since nothing is negative",
    "* (len(values) > 1)": "of two truths",
    "(len(values) != 1)": "there is a seed",
}
"""Parts of changed lines that change nothing that counts, or nothing without a GPU, and why."""

OF_TYPES = "core/ReplaceBinaryOperator_BitOr_"  # the | in annotations
SECONDS = 300
LEAST = 0.95  # of the changes must be caught

settings.register_profile("mutants", deadline=None, database=None, phases=[Phase.explicit, Phase.generate])


def fails(tests: str, *options: str) -> bool:
    """Whether a test fails, in a process forked from this one, which has imported what takes long."""
    child = os.fork()
    if not child:
        signal.alarm(SECONDS)
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        os.dup2(1, 2)
        os._exit(collect(tests, "-x", "--hypothesis-profile", "mutants", *options))
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) != 0


def collect(tests: str, *options: str) -> int:
    """Import the tests and the package anew, and run them as the options say."""
    for name in [name for name in sys.modules if name.partition(".")[0] in ("normstudy", "tests")]:
        del sys.modules[name]
    imported = "-Wignore:Module already imported"  # that Pytest would rather import itself
    return int(pytest.main([imported, "-pno:cacheprovider", "-mnot slow", *options, *tests.split()]))


def mutants(module: str) -> Iterator[tuple[bool, str]]:
    """Of each change of a module, in the working directory, whether a test notices it, and the change."""
    file, tests = Path("normstudy", f"{module}.py"), TESTS[module]
    if collect(tests, "--collect-only", "-qq") or fails(tests):
        sys.exit(f"{tests} fails without any change")
    with use_db("mutants.sqlite", WorkDB.Mode.create) as database:
        init([file], database, {})
        specs = [spec for item in database.work_items for spec in item.mutations]
    for spec in specs:
        if not spec.operator_name.startswith(OF_TYPES):
            operator = get_operator(spec.operator_name)(**spec.operator_args)
            with use_mutation(file, operator, spec.occurrence) as (before, after):
                lines = difflib.unified_diff(before.splitlines(), (after or before).splitlines(), lineterm="", n=0)
                if change := "\n".join(list(lines)[2:]):
                    yield fails(tests), change


def main(chosen: list[str]) -> None:
    """Say of each module how many of its changes are caught, and show the others."""
    shares = []
    for module in [module for module in TESTS if not chosen or Path(module).name in chosen]:
        with tempfile.TemporaryDirectory() as folder:
            copy = Path(folder) / "project"
            listed = subprocess.run(["git", "ls-files"], cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
            for name in filter(lambda name: (ROOT / name).is_file(), listed.stdout.splitlines()):
                (copy / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(ROOT / name, copy / name)
            os.chdir(copy)
            os.environ["PYTHONPATH"] = sys.path[0] = str(copy)
            found = list(mutants(module))
            os.chdir(ROOT)
        survivors = [change for caught, change in found if not caught and not any(part in change for part in NOTHING)]
        shares.append(1 - len(survivors) / len(found))
        print(f"normstudy/{module}.py: {len(found) - len(survivors)} of {len(found)} caught", *survivors, sep="\n")
    sys.exit(min(shares) < LEAST)


if __name__ == "__main__":
    main(sys.argv[1:])
