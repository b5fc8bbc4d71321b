"""A process that follows its parent ends with it."""

import subprocess
import sys

import psutil

CHILD = """
import os, psutil, time
from normstudy.machine.parents import follow
follow(psutil.Process().parent().wait)
print(os.getpid(), flush=True)
time.sleep(60)
"""
PARENT = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {CHILD!r}])"


def test_a_killed_parent_takes_its_child_with_it():
    with subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        child = psutil.Process(int(parent.stdout.readline()))
        assert child.is_running(), "it goes on while its parent does"
        parent.kill()
        parent.wait()
        child.wait(timeout=20)
