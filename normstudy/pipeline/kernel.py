"""Executes one notebook with papermill, in a process of its own, its kernel in another."""

import os
import sys
import tempfile
from collections.abc import Callable
from multiprocessing import Pipe, get_context, parent_process
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import papermill
import yaml
from ipykernel.kernelapp import IPKernelApp
from jupyter_client.provisioning.factory import KernelProvisionerFactory
from jupyter_client.provisioning.local_provisioner import LocalProvisioner
from papermill.exceptions import PapermillExecutionError
from traitlets.config import Config

from normstudy.machine.forks import FORKS
from normstudy.machine.parents import follow


def execute(source: str, target: str, parameters: str, log: str) -> None:
    """Execute a notebook with the parameters of a YAML file. What there is to say goes to the end of a log.

    The process ends with 1 if a cell fails or a file cannot be written: the log's last line says why.
    """
    with Path(log).open("ab") as file:
        for stream in (1, 2):
            os.dup2(file.fileno(), stream)
    kernel = _fork_kernel() if FORKS else None  # first of all: a process that has threads should not be forked
    if parent := parent_process():
        follow(parent.join)
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
        sys.exit(" ".join(f"{error.ename}: {error.evalue}".split()))
    except OSError as error:
        sys.exit(f"{error.filename or target}: {error.strerror or error}")
    finally:
        if kernel:
            kernel.kill()


def _fork_kernel() -> Any:
    """Fork the process that becomes the kernel where Jupyter would start one."""
    here, there = Pipe()
    kernel: Any = get_context("fork").Process(target=_become_kernel, args=(there.recv,))
    kernel.start()
    # What Jupyter asks of a process, and `multiprocessing` calls by other names.
    kernel.poll = lambda: kernel.exitcode
    kernel.wait = kernel.join
    kernel.send_signal = lambda number: os.kill(kernel.pid, number)
    kernel.stdin = kernel.stdout = kernel.stderr = None

    class Forked(LocalProvisioner):
        async def launch_kernel(self, cmd: list[str], **_: Any) -> Any:
            self.process, self.pid = kernel, kernel.pid
            here.send(cmd)
            return self.connection_info

    factory: Any = KernelProvisionerFactory.instance()
    factory.provisioners["forked"] = SimpleNamespace(load=lambda: Forked)
    factory.default_provisioner_name = "forked"
    return kernel


def _become_kernel(command: Callable[[], list[str]]) -> None:
    """Wait for the command of a kernel, and be that kernel until the parent ends."""
    if parent := parent_process():
        follow(parent.join)
    os.setsid()  # as Jupyter does: Ctrl-C is not for a kernel
    words = command()
    IPKernelApp.launch_instance(argv=words[words.index("-f") :])
