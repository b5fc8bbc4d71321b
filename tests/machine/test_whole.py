"""A file is whole at any moment, whatever stops its writing."""

import os
from pathlib import Path

import pytest

from normstudy.machine import whole


def test_the_new_content_takes_the_place_of_the_old(tmp_path: Path):
    file = tmp_path / "new folder" / "in it" / "file"
    whole.write(file, b"old")
    whole.write(file, b"new")
    assert file.read_bytes() == b"new"
    assert list(file.parent.iterdir()) == [file]


@pytest.mark.parametrize("step", ["write_bytes", "replace"])
def test_what_was_there_stays_where_writing_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str):
    def fail(*_: object) -> None:
        raise OSError(28, os.strerror(28))

    file = tmp_path / "file"
    whole.write(file, b"old")
    with monkeypatch.context() as broken:
        broken.setattr(Path, step, fail)
        with pytest.raises(OSError, match="No space left"):
            whole.write(file, b"new")
    assert file.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [file]
