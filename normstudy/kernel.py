"""Executes one notebook with papermill, in its own process: `python -m normstudy.kernel SOURCE TARGET PARAMETERS`."""

import os
import sys
from pathlib import Path

import papermill
import yaml
from papermill.exceptions import PapermillExecutionError
from traitlets.config import Config


def main() -> int:
    """Execute SOURCE into TARGET with the parameters of a YAML file; 1 if a cell fails."""
    source, target, parameters = sys.argv[1:]
    # Kernels that start at the same moment can race for TCP ports; Unix sockets have none.
    config = Config({"KernelManager": {"transport": "tcp" if os.name == "nt" else "ipc"}})
    try:
        papermill.execute_notebook(
            source,
            target,
            parameters=yaml.safe_load(Path(parameters).read_text(encoding="utf-8")),
            kernel_name="python3",
            progress_bar=False,
            config=config,
        )
    except PapermillExecutionError as error:
        print(f"{error.ename}: {error.evalue}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
