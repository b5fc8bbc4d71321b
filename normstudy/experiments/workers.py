"""Where runs are made: in processes of this machine, or by the workers of a Dask scheduler."""

import multiprocessing
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from copy import copy
from typing import Any
from urllib.parse import urlsplit

from normstudy.experiments import single
from normstudy.experiments.parameters import Value
from normstudy.experiments.places import StudyError
from normstudy.machine.forks import TRAINING, having_imported
from normstudy.machine.parents import follow

Submit = Callable[[dict[str, Value]], "Future[list[dict[str, Any]]]"]
"""Takes the parameters of a run, and promises its rows."""


@contextmanager
def processes(number: int) -> Iterator[Submit]:
    """As many processes as asked for, which end with this one, whatever ends it; an error or Ctrl-C kills them."""
    others = multiprocessing.active_children()
    executor = ProcessPoolExecutor(number, having_imported(__name__, *TRAINING), _begin)
    try:
        yield lambda run: executor.submit(single.run, run)
        executor.shutdown()
    finally:
        executor.shutdown(wait=False, cancel_futures=True)
        for process in multiprocessing.active_children():
            if process not in others:
                process.kill()


def _begin() -> None:
    """Leave Ctrl-C to the process that started this one, and die with it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if parent := multiprocessing.parent_process():
        follow(parent.join)


@contextmanager
def dask(address: str, dataset: str, tell: Callable[[str], None]) -> Iterator[Submit]:
    """The workers of the Dask scheduler at `address`. They need this package, but no data and no shared disk.

    A run whose worker dies is made by another one.

    Raises:
        StudyError: Dask is not installed, or no scheduler answers.
    """
    try:
        from dask import config as dask_config
        from distributed import Client
    except ImportError as error:
        raise StudyError("--scheduler needs Dask: pip install 'normstudy[dask]'") from error
    try:
        client: Any = Client(address, timeout=10)  # type: ignore[no-untyped-call]
    except (OSError, ValueError) as error:
        raise StudyError(f"no Dask scheduler answers at {address}") from error
    with client:
        if urlsplit(address).hostname not in ("127.0.0.1", "localhost", "::1") and not address.startswith("tls"):
            tell(f"{address} asks for no password and encrypts nothing: only for a network that you trust.")
        if not client.scheduler_info()["workers"]:
            tell(f"Waiting for workers at {address}.")
            client.wait_for_workers(1)
        carried = None
        if dataset != "digits":
            # As a task, which the scheduler can repeat: scattered data are lost with the last worker that has them.
            with dask_config.set({"distributed.admin.large-graph-warning-threshold": "1GB"}):
                carried = client.submit(copy, single.load(dataset), pure=False)
        executor = client.get_executor(pure=False)
        yield lambda run: executor.submit(single.run, run, carried)
