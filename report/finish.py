"""Runs after Quarto has rendered: makes its pages whole when they are opened from disk, and puts them in place."""

import os
import shutil
import sys
from pathlib import Path

from normstudy.pages import make_whole
from normstudy.render import CALLER, in_place_of_earlier

made = Path(os.environ["QUARTO_PROJECT_OUTPUT_DIR"])
make_whole(made)
if CALLER not in os.environ:
    try:
        with in_place_of_earlier(Path.cwd()) as report:
            shutil.copytree(made, report)
    except (ValueError, OSError) as error:
        sys.exit(f"the report stays in {made}: {error}")
