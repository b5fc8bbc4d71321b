"""A file with a network of somebody's own: what it may look like, and what is said of one that cannot be used.

What is said where a file cannot be examined is in `checking.test_command`; which parameters a run's network takes, and
which file lies in the project, in `pipeline.test_another_model`.
"""

import pickle
import sys
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import example, given
from hypothesis import strategies as st
from torch import nn

from normstudy.machine import model_files
from normstudy.machine.model_files import ModelError

NAMES = st.from_regex(r"[^\W\d]\w{0,9}", fullmatch=True).filter(str.isidentifier)
FILES = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1)


def write(folder: Path, text: str, name: str = "model.py") -> str:
    """Write a model file; its path."""
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(text, encoding="utf-8")
    return str(folder / name)


@pytest.fixture
def forgotten(tmp_path: Path) -> Iterator[None]:
    """Modules of a test's own folder are forgotten after it."""
    yield
    for name, module in list(sys.modules.items()):
        if str(getattr(module, "__file__", "")).startswith(str(tmp_path)):
            del sys.modules[name]


class TestReference:
    @given(FILES, NAMES)
    @example("C:\\models\\model.py", "Mine")
    def test_what_follows_the_last_colon_is_the_name(self, file: str, name: str):
        assert model_files.split(f"{file}:{name}") == (Path(file), name)

    @pytest.mark.parametrize("file", ["model.py", "C:\\models\\model.py", "on:this/model.py", "model.py:", "a:b c", ""])
    def test_where_no_name_follows_it_is_net(self, file: str):
        assert model_files.split(file) == (Path(file), "Net")

    def test_it_is_the_same_from_anywhere_once_it_is_absolute(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
        file = write(tmp_path / "models", "")
        (tmp_path / "link.py").symlink_to(file)
        monkeypatch.chdir(tmp_path)
        for reference in ("models/model.py:Mine", "models/../models/model.py:Mine", "link.py:Mine", f"{file}:Mine"):
            assert model_files.absolute(reference) == f"{Path(file).resolve()}:Mine"
        assert model_files.absolute("link.py") == f"{Path(file).resolve()}:Net"

    def test_a_folder_is_no_file(self, tmp_path: Path):
        for use in (model_files.absolute, model_files.load, lambda reference: model_files.within(tmp_path, reference)):
            with pytest.raises(ModelError) as error:
                use(f"{tmp_path}:Mine")
            assert str(error.value) == f"{tmp_path} is not a file; a model is given as path/to/model.py:Net"

    def test_a_file_in_a_folder_goes_by_its_place_there_and_another_by_its_whole_path(self, tmp_path: Path):
        file = write(tmp_path / "models", "")
        assert model_files.within(tmp_path.resolve(), f"{file}:Mine") == "models/model.py:Mine"
        elsewhere = tmp_path.resolve() / "elsewhere"
        assert model_files.within(elsewhere, file) == f"{Path(file).resolve()}:Net"


def test_a_file_is_known_by_its_content_alone(tmp_path: Path):
    one, same, other = (
        write(tmp_path, text, f"{number}.py") for number, text in enumerate(["x = 1", "x = 1", "x = 2"])
    )
    assert model_files.digest(one) == model_files.digest(same) == model_files.digest(f"{one}:Mine")
    assert model_files.digest(one) != model_files.digest(other)
    assert model_files.digest(str(tmp_path / "nowhere.py")) == "missing"


class TestLoad:
    def test_a_class_or_a_function_is_found_by_its_name(self, tmp_path: Path):
        file = write(tmp_path, "class Net: pass\ndef mine(norm_arg): return norm_arg + '!'\n")
        assert model_files.load(file).__name__ == "Net"
        assert model_files.load(f"{file}:mine")("batch") == "batch!"

    def test_the_file_is_run_each_time_as_it_is_now(self, tmp_path: Path):
        for said in ("first", "second"):
            file = write(tmp_path, f"def Net(norm_arg): return {said!r}\n")
            assert model_files.load(file)("batch") == said

    def test_its_classes_can_be_stored_since_their_module_is_known(self, tmp_path: Path):
        made = model_files.load(write(tmp_path, "class Net: pass\n"))()
        assert type(pickle.loads(pickle.dumps(made))) is type(made)

    @pytest.mark.usefixtures("forgotten")
    @pytest.mark.parametrize("name", ["beside", "this"], ids=["its own", "one that Python has too"])
    def test_modules_beside_it_can_be_imported_by_it(self, tmp_path: Path, name: str):
        write(tmp_path, "CONTENT = 'what is beside'\n", f"{name}.py")
        file = write(tmp_path, f"from {name} import CONTENT\ndef Net(norm_arg): return CONTENT\n")
        assert model_files.load(file)("batch") == "what is beside"

    @pytest.mark.parametrize("text", ["class Net: pass", "raise KeyError", "x ="])
    def test_others_look_for_modules_where_they_did_before(self, tmp_path: Path, text: str):
        path = list(sys.path)
        with suppress(ModelError):
            model_files.load(write(tmp_path, text))
        assert sys.path == path

    def test_another_ending_than_that_of_python_is_refused(self, tmp_path: Path):
        file = write(tmp_path, "class Net: pass\n", "model.txt")
        with pytest.raises(ModelError) as error:
            model_files.load(file)
        assert str(error.value) == f"{file} is not a Python file; its name must end with .py"

    @pytest.mark.parametrize("text", ["", "Net = 3", "from collections import OrderedDict", "def other(): pass"])
    def test_where_the_file_has_no_such_thing_and_no_class_of_its_own_that_is_said(self, tmp_path: Path, text: str):
        file = write(tmp_path, text)
        with pytest.raises(ModelError) as error:
            model_files.load(file)
        assert str(error.value) == f"{file} has no Net that can be called; it has no class"

    @pytest.mark.parametrize(("raises", "kind"), [("{}['key']", KeyError), ("raise SystemExit(3)", SystemExit)])
    def test_what_the_file_raises_is_the_cause(self, tmp_path: Path, raises: str, kind: type[BaseException]):
        with pytest.raises(ModelError) as error:
            model_files.load(write(tmp_path, raises))
        assert isinstance(error.value.__cause__, kind)

    def test_control_c_is_no_fault_of_the_file(self, tmp_path: Path):
        path = list(sys.path)
        with pytest.raises(KeyboardInterrupt):
            model_files.load(write(tmp_path, "raise KeyboardInterrupt"))
        assert sys.path == path


class Made:
    """What is taken for a network, which keeps what it was made with."""

    def __init__(self, **arguments: Any):
        self.arguments = arguments

    def named_parameters(self) -> None: ...


OTHERS = {"groups": 2, "depth": 8}


class TestConstruct:
    def test_the_normalization_goes_to_the_argument_of_that_name_or_else_to_the_first(self):
        def named(groups, norm_arg):
            return Made(groups=groups, norm_arg=norm_arg)

        def unnamed(kind, depth):
            return Made(kind=kind, depth=depth)

        assert model_files.construct(named, "layer", OTHERS).arguments == {"norm_arg": "layer", "groups": 2}
        assert model_files.construct(unnamed, "layer", OTHERS).arguments == {"kind": "layer", "depth": 8}

    def test_the_first_argument_is_the_normalization_s_even_if_it_has_another_s_name(self):
        def taking(depth, groups):
            return Made(depth=depth, groups=groups)

        assert model_files.construct(taking, "layer", OTHERS).arguments == {"depth": "layer", "groups": 2}

    def test_only_what_has_a_name_there_is_given(self):
        def taking(norm_arg, *places, depth=0, width=3, **more):
            return Made(depth=depth, width=width, places=places, more=more)

        given = model_files.construct(taking, "layer", OTHERS).arguments
        assert given == {"depth": 8, "width": 3, "places": (), "more": {}}

    def test_what_is_called_need_have_no_name(self):
        def taking(width, norm_arg):
            return Made(width=width, norm_arg=norm_arg)

        given = model_files.construct(partial(taking, 3), "layer", {}).arguments
        assert given == {"width": 3, "norm_arg": "layer"}
        with pytest.raises(ModelError, match=r"^functools.partial\(.* needs width too"):
            model_files.construct(partial(taking, norm_arg="batch"), "layer", {})

    @pytest.mark.parametrize(
        ("make", "message"),
        [
            (lambda: Made(), "<lambda> takes no argument; it must be <lambda>(norm_arg)"),
            (lambda *places, **more: Made(), "<lambda> takes no argument; it must be <lambda>(norm_arg)"),
            (
                lambda norm_arg, width, groups, *, kind: Made(),
                "<lambda> needs width, kind too; it must be callable as <lambda>(norm_arg)",
            ),
            (lambda which, width: Made(), "<lambda> needs width too; it must be callable as <lambda>(which)"),
            (lambda norm_arg: [], "<lambda>('layer') is a list; it must be a torch.nn.Module"),
            (lambda norm_arg: 1 / 0, "<lambda>('layer') raises ZeroDivisionError: division by zero"),
        ],
    )
    def test_what_makes_no_network_is_said_in_one_line(self, make: Any, message: str):
        with pytest.raises(ModelError) as error:
            model_files.construct(make, "layer", OTHERS)
        assert str(error.value) == message

    def test_what_it_raises_is_the_cause(self):
        with pytest.raises(ModelError) as error:
            model_files.construct(lambda norm_arg: 1 / 0, "layer", {})
        assert isinstance(error.value.__cause__, ZeroDivisionError)

    def test_what_does_not_say_which_arguments_it_takes_is_refused(self):
        class Secret:
            __signature__ = 3

        with pytest.raises(ModelError) as error:
            model_files.construct(Secret, "layer", {})
        assert str(error.value) == "Secret does not say which arguments it takes"


NETWORK = """
import torch
from torch import nn

class Plain(nn.Module):
    def __init__(self, kind, groups=4):
        super().__init__()
        self.made_with = kind, groups

    def forward(self, x):
        raise AssertionError("nothing is lazy here")

class Lazy(nn.Sequential):
    def __init__(self, norm_arg):
        layers = nn.LazyConv2d(4, 3), nn.LazyBatchNorm2d(), nn.Flatten(), nn.LazyLinear(10)
        super().__init__(*layers)
        self.train(norm_arg == "batch")
"""
DEFAULTS = {"norm_arg": "batch", "groups": 4, "depth": 0}


class TestNetwork:
    def test_it_is_made_of_the_parameters_of_a_network_alone(self, tmp_path: Path):
        file = write(tmp_path, NETWORK)
        parameters = {"norm_arg": "group", "groups": 2, "depth": 0, "kind": "another", "epochs": 5}
        assert model_files.network(f"{file}:Plain", parameters, DEFAULTS).made_with == ("group", 2)
        assert model_files.network(f"{file}:Plain", {"norm_arg": "group"}, DEFAULTS).made_with == ("group", 4)

    def test_a_value_that_it_could_not_follow_is_refused(self, tmp_path: Path):
        reference = f"{write(tmp_path, NETWORK)}:Plain"
        with pytest.raises(ModelError) as error:
            model_files.network(reference, {"norm_arg": "layer", "groups": 2, "depth": 3}, DEFAULTS)
        assert str(error.value) == f"{reference} takes no depth, which is 3; without it, it must be 0"

    @pytest.mark.parametrize(("norm_arg", "training"), [("batch", True), ("layer", False)])
    def test_lazy_layers_have_their_parameters_and_have_learned_nothing(
        self, tmp_path: Path, norm_arg: str, training: bool
    ):
        net = model_files.network(f"{write(tmp_path, NETWORK)}:Lazy", {"norm_arg": norm_arg}, DEFAULTS)
        assert [tuple(parameter.shape) for parameter in net.parameters()] == [
            (4, 1, 3, 3), (4,), (4,), (4,), (10, 4 * 26 * 26), (10,)
        ]  # fmt: skip
        assert net.training is training
        assert torch.equal(net[1].running_mean, torch.zeros(4))
        assert torch.equal(net[1].running_var, torch.ones(4))
        assert net[1].num_batches_tracked == 0
        assert all(parameter.grad is None for parameter in net.parameters())


def test_lazy_layers_see_two_images_once_in_evaluation_and_without_gradients():
    class Watching(nn.Module):
        def forward(self, x):
            seen.append((tuple(x.shape), self.training, torch.is_grad_enabled()))
            return x

    seen: list[tuple[Any, ...]] = []
    net = nn.Sequential(Watching(), nn.Flatten(), nn.LazyLinear(10))
    assert model_files.with_all_parameters(net) is net
    assert seen == [((2, 1, 28, 28), False, False)]
    assert model_files.with_all_parameters(net) is net
    assert len(seen) == 1, "nothing is lazy any more"


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (ValueError("two\n  lines\t and more"), "raises ValueError: two lines and more"),
        (ValueError(), "raises ValueError"),
        (ValueError("\n"), "raises ValueError"),
        (ValueError("x" * 301), f"raises ValueError: {'x' * 300}"),
        (SyntaxError("nothing more"), "is not Python: nothing more"),
        (SyntaxError("here", ("model.py", 7, 1, "x =")), "is not Python: here (line 7)"),
        (ModuleNotFoundError("No module named 'x.y'", name="x.y"), "needs the package x.y, which is not installed"),
    ],
)
def test_what_an_exception_says_is_one_line(error: BaseException, said: str):
    assert model_files.raised(error) == said
