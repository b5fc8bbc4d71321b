"""Tables that a notebook shows and keeps for a download, and the values that it leaves for the text."""

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from normstudy.display import figures
from normstudy.experiments import places


class Downloads:
    """The folder of what a notebook leaves behind; where its name is empty, nothing is written."""

    def __init__(self, name: str):
        self.path = places.output(name)

    def show(self, name: str, table: pd.DataFrame, digits: int | None = None) -> None:
        """Show a table, as `figures.table` does, and keep it."""
        figures.table(table, digits)
        self.keep(name, table)

    def keep(self, name: str, table: pd.DataFrame) -> None:
        """Write a table in full, as CSV."""
        if self.path:
            table.to_csv(self.path / f"{name}.csv", index=False)

    def copy(self, file: Path) -> None:
        """Keep a file as it is."""
        if self.path:
            shutil.copy(file, self.path)

    def values(self, numbers: Mapping[str, Any], claims: Mapping[str, bool | None], **others: Any) -> None:
        """Leave numbers, as they are printed, claims, of which None is left open, and others for the text."""
        if self.path:
            content = {"numbers": dict(numbers), "claims": dict(claims), **others}
            (self.path / "variables.json").write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")
