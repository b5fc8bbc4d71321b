"""Runs before Quarto renders: brings the notebooks of the profile's dataset up to date, and its results into place."""

import os
import sys
from pathlib import Path

try:
    from normstudy.cli import main
    from normstudy.files import DATASETS
    from normstudy.rendering import leftovers, previews
    from normstudy.rendering.render import CALLER
    from normstudy.rendering.settings import article_of
except ModuleNotFoundError as error:
    sys.exit(f"{error} for {sys.executable}: 'source .venv/bin/activate' comes first, and 'make setup' before that")

profiles = [name for name in os.environ.get("QUARTO_PROFILE", "").split(",") if name]
for name in profiles:
    if not Path(f"_quarto-{name}.yml").is_file():  # Quarto itself would go on with the wrong dataset, without a word
        known = ", ".join(sorted(file.stem.removeprefix("_quarto-") for file in Path().glob("_quarto-*.yml")))
        sys.exit(f"there is no profile {name}; there are {known}")
if CALLER in os.environ:
    previews.restore(Path.cwd(), Path(os.environ["QUARTO_PROJECT_OUTPUT_DIR"]))
    sys.exit()
leftovers.remove_if_aborted(os.getppid(), Path.cwd(), article_of(Path.cwd()))
datasets = [name for name in profiles if name in DATASETS]
main(["prepare", *(f"--dataset={name}" for name in datasets)])
previews.restore(Path.cwd(), Path(os.environ["QUARTO_PROJECT_OUTPUT_DIR"]))
