"""The notebooks of the study: what each is made from, and what it reads. The one table."""

from dataclasses import dataclass
from pathlib import Path

from normstudy.experiments import places
from normstudy.experiments.parameters import VARIANTS

OF_RUNS = "report/notebooks/variant.ipynb"
"""Whose parameters a run has, where no file of `params/` says otherwise."""

OF_VARIANTS = (OF_RUNS, *(f"params/{name}.yaml" for name in VARIANTS))
"""What says how the study's variants are trained."""


@dataclass(frozen=True)
class Notebook:
    """A notebook of the report.

    Attributes:
        name: of the executed notebook, and of the folder of its result.
        source: the name of its source in `report/notebooks`.
        variants: whether it reads the results of the variants.
        sweep: the name of the sweep whose results it reads, that of `params/<sweep>.yaml`; empty where it reads none.
        files: other files of the project that it reads.
    """

    name: str
    source: str
    variants: bool = False
    sweep: str = ""
    files: tuple[str, ...] = ()

    def reads(self, root: Path, dataset: str) -> list[Path]:
        """The files that it reads, the results of the variants aside."""
        if not self.sweep:
            return [root / name for name in self.files]
        asked = [f"params/{name}.yaml" for name in (self.sweep, dataset, "digits")]  # those of digits stand in
        names = dict.fromkeys([*asked, OF_RUNS, *self.files])
        return [root / name for name in names] + places.sweep_tables(root, self.sweep, dataset)


NOTEBOOKS = (
    *(Notebook(name, "variant") for name in VARIANTS),
    Notebook("glance", "glance", sweep="depth"),
    Notebook("statistics", "statistics", variants=True),
    Notebook("interactive", "interactive", variants=True, files=(*OF_VARIANTS, "params/digits.yaml")),
    Notebook("comparison", "comparison", variants=True),
    Notebook("seeds", "seeds", sweep="seeds", files=OF_VARIANTS),
    Notebook("depth", "depth", sweep="depth"),
    Notebook("budget", "budget", sweep="budget"),
    Notebook("factorial", "factorial", sweep="factorial", files=OF_VARIANTS),
    Notebook("ghost-batch", "ghost-batch", sweep="ghost-batch", files=("report/results/wu-he-2018.csv",)),
    Notebook("learning-rate", "learning-rate", sweep="learning-rate"),
    Notebook("inside", "inside", sweep="inside"),
    Notebook("check", "check"),
    Notebook("tuning", "tuning", files=("report/results/tuning.csv", *OF_VARIANTS)),
)
NAMES = tuple(notebook.name for notebook in NOTEBOOKS)
