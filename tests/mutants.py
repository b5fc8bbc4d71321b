"""`make mutants`: which small changes of the code no test notices. Cosmic Ray makes them, one at a time, in a copy.

    python -m tests.mutants [statistics loop penalties data inference staleness]

It takes hours for all six. Each survivor is shown with its change: it asks for a test, or changes nothing that counts.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.commands import ROOT

TESTS = {
    "statistics": "tests/test_statistics.py",
    "training/loop": "tests/test_training.py",
    "training/penalties": "tests/test_training.py",
    "data": "tests/test_data.py",
    "analysis/inference": "tests/analysis/test_inference.py tests/analysis/test_effects.py",
    "pipeline/staleness": "tests/pipeline/test_execution.py tests/experiments/test_provenance.py",
}
"""The modules, and what tests each."""

SETTINGS = """
[cosmic-ray]
module-path = "normstudy/{module}.py"
timeout = 300.0
excluded-modules = []
test-command = "{python} -m pytest -x -p no:cacheprovider -m 'not slow' {tests}"
[cosmic-ray.distributor]
name = "local"
[cosmic-ray.filters.operators-filter]
exclude-operators = ["core/ReplaceBinaryOperator_BitOr_.*"]  # of types
"""

LEAST = 0.95  # of the changes must be caught


def mutants(copy: Path, module: str) -> list[tuple[str, str]]:
    """What became of each change of a module, "killed" or "survived", and the change."""
    (copy / "mutants.toml").write_text(SETTINGS.format(module=module, python=sys.executable, tests=TESTS[module]))
    environment = os.environ | {"PYTHONPATH": str(copy), "HYPOTHESIS_STORAGE_DIRECTORY": str(copy / "examples")}

    def run(program: str, *words: str) -> str:
        path = Path(sys.executable).with_name(program)
        return subprocess.run(
            [path, *words], cwd=copy, env=environment, stdout=subprocess.PIPE, text=True, check=True
        ).stdout

    run("cosmic-ray", "init", "--force", "mutants.toml", "mutants.sqlite")
    run("cosmic-ray", "baseline", "mutants.toml")
    run("cr-filter-operators", "mutants.sqlite", "mutants.toml")
    run("cosmic-ray", "exec", "mutants.toml", "mutants.sqlite")
    results = [json.loads(line)[1] for line in run("cosmic-ray", "dump", "mutants.sqlite").splitlines()]
    tried = [result for result in results if result and result["worker_outcome"] == "normal"]
    return [(str(result["test_outcome"]), str(result["diff"])) for result in tried]


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
            found = mutants(copy, module)
        survivors = [change for outcome, change in found if "survived" in outcome.lower()]
        shares.append(1 - len(survivors) / len(found))
        print(f"normstudy/{module}.py: {len(found) - len(survivors)} of {len(found)} caught", *survivors, sep="\n")
    sys.exit(min(shares) < LEAST)


if __name__ == "__main__":
    main(sys.argv[1:])
