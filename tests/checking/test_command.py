"""The command `normstudy check`: exit codes, one line an error, several files, tables for people and programs."""

import json
from pathlib import Path

import pytest

from normstudy import training
from normstudy.checking import process, template
from normstudy.checking.examination import examine
from normstudy.machine import model_files
from normstudy.machine.model_files import ModelError
from tests.commands import ROOT, command

MODELS = Path(__file__).parent / "models"

UNUSABLE = {
    "an import error": ("from torch import nothing_like_it", "raises ImportError: cannot import name"),
    "a missing package": ("import not_installed_here", "needs the package not_installed_here"),
    "no Python": ("class Net(:", "is not Python: invalid syntax (line 1)"),
    "no text": ("\0", "is not Python: source code string cannot contain null bytes"),
    "another name": ("class Part: pass\nclass Whole: pass", "it has Part, Whole: name one as model.py:Whole"),
    "other arguments": ("def Net(norm_arg, hidden, depth): pass", "Net needs hidden, depth too"),
    "no argument": ("def Net(): pass", "Net takes no argument; it must be Net(norm_arg)"),
    "no network": ("def Net(norm_arg): return 3", "Net('batch') is a int; it must be a torch.nn.Module"),
    "an argument refused": ("def Net(norm_arg): raise KeyError(norm_arg)", "Net('batch') raises KeyError: 'batch'"),
    "an exit": ("raise SystemExit('enough')", "raises SystemExit: enough"),
}


@pytest.mark.parametrize(("text", "why"), UNUSABLE.values(), ids=UNUSABLE)
def test_what_cannot_be_used_is_said_in_one_line(text: str, why: str, tmp_path: Path):
    (tmp_path / "model.py").write_text(text)
    with pytest.raises(ModelError) as error:
        examine(model_files.load(str(tmp_path / "model.py")))
    assert why in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("text", "why"),
    [("while True: pass", "was given up after 2 s"), ("import os\nos._exit(3)", "ended its process with exit code 3")],
)
def test_a_file_cannot_hold_up_or_end_the_command(text: str, why: str, tmp_path: Path):
    (tmp_path / "model.py").write_text(text)
    with pytest.raises(ModelError, match=why):
        process.examined(str(tmp_path / "model.py"), 2 if "while" in text else 60)


def test_a_file_that_cannot_be_checked_is_one_line_and_exit_code_2(tmp_path: Path):
    checked = command(tmp_path, "normstudy", "check", "model.py")
    assert checked.returncode == 2
    assert checked.stdout == ""
    assert checked.stderr == "normstudy: model.py is not a file; a model is given as path/to/model.py:Net\n"


def test_a_traceback_is_there_for_those_who_ask(tmp_path: Path):
    (tmp_path / "model.py").write_text("def Net(norm_arg):\n    return {}[norm_arg]\n")
    checked = command(tmp_path, "normstudy", "check", "--traceback", "model.py")
    assert checked.returncode == 2
    assert checked.stdout == ""
    assert 'model.py", line 2, in Net' in checked.stderr


BACKWARD = """
import torch
from torch import nn

class NoWayBack(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        return x.clone()

    @staticmethod
    def backward(ctx, gradient):
        raise RuntimeError("no way\\nback")

class Net(nn.Sequential):
    def __init__(self, norm_arg):
        super().__init__(nn.Conv2d(1, 8, 3, 2), nn.BatchNorm2d(8), nn.Flatten(), nn.Linear(8 * 169, 10))
        self.norm_arg = norm_arg

    def forward(self, x):
        x = super().forward(x)
        return NoWayBack.apply(x) if self.norm_arg == "layer" else x
"""


def test_what_fails_in_one_variant_and_on_the_way_back_alone_is_said_before_any_training(tmp_path: Path):
    (tmp_path / "model.py").write_text(BACKWARD)
    runs = [training.network.NETWORK | {"norm_arg": norm_arg, "seed": 0} for norm_arg in ("batch", "layer")]
    process.tried(str(tmp_path / "model.py"), runs[:1])
    with pytest.raises(ModelError, match=r"model.py with norm_arg layer raises RuntimeError: no way back$"):
        process.tried(str(tmp_path / "model.py"), runs)


def test_a_network_that_normalizes_nothing_is_refused_unless_it_is_to(tmp_path: Path):
    file, _ = template.write(tmp_path / "model.py")
    runs = [training.network.NETWORK | {"norm_arg": norm_arg, "seed": 0} for norm_arg in ("none", "layer")]
    process.tried(str(file), runs[:1])
    with pytest.raises(ModelError, match="with norm_arg layer normalizes nothing behind a layer with weights"):
        process.tried(str(file), runs)


def test_the_traceback_of_a_network_that_cannot_be_run_is_there_too(tmp_path: Path):
    (tmp_path / "model.py").write_text(BACKWARD)
    checked = command(tmp_path, "normstudy", "check", "--traceback", "--json", "model.py")
    assert checked.returncode == 1
    assert json.loads(checked.stdout)[0]["variants"]["layer"]["broken"] == "raises RuntimeError: no way back"
    assert 'model.py", line 12, in backward' in checked.stderr


def test_where_a_page_cannot_be_written_nothing_is_checked(tmp_path: Path):
    (tmp_path / "model.py").write_text("print('run')")
    checked = command(tmp_path, "normstudy", "check", "model.py", "--html", "nowhere/all.html")
    assert checked.returncode == 2
    assert checked.stderr == "normstudy: nowhere is not a folder; the page of --html goes into one that is there\n"


def test_the_project_s_own_network_is_right():
    checked = command(ROOT, "normstudy", "check")
    assert checked.returncode == 0, checked.stderr
    for line in ("batch: right, 7,978 parameters", "running statistics: a batch adds the unbiased variance"):
        assert line in checked.stdout
    assert "group with 4 groups" in checked.stdout


def test_a_class_s_files_have_a_line_each_and_a_summary(tmp_path: Path):
    page = tmp_path / "checked.html"
    names = ("right_wrapper.py:Wrapper", "wrong_in_one_place.py", "wrong.py")
    checked = command(MODELS, "normstudy", "check", *names, "--html", str(page))
    assert checked.returncode == 2
    wrapper, wrong, missing, summary = checked.stdout.splitlines()
    assert wrapper == "right_wrapper.py:Wrapper: right"
    expected = "expected group: each image shares within each group of channels; found layer"
    assert wrong == f"wrong_in_one_place.py: wrong: group: norm2: {expected}"
    assert "wrong.py is not a file" in missing
    assert summary == "3 files: 1 right, 1 wrong, 1 not checked"
    written = page.read_text()
    assert all(name in written for name in names)
    assert written.count('<table class="sheet"') == 9 + 9
    assert summary in written
    assert '<a href="#file-2">wrong_in_one_place.py: wrong: group: norm2' in written
    assert '<h2 id="file-2">wrong_in_one_place.py</h2>' in written


def test_a_program_reads_what_was_found():
    checked = command(MODELS, "normstudy", "check", "wrong_layer_is_batch.py", "--json")
    assert checked.returncode == 1
    (one,) = json.loads(checked.stdout)
    assert one["variants"]["batch"]["right"]
    fault = one["variants"]["layer"]["faults"][0]
    assert fault == {"layer": "norm1", "expected": "layer: each image shares over all channels", "found": "batch"}
    sheet = one["variants"]["group"]["layers"][0]["sheet"]
    assert sheet[0] == [0, 0, 1, 1, 2, 2, 3, 3]
    assert sheet[1] == [4, 4, 5, 5, 6, 6, 7, 7]
