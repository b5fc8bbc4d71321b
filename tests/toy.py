"""A toy of the project: all its notebooks, but without torch, so that running them takes two seconds."""

import textwrap
from collections.abc import Mapping
from pathlib import Path

import nbformat
from nbformat.v4 import new_code_cell, new_notebook

from normstudy.experiments.parameters import VARIANTS
from normstudy.pipeline import execution
from normstudy.pipeline.notebooks import NAMES, NOTEBOOKS
from normstudy.pipeline.plan import Run, plan
from normstudy.pipeline.staleness import reasons

READERS = tuple(each.name for each in NOTEBOOKS if each.variants)

VARIANT = """
    import json
    from pathlib import Path
    Path(output, "metrics.csv").write_text(
        f"epoch,test_accuracy,seconds,train_loss,test_loss\\n{epochs},0.9,1,0.1,0.1\\n"
    )
    Path(output, "predictions.csv").write_text("index,label,prediction\\n")
    if globals().get("baseline"):
        Path(output, "beside.csv").write_text(Path(baseline, "metrics.csv").read_text())
    Path(output, "variables.json").write_text(json.dumps({"norm_arg": norm_arg, "epochs": epochs}))
"""
READER = """
    from pathlib import Path
    text = "".join(Path(runs, name, "metrics.csv").read_text() for name in ("batch", "layer", "group"))
    Path(output, "all.csv").write_text(text)
"""


def write_notebook(file: Path, parameters: str, *cells: str) -> None:
    notebook = new_notebook(
        metadata={"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    )
    notebook.cells = [new_code_cell(textwrap.dedent(parameters).strip(), metadata={"tags": ["parameters"]})]
    notebook.cells += [new_code_cell(textwrap.dedent(cell).strip()) for cell in cells]
    nbformat.write(notebook, file)


def write_toy(root: Path) -> None:
    notebooks = root / "report" / "notebooks"
    notebooks.mkdir(parents=True)
    (root / "params").mkdir()
    (root / "_quarto.yml").write_text("project: {type: website}\n")
    parameters = (
        'norm_arg: str = "batch"  # n\ndataset: str = "digits"  # d\ngroups: int = 4  # g\nepochs: int = 2  # e\n'
        'baseline: str = ""  # b\n'
    )
    write_notebook(notebooks / "variant.ipynb", f'{parameters}output: str = ""  # o', VARIANT)
    reader = 'dataset: str = "digits"  # d\nruns: str = ""  # r\noutput: str = ""  # o'
    for name in READERS:
        write_notebook(notebooks / f"{name}.ipynb", reader, READER)
    for name in NAMES:  # the others read what is published
        if name not in (*VARIANTS, *READERS):
            write_notebook(
                notebooks / f"{name}.ipynb", 'results: str = "report/results"  # r\noutput: str = ""  # o', "1"
            )
    (root / "report" / "results").mkdir()
    (root / "report" / "results" / "tuning.csv").write_text("seed\n0\n")
    for name in ("batch", "layer", "group"):
        (root / "params" / f"{name}.yaml").write_text(f"norm_arg: {name}\n")


def run_all(root: Path, *names: str, overrides: Mapping[str, object] | None = None) -> dict[str, str]:
    """Bring the toy up to date, or what is named of it; name → how it ended."""
    runs = [run for run in plan(root, overrides or {}) if not names or run.name in names]
    return {ended.run.name: ended.why or ended.state.value for ended in execution.bring_up_to_date(root, runs)}


def spoil(root: Path, *cells: str, name: str = "variant") -> None:
    """Change a notebook's cells after its parameters."""
    file = root / "report" / "notebooks" / f"{name}.ipynb"
    parameters = nbformat.read(file, 4).cells[0].source
    write_notebook(file, parameters, *cells)


def phrases(run: Run) -> list[str]:
    """Why a result is out of date."""
    return [reason.text for reason in reasons(run)]


def find(root: Path, name: str) -> Run:
    """A run of the toy, with what it was last run with."""
    return next(run for run in plan(root, None) if run.name == name)
