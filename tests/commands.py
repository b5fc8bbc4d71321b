"""Commands as a user gives them, and what stands for programs that are not to be found."""

import os
import subprocess
import sys
from pathlib import Path

from normstudy import files

ROOT = Path(__file__).parents[1]
WITHOUT_QUARTO = (
    sys.executable,
    "-c",
    "from normstudy import cli; from normstudy.rendering import render; render.find_quarto = lambda: None; cli.main()",
)
"""What stands for `normstudy` where it is not to find Quarto."""
UNPRIVILEGED = ["setpriv", "--bounding-set", "-all"] if os.geteuid() == 0 else []
"""What makes root obey permissions."""


def environment(project: Path) -> dict[str, str]:
    """That of a program in a copy of the project: the copy's package, this machine's data and Python."""
    return os.environ | {
        "NORMSTUDY_DATA": str(files.root().resolve()),
        "PYTHONPATH": str(project),
        "QUARTO_PYTHON": sys.executable,
    }


def command(project: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run a command in a project's folder, as a user would, with this environment's programs first on the PATH."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    own = os.environ | {"PATH": path, "QUARTO_PYTHON": sys.executable}
    return subprocess.run(words, cwd=project, env=own, capture_output=True, text=True, check=False)


def stand_in(program: Path, script: str = "") -> str:
    """A program that does what a shell script says."""
    program.parent.mkdir(parents=True, exist_ok=True)
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    return str(program)
