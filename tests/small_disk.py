"""Runs a command on a small disk of its own: `python small_disk.py PROJECT DISK FREE AFTER COMMAND…`.

The disk lies in memory and is this process's alone; unshare(1) must have given it the right to mount one. It holds a
copy of PROJECT and has FREE bytes left. What the command leaves is copied to AFTER.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path


def main() -> int:
    """Return the command's exit code."""
    project, disk, free, after, *words = sys.argv[1:]
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64m", "none", disk], check=True)
    shutil.copytree(project, disk, dirs_exist_ok=True)
    filler = Path(disk, "filler")
    with filler.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, shutil.disk_usage(disk).free - int(free))
    code = subprocess.run(words, cwd=disk, check=False).returncode
    filler.unlink()
    shutil.copytree(disk, after)
    return code


if __name__ == "__main__":
    sys.exit(main())
