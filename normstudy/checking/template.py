"""The network to start from, and the notebook for the classroom."""

from pathlib import Path

from normstudy.machine.model_files import ModelError

TEMPLATES = Path(__file__).parent / "templates"


def write(file: Path) -> list[Path]:
    """Write the network to a file and the notebook beside it.

    Raises:
        ModelError: one of them is there already, or the file's name does not end with .py.
    """
    if file.suffix != ".py":
        raise ModelError(f"{file} must end with .py")
    notebook = file.with_suffix(".ipynb")
    if there := [made for made in (file, notebook) if made.exists()]:
        raise ModelError(f"{there[0]} is there already; name another file, or move it away")
    file.write_text((TEMPLATES / "model.py").read_text(encoding="utf-8"), encoding="utf-8")
    text = (TEMPLATES / "model.ipynb").read_text(encoding="utf-8")
    notebook.write_text(text.replace("model.py", file.name), encoding="utf-8")
    return [file, notebook]
