"""Where notebooks' processes come from: one that has imported what they need, and that can be forked."""

import subprocess
import sys
from pathlib import Path

import pytest

from normstudy.experiments.places import StudyError
from normstudy.machine.forks import FORKS
from normstudy.pipeline import forkserver

pytestmark = pytest.mark.skipif(not FORKS, reason="processes are forked on Linux alone")

READY = """
import os, sys
from normstudy.machine.forks import THREADS
os.environ |= THREADS
from normstudy.pipeline import forkserver
os.environ |= forkserver.ENVIRONMENT
forkserver._import(["normstudy.training", "normstudy.display.figures", "normstudy.nothing"])
import torch
print(len(os.listdir("/proc/self/task")), torch.cuda.is_initialized(), "matplotlib.backends.backend_svg" in sys.modules)
print([name for name in sys.modules if name.startswith("normstudy")])
"""


@pytest.mark.slow
def test_it_has_libraries_and_no_thread_no_gpu_and_no_module_that_may_change_before_it_is_forked():
    done = subprocess.run([sys.executable, "-c", READY], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["1 False True", "[]"]


def test_its_end_is_said(tmp_path: Path):
    with forkserver.start(tmp_path, []) as server:
        server.process.kill()
        server.process.wait()
        with pytest.raises(StudyError, match="the process that starts notebooks has ended"):
            server.execute(tmp_path)
