"""The data files: where they lie, whether they are whole, and what identifies their content. Imports no torch."""

import gzip
import hashlib
import io
import math
import os
import tempfile
import zlib
from pathlib import Path
from typing import NamedTuple

FOLDERS = {"mnist": "MNIST", "fashion_mnist": "FashionMNIST", "kmnist": "KMNIST"}
"""The datasets that lie in files, and torchvision's name for each: its class, and its folder."""

DATASETS = (*FOLDERS, "digits")
"""Every dataset; `digits` comes inside scikit-learn and needs no file."""

CLASSES = 10
SIZE = 28
MOST = 1_000_000  # images of a file: a header may promise anything
FILES = ("train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")


class DataError(ValueError):
    """A data file is missing or damaged; the message is one line that names it and says what is wrong."""


class Array(NamedTuple):
    """An array of unsigned bytes, as a file holds it."""

    shape: tuple[int, ...]
    values: bytes


def root() -> Path:
    """The data folder: the environment's NORMSTUDY_DATA, or `data` in the working folder."""
    return Path(os.environ.get("NORMSTUDY_DATA") or "data")


def folder(dataset: str) -> Path:
    """Where the files of `dataset` lie.

    Raises:
        ValueError: there is no such dataset, or it needs no files.
    """
    if dataset not in FOLDERS:
        raise ValueError(f"dataset is {dataset!r}; those that lie in files are {', '.join(FOLDERS)}")
    return root() / FOLDERS[dataset] / "raw"


def find(dataset: str) -> dict[str, Path | None]:
    """Each file of `dataset` and where it is, plain or compressed (.gz); None where it is missing."""
    candidates = {name: [folder(dataset) / name, folder(dataset) / f"{name}.gz"] for name in FILES}
    return {name: next(filter(Path.is_file, paths), None) for name, paths in candidates.items()}


def read(dataset: str) -> dict[str, Array]:
    """The four arrays of `dataset` by the name of their file: images (N, 28, 28) and labels (N,), 0 to 9.

    Raises:
        DataError: a file is missing or damaged.
    """
    found = find(dataset)
    missing = [name for name, path in found.items() if path is None]
    if missing:
        raise DataError(
            f"{dataset}: no {', '.join(missing)} (nor .gz) in {folder(dataset)}; "
            "NORMSTUDY_DATA can name another data folder"
        )
    arrays = {name: _read_array(path, dimensions=3 if "images" in name else 1) for name, path in found.items() if path}
    for images, labels in (FILES[:2], FILES[2:]):
        number, number_of_labels = arrays[images].shape[0], arrays[labels].shape[0]
        if number != number_of_labels:
            raise DataError(f"{found[labels]} has {number_of_labels} labels for the {number} images of {images}")
        largest = max(arrays[labels].values)
        if largest >= CLASSES:
            raise DataError(f"{found[labels]} has the label {largest}; labels are 0 to {CLASSES - 1}")
    return arrays


def check(dataset: str) -> None:
    """Says nothing when the files of `dataset` are there and whole, or when it needs none.

    Raises:
        DataError: a file is missing or damaged.
    """
    if dataset != "digits":
        read(dataset)


def digest(dataset: str) -> str:
    """A fingerprint of the content of `dataset`: two contents that differ have two fingerprints.

    A missing file counts as content of its own, so that the question can be asked before a download.
    """
    if dataset == "digits":
        from importlib.metadata import version  # slower to import than all the rest

        return f"scikit-learn {version('scikit-learn')}"
    fingerprint = hashlib.sha256()
    for name, path in find(dataset).items():
        fingerprint.update(name.encode())
        if path:
            with path.open("rb") as file:
                fingerprint.update(hashlib.file_digest(file, "sha256").digest())
    return fingerprint.hexdigest()


def fetch(dataset: str) -> None:
    """Downloads what is missing of `dataset`, checked against torchvision's checksums; does nothing when all is there.

    The files are downloaded aside and moved into place when they are whole.

    Raises:
        DataError: files are missing and cannot be downloaded.
    """
    if dataset == "digits" or all(find(dataset).values()):
        return
    # Only a download needs torchvision, which takes a second to import.
    import torchvision.datasets

    target = folder(dataset)
    missing = [name for name, path in find(dataset).items() if path is None]
    try:
        target.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=target, prefix=".download-") as aside:
            getattr(torchvision.datasets, FOLDERS[dataset])(aside, download=True)
            for name in missing:
                (Path(aside) / FOLDERS[dataset] / "raw" / name).replace(target / name)
    except (OSError, RuntimeError) as error:
        reason = str(error).strip().splitlines()[-1] if str(error).strip() else type(error).__name__
        raise DataError(
            f"{dataset}: no {', '.join(missing)} in {target}, and the download failed ({reason}); "
            "NORMSTUDY_DATA can name another data folder"
        ) from error


def _read_array(path: Path, dimensions: int) -> Array:
    """The array in an IDX file: a magic number (0, 0, 8 for bytes, dimensions), the shape, and the bytes."""
    try:
        with gzip.GzipFile(path) if path.suffix == ".gz" else path.open("rb") as file:
            return _parse(file, path, dimensions)
    except (OSError, EOFError, zlib.error) as error:
        reason = getattr(error, "strerror", None) or error
        raise DataError(f"{path} cannot be read: {reason}") from error


def _parse(file: gzip.GzipFile | io.BufferedReader, path: Path, dimensions: int) -> Array:
    header = file.read(4 + 4 * dimensions)
    magic = bytes([0, 0, 8, dimensions])
    if header[:4] != magic:
        raise DataError(f"{path} begins with {header[:4].hex() or 'nothing'}; its magic number must be {magic.hex()}")
    shape = tuple(int.from_bytes(header[i : i + 4]) for i in range(4, len(header), 4))
    if len(header) < 4 + 4 * dimensions:
        raise DataError(f"{path} is truncated: it ends within its header")
    if shape[0] == 0:
        raise DataError(f"{path} is empty: its header counts 0 items")
    if shape[0] > MOST:
        raise DataError(f"{path} promises {shape[0]:,} items in its header; at most {MOST:,} are read")
    if shape[1:] not in ((), (SIZE, SIZE)):
        raise DataError(f"{path} has images of {shape[1]}×{shape[2]} pixels; they must be {SIZE}×{SIZE}")
    expected = math.prod(shape)
    values = file.read(expected + 1)
    if len(values) != expected:
        problem = "is truncated" if len(values) < expected else "is too long"
        raise DataError(f"{path} {problem}: its header promises {expected} bytes of data")
    return Array(shape, values)
