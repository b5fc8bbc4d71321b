"""Runs before Quarto renders: brings the notebooks of the profile's dataset up to date, and its results into place."""

import os
import sys
from pathlib import Path

from normstudy.cli import main
from normstudy.render import CALLER
from normstudy.variants import DATASETS

profiles = [name for name in os.environ.get("QUARTO_PROFILE", "").split(",") if name]
for name in profiles:
    if not Path(f"_quarto-{name}.yml").is_file():  # Quarto itself would go on with the wrong dataset, without a word
        known = ", ".join(sorted(file.stem.removeprefix("_quarto-") for file in Path().glob("_quarto-*.yml")))
        sys.exit(f"there is no profile {name}; there are {known}")
if CALLER in os.environ:
    sys.exit()
datasets = [name for name in profiles if name in DATASETS]
main(["prepare", *(f"--dataset={name}" for name in datasets)])
