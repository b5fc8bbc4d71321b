"""Runs after Quarto has rendered: puts what it made in the place of the earlier report."""

import os
import sys
from pathlib import Path

try:
    from normstudy.rendering import previews
    from normstudy.rendering.engines import RenderError
    from normstudy.rendering.render import CALLER, finish
except ModuleNotFoundError as error:
    sys.exit(f"{error} for {sys.executable}: 'source .venv/bin/activate' comes first, and 'make setup' before that")

previews.mark(Path.cwd(), Path(os.environ["QUARTO_PROJECT_OUTPUT_DIR"]))
if CALLER not in os.environ:
    try:
        finish(Path.cwd(), Path(os.environ["QUARTO_PROJECT_OUTPUT_DIR"]))
    except RenderError as error:
        sys.exit(str(error))
