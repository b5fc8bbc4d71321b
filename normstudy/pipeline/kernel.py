"""Executes one notebook with papermill, in its own process: `python -m normstudy.kernel SOURCE TARGET PARAMETERS`."""

import os
import sys
import tempfile
from pathlib import Path

import papermill
import psutil
import yaml
from papermill.exceptions import PapermillExecutionError
from traitlets.config import Config

from normstudy.machine.parents import follow


def main() -> int:
    """Execute SOURCE into TARGET with the parameters of a YAML file; 1 if a cell fails or a file cannot be written."""
    source, target, parameters = sys.argv[1:]
    if parent := psutil.Process().parent():
        follow(parent.wait)  # the kernel notices by itself
    try:
        with tempfile.TemporaryDirectory(prefix="normstudy-") as sockets:
            # Kernels that start at once can race for TCP ports; Unix sockets in a folder of their own cannot.
            transport = {} if os.name == "nt" else {"transport": "ipc", "ip": f"{sockets}/kernel"}
            papermill.execute_notebook(
                source,
                target,
                parameters=yaml.safe_load(Path(parameters).read_text(encoding="utf-8")),
                kernel_name="python3",
                progress_bar=False,
                config=Config({"KernelManager": transport}),
                shutdown_kernel="immediate",
            )
    except PapermillExecutionError as error:
        print(f"{error.ename}: {error.evalue}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"{error.filename or target}: {error.strerror or error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
