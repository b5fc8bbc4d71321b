"""Where processes are forked from one that has imported what they need, so that each of them need not."""

import os
import sys
from multiprocessing import forkserver, get_context
from multiprocessing.context import BaseContext

FORKS = sys.platform == "linux"
"""Whether a process may be forked from one that has imported much; elsewhere that is not safe."""

TRAINING = ("sklearn.datasets", "sklearn.model_selection", "torch._dynamo")
"""What training imports when it is first needed: for digits and their split, and for the first optimizer."""

THREADS = {
    "OPENBLAS_NUM_THREADS": "1",
    "JE_ARROW_MALLOC_CONF": "background_thread:false",
    "GOMP_SPINCOUNT": "3000",
}
"""What libraries are told of their threads.

OpenBLAS and Arrow start none while they are imported: a process that has threads should not be forked. OpenBLAS' would
only wait in circles for what there is to multiply.

PyTorch's, which are GNU OpenMP's, look 3,000 times whether another is done before they sleep, and not 300,000 times.
Two on two cores are as fast so. But where another program has one of the cores, a thread no longer keeps the core that
the other waits for: there an epoch took 70 times as long.
"""


def having_imported(*modules: str) -> BaseContext:
    """A way to start processes that have imported these modules already, where that is safe."""
    if not FORKS:
        return get_context("spawn")
    context = get_context("forkserver")
    context.set_forkserver_preload(list(modules))
    before = dict(os.environ)
    os.environ.update(THREADS | before)
    try:
        forkserver.ensure_running()
    finally:
        os.environ.clear()
        os.environ.update(before)
    return context
