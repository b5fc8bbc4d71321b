"""What the project promises of its data files: each kind of damage is named in one line."""

import functools
import gzip
import http.server
import math
import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from normstudy import files
from normstudy.files import FILES, DataError
from tests.data_files import DAMAGES, TEST_IMAGES, TEST_LABELS, TRAIN_IMAGES, TRAIN_LABELS, idx


def test_whole_files_are_read_as_they_were_written(raw: Path) -> None:
    arrays = files.read("mnist")
    assert [arrays[name].shape for name in FILES] == [(20, 28, 28), (20,), (10, 28, 28), (10,)]
    assert arrays[TEST_LABELS].values == bytes(range(10))
    assert arrays[TRAIN_IMAGES].values == (raw / TRAIN_IMAGES).read_bytes()[16:]
    files.check("mnist")


def test_compressed_files_are_read_as_well(raw: Path) -> None:
    before = files.read("mnist")
    for name in FILES:
        (raw / f"{name}.gz").write_bytes(gzip.compress((raw / name).read_bytes()))
        (raw / name).unlink()
    assert files.read("mnist") == before


@pytest.mark.parametrize(("name", "damage", "message"), DAMAGES, ids=[message for _, _, message in DAMAGES])
def test_a_damaged_file_is_named_in_one_line_with_what_is_wrong(
    raw: Path, name: str, damage: Callable[[Path], object], message: str
) -> None:
    damage(raw)
    with pytest.raises(DataError) as error:
        files.check("mnist")
    assert message in str(error.value)
    assert name in str(error.value)
    assert str(raw) in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every file")
def test_a_file_without_permission_is_named(raw: Path) -> None:
    (raw / TRAIN_LABELS).chmod(0)
    with pytest.raises(DataError, match=f"{TRAIN_LABELS} cannot be read: Permission denied"):
        files.check("mnist")


def test_the_fingerprint_follows_the_content_and_nothing_else(raw: Path) -> None:
    before = files.digest("mnist")
    os.utime(raw / TRAIN_IMAGES)
    assert files.digest("mnist") == before
    content = bytearray((raw / TEST_IMAGES).read_bytes())
    content[-1] ^= 1
    (raw / TEST_IMAGES).write_bytes(content)
    changed = files.digest("mnist")
    assert changed != before
    (raw / TEST_IMAGES).unlink()
    assert files.digest("mnist") not in (before, changed)


def test_digits_need_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NORMSTUDY_DATA", str(tmp_path / "absent"))
    files.fetch("digits")
    files.check("digits")
    assert files.digest("digits") == files.digest("digits")


def test_an_unknown_dataset_is_refused_with_those_that_exist() -> None:
    with pytest.raises(
        ValueError, match="dataset is 'minst'; those that lie in files are mnist, fashion_mnist, kmnist"
    ):
        files.check("minst")


@pytest.fixture
def download(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Replaces torchvision's download of FashionMNIST by a small one; holds the folders that it was asked to fill."""
    import torchvision.datasets

    asked: list[Path] = []

    def fake(root: str, download: bool) -> None:
        assert download
        asked.append(Path(root))
        folder = Path(root) / "FashionMNIST" / "raw"
        folder.mkdir(parents=True)
        for name in FILES:
            shape = (10, 28, 28) if "images" in name else (10,)
            size = 10 * 28 * 28 if "images" in name else 10
            (folder / name).write_bytes(idx(shape, bytes(size)))

    monkeypatch.setattr(torchvision.datasets, "FashionMNIST", fake)
    return asked


def test_what_is_missing_is_downloaded_aside_and_moved_into_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, download: list[Path]
) -> None:
    monkeypatch.setenv("NORMSTUDY_DATA", str(tmp_path))
    files.fetch("fashion_mnist")
    files.check("fashion_mnist")
    folder = tmp_path / "FashionMNIST" / "raw"
    assert sorted(path.name for path in folder.iterdir()) == sorted(FILES)
    files.fetch("fashion_mnist")
    assert len(download) == 1


def test_a_download_that_fails_says_which_files_are_missing_and_where(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torchvision.datasets

    def fail(root: str, download: bool) -> None:
        raise RuntimeError("Error downloading:\nTried a mirror, got:\n<urlopen error no network>\n")

    monkeypatch.setattr(torchvision.datasets, "KMNIST", fail)
    monkeypatch.setenv("NORMSTUDY_DATA", str(tmp_path))
    with pytest.raises(DataError) as error:
        files.fetch("kmnist")
    assert str(error.value) == (
        f"kmnist: no {', '.join(FILES)} in {tmp_path / 'KMNIST' / 'raw'}, and the download failed "
        "(<urlopen error no network>); NORMSTUDY_DATA can name another data folder"
    )
    assert not list((tmp_path / "KMNIST" / "raw").iterdir())


@pytest.mark.parametrize("dataset", files.FOLDERS)
def test_a_download_with_another_content_is_refused(
    dataset: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torchvision.datasets

    mirror = tmp_path / "mirror"
    mirror.mkdir()
    for name in FILES:
        shape = (10, 28, 28) if "images" in name else (10,)
        (mirror / f"{name}.gz").write_bytes(gzip.compress(idx(shape, bytes(math.prod(shape)))))
    monkeypatch.setenv("NORMSTUDY_DATA", str(tmp_path / "data"))
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=mirror)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_port}/"
        monkeypatch.setattr(getattr(torchvision.datasets, files.FOLDERS[dataset]), "mirrors", [address])
        with pytest.raises(DataError, match=r"the download failed \(.*corrupted"):
            files.fetch(dataset)
        server.shutdown()
    assert not list(files.folder(dataset).iterdir())


def test_checking_files_imports_no_torch() -> None:
    program = "import sys, normstudy.files; sys.exit(bool({'torch', 'torchvision', 'numpy'} & set(sys.modules)))"
    subprocess.run([sys.executable, "-c", program], check=True)
