"""Runs after Quarto has rendered: makes the pages whole when they are opened from disk, without a network."""

import os
from pathlib import Path

from normstudy.pages import make_whole

make_whole(Path(os.environ.get("QUARTO_PROJECT_OUTPUT_DIR", "_report")))
