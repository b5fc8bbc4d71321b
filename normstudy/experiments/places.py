"""Where a project's files lie."""

import errno
import os
from pathlib import Path


class StudyError(RuntimeError):
    """The study cannot go on. The message is one line."""


def find_root(start: Path | None = None) -> Path:
    """The project's folder: the nearest one, from `start` upwards, that holds `_quarto.yml` and `report/notebooks`.

    Raises:
        StudyError: there is none.
    """
    start = (start or Path.cwd()).resolve()
    for folder in (start, *start.parents):
        if (folder / "_quarto.yml").is_file() and (folder / "report" / "notebooks").is_dir():
            return folder
    raise StudyError(f"{start} is not in a normstudy project; change to the folder that holds _quarto.yml")


def make_folder(folder: Path) -> None:
    """Make a folder for results unless it is there.

    Raises:
        ValueError: there is a file in its place, or it may not be written to.
        StudyError: it cannot be made for another reason, such as a full disk.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not os.access(folder, os.W_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    except (FileExistsError, NotADirectoryError, PermissionError) as error:
        raise ValueError(f"{folder} must be a folder that can be written: {error.strerror}") from error
    except OSError as error:
        raise StudyError(f"{folder} cannot be written: {error.strerror or error}") from error


def output(name: str) -> Path | None:
    """The folder for what a notebook leaves behind, made unless it is there; none where its name is empty.

    Raises as `make_folder` does.
    """
    if not name:
        return None
    make_folder(Path(name))
    return Path(name)


def sweep_tables(root: Path, name: str, dataset: str) -> list[Path]:
    """Where results of the sweep `name` may lie, the first choice first.

    One's own come before those that are published with the project; where a dataset has none, digits' do.
    """
    folders = [
        root / "report" / place
        for choice in dict.fromkeys((dataset, "digits"))
        for place in (f"executed/{choice}/sweeps", f"results/{choice}")
    ]
    return [folder / f"{name}.parquet" for folder in folders]
