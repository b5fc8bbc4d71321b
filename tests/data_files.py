"""Small data files in the place of MNIST's, whole and damaged."""

import gzip
from collections.abc import Callable
from pathlib import Path

from normstudy.files import FILES

TRAIN_IMAGES, TRAIN_LABELS, TEST_IMAGES, TEST_LABELS = FILES


def idx(shape: tuple[int, ...], values: bytes) -> bytes:
    return bytes([0, 0, 8, len(shape)]) + b"".join(size.to_bytes(4) for size in shape) + values


def write(folder: Path) -> Path:
    """Write a whole, small dataset in the place of MNIST, 20 training and 10 test images; where its files are."""
    raw = folder / "MNIST" / "raw"
    raw.mkdir(parents=True)
    for images, labels, number in ((TRAIN_IMAGES, TRAIN_LABELS, 20), (TEST_IMAGES, TEST_LABELS, 10)):
        pixels = bytes(i % 251 for i in range(number * 28 * 28))
        (raw / images).write_bytes(idx((number, 28, 28), pixels))
        (raw / labels).write_bytes(idx((number,), bytes(i % 10 for i in range(number))))
    return raw


def replace(name: str, content: Callable[[bytes], bytes], rename: str | None = None) -> Callable[[Path], None]:
    def damage(raw: Path) -> None:
        whole = (raw / name).read_bytes()
        (raw / name).unlink()
        (raw / (rename or name)).write_bytes(content(whole))

    return damage


def turn_into_a_folder(raw: Path) -> None:
    (raw / TRAIN_LABELS).unlink()
    (raw / TRAIN_LABELS).mkdir()


PROMISE = idx((2**32 - 1, 28, 28), b"")

DAMAGES: list[tuple[str, Callable[[Path], object], str]] = [
    (TRAIN_IMAGES, lambda raw: (raw / TRAIN_IMAGES).unlink(), "NORMSTUDY_DATA can name another data folder"),
    (TRAIN_LABELS, turn_into_a_folder, "NORMSTUDY_DATA can name another data folder"),
    (TRAIN_IMAGES, replace(TRAIN_IMAGES, lambda whole: whole[:-1]), "is truncated: its header promises 15680 bytes"),
    (TEST_IMAGES, replace(TEST_IMAGES, lambda whole: whole[:10]), "is truncated: it ends within its header"),
    (TEST_LABELS, replace(TEST_LABELS, lambda whole: whole[:-3]), "is truncated: its header promises 10 bytes"),
    (TEST_LABELS, replace(TEST_LABELS, lambda whole: whole + b"\0"), "is too long: its header promises 10 bytes"),
    (TRAIN_IMAGES, replace(TRAIN_IMAGES, lambda whole: b""), "begins with nothing; its magic number must be 00000803"),
    (TRAIN_IMAGES, replace(TRAIN_IMAGES, lambda whole: b"<html>" + whole), "begins with 3c68746d; its magic number"),
    (TRAIN_LABELS, replace(TRAIN_LABELS, lambda whole: idx((20, 28, 28), bytes(15680))), "must be 00000801"),
    (TEST_LABELS, replace(TEST_LABELS, lambda whole: whole[:-1] + b"\x0a"), "has the label 10; labels are 0 to 9"),
    (TRAIN_LABELS, replace(TRAIN_LABELS, lambda whole: idx((3,), b"\1\2\3")), "has 3 labels for the 20 images of"),
    (TRAIN_LABELS, replace(TRAIN_LABELS, lambda whole: idx((30,), bytes(30))), "has 30 labels for the 20 images of"),
    (TEST_IMAGES, replace(TEST_IMAGES, lambda whole: idx((0, 28, 28), b"")), "is empty: its header counts 0 items"),
    (TEST_IMAGES, replace(TEST_IMAGES, lambda whole: PROMISE), "promises 4,294,967,295 items in its header; at most"),
    (
        TEST_IMAGES,
        replace(TEST_IMAGES, lambda whole: gzip.compress(PROMISE), f"{TEST_IMAGES}.gz"),
        "in its header; at most",
    ),
    (TEST_IMAGES, replace(TEST_IMAGES, lambda whole: idx((10, 8, 8), bytes(640))), "has images of 8×8 pixels"),
    (TRAIN_IMAGES, replace(TRAIN_IMAGES, lambda whole: b"garbage", f"{TRAIN_IMAGES}.gz"), "Not a gzipped file"),
    (
        TRAIN_IMAGES,
        replace(TRAIN_IMAGES, lambda whole: gzip.compress(whole)[:-20], f"{TRAIN_IMAGES}.gz"),
        "ended before the end-of-stream marker",
    ),
    (
        TRAIN_IMAGES,
        replace(TRAIN_IMAGES, lambda whole: gzip.compress(whole)[:20] + b"garbage" * 9, f"{TRAIN_IMAGES}.gz"),
        "cannot be read",
    ),
    (
        TEST_LABELS,
        replace(TEST_LABELS, lambda whole: gzip.compress(whole[:-3]), f"{TEST_LABELS}.gz"),
        "is truncated: its header promises 10 bytes",
    ),
]
