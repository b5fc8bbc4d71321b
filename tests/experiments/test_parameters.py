"""Parameters: their one list, their sources, and one line for whatever cannot be right."""

from pathlib import Path

import pytest

from normstudy.experiments import parameters
from normstudy.experiments.parameters import ParameterError

ROOT = Path(__file__).parents[2]
NOTEBOOK = ROOT / "report" / "notebooks" / "variant.ipynb"
NAMES = tuple(parameters.defaults(NOTEBOOK))

COUNTS = ("groups", "epochs", "batch_size", "seed", "threads")
AMOUNTS = ("learning_rate", "l1", "l2", "rotation", "shift", "scale")
NO_NUMBER = ("", "three", "1,5", None, True, [2], {}, float("nan"), "nan", float("inf"), "-inf")

WRONG_VALUES = [
    *[("norm_arg", value, "'batch', 'layer'") for value in ("batchh", "", "Batch", 1, None, "<b>", float("nan"))],
    *[("dataset", value, "'mnist'") for value in ("minst", "", 3, None, "../mnist", float("inf"))],
    *[("device", value, "'auto'") for value in ("gpu", "", "cuda:7", 0, None, float("nan"))],
    *[(name, value, "it must be") for name in COUNTS for value in (*NO_NUMBER, 2.5, "2.5", "1e3x")],
    *[(name, value, "it must be") for name in AMOUNTS for value in NO_NUMBER],
    *[("groups", value, "greater than or equal to 1") for value in (0, -4, "-1")],
    *[("epochs", value, "than or equal to") for value in (0, -1, "0", 10**9)],
    *[("batch_size", value, "than or equal to") for value in (0, 1, -128, 10**9)],
    *[("learning_rate", value, "than") for value in (0, -0.1, 1e9)],
    *[("l1", value, "than or equal to") for value in (-1, "-0.001", 11)],
    *[("l2", value, "than or equal to") for value in (-1e-9, "1e3")],
    *[("rotation", value, "than or equal to") for value in (-1, 181)],
    *[("shift", value, "than or equal to") for value in (-1, 15)],
    *[("scale", value, "than") for value in (-0.1, 1, 1.5)],
    *[("seed", value, "than") for value in (-1, 2**40)],
    *[("threads", value, "than or equal to") for value in (0, -2, 10**6)],
    *[("epochs", value, "it must be a plain decimal number") for value in ("010", "0x10", "0o10", "1_000", "1:30")],
    *[("l1", value, "it must be a plain decimal number") for value in ("00.1", "1_0.5", "0x1p-3", "1:30.5", " 0.1")],
]


@pytest.mark.parametrize(("name", "value", "right"), WRONG_VALUES)
def test_a_wrong_value_is_named_with_what_would_be_right(name: str, value: object, right: str):
    with pytest.raises(ParameterError) as refusal:
        parameters.check({name: value}, NAMES)
    message = str(refusal.value)
    assert message.startswith(f"{name} is ")
    assert right in message
    assert "\n" not in message


MISSPELT = [
    *[(f"{name}{ending}", f"did you mean {name}?") for name in ("epochs", "norm_arg", "batch_size") for ending in "sx"],
    ("epoch", "did you mean epochs?"),
    ("learningrate", "did you mean learning_rate?"),
    ("normarg", "did you mean norm_arg?"),
    ("Dataset", "did you mean dataset?"),
    ("batch-size", "did you mean batch_size?"),
    *[(name, "there are norm_arg, dataset") for name in ("lr", "", "__class__")],
]


@pytest.mark.parametrize(("name", "right"), MISSPELT)
def test_an_unknown_name_is_refused_with_the_nearest_right_one(name: str, right: str):
    with pytest.raises(ParameterError, match="is not a parameter") as refusal:
        parameters.check({name: 1}, NAMES)
    assert right in str(refusal.value)


GROWING = "a0: &a0 [1, 1]\n" + "".join(f"a{n}: &a{n} [{', '.join(9 * [f'*a{n - 1}'])}]\n" for n in range(1, 30))

FILES = {
    "nothing": ("", "holds nothing"),
    "a list": ("- batch\n- layer\n", "holds a list"),
    "a word": ("batch", "holds a word"),
    "not YAML": ("norm_arg: [batch", "is not a YAML file"),
    "a tab": ("norm_arg:\tbatch\n\t- x", "is not a YAML file"),
    "a Python object": ("l1: !!python/object/apply:os.system ['touch hacked']", "holds a tag"),
    "a Python name": ("l1: !!python/name:os.system", "holds a tag"),
    "a mapping in a mapping": ("l1: {value: 0.1}", "l1 holds a mapping"),
    "a list in a mapping": ("seed: [1, 2]", "seed holds a list"),
    "no value": ("l1:", "l1 is empty; it must be a plain decimal number"),
    "a number as name": ("1: batch", "1 is not a parameter"),
    "a list as name": ("[norm_arg]: batch", "is not a YAML file"),
    "a name twice": ("norm_arg: batch\nl1: 0.1\nnorm_arg: layer", "norm_arg is there again in line 3"),
    "a name twice on a line": ("{l1: 0.1, l1: 0.1}", "l1 is there again in line 1"),
    "an octal number": ("epochs: 010", "epochs is 010; it must be a plain decimal number"),
    "a hexadecimal number": ("epochs: 0x10", "epochs is 0x10; it must be a plain decimal number"),
    "a number with underscores": ("epochs: 1_000", "epochs is 1_000; it must be a plain decimal number"),
    "a time of day": ("epochs: 1:30", "epochs is 1:30; it must be a plain decimal number"),
    **{
        f"the word {word}": (f"norm_arg: {word}", f"norm_arg is {word}; it must be 'batch', 'layer', 'group'")
        for word in ("no", "off", "yes", "on", "true", "null", "~", "2024-01-01", ".nan")
    },
    "a date": ("l1: 2024-01-01", "l1 is 2024-01-01; it must be a plain decimal number"),
    "deep nesting": ("[" * 5000, "is not a YAML file"),
    "an unknown name": ("epoch: 3", "did you mean epochs?"),
    "a wrong value": ("epochs: 0", "epochs is 0"),
    "too much": ("# " + "x" * 200_000, "at most 100,000"),
    "an alias": ("l1: &amount 0.1\nl2: *amount", "holds an alias"),
    "lists that grow": (GROWING, "holds an alias"),
}


@pytest.mark.parametrize(("content", "right"), FILES.values(), ids=FILES)
def test_a_wrong_file_is_named_with_what_is_wrong(
    content: str, right: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "batch.yaml"
    file.write_text(content)
    with pytest.raises(ParameterError) as refusal:
        parameters.parameters(NOTEBOOK, [file], {})
    message = str(refusal.value)
    assert message.startswith(str(file))
    assert right in message
    assert "\n" not in message
    assert not (tmp_path / "hacked").exists()


@pytest.mark.parametrize("content", [b"\xff\xfe\x00", b"norm_arg: \x80"])
def test_a_file_that_is_not_text_is_refused(content: bytes, tmp_path: Path):
    (tmp_path / "x.yaml").write_bytes(content)
    with pytest.raises(ParameterError, match="is not a YAML file"):
        parameters.read(tmp_path / "x.yaml")


def test_a_missing_file_is_named(tmp_path: Path):
    with pytest.raises(ParameterError, match=r"none\.yaml cannot be read: No such file"):
        parameters.read(tmp_path / "none.yaml")


def test_a_ghost_batch_must_divide_the_batch():
    with pytest.raises(ParameterError) as error:
        parameters.check({"batch_size": 128, "ghost_batch_size": 3})
    assert str(error.value) == "ghost_batch_size is 3; it must divide batch_size, which is 128"
    assert parameters.check({"batch_size": 128, "ghost_batch_size": 64})
    assert parameters.check({"batch_size": 128, "ghost_batch_size": 0})


def test_later_sources_override_earlier_ones(tmp_path: Path):
    for name, content in (("digits", "epochs: 7\nseed: 1"), ("batch", "seed: 2\nl1: 0.5")):
        (tmp_path / f"{name}.yaml").write_text(content)
    values = parameters.parameters(NOTEBOOK, [tmp_path / "digits.yaml", tmp_path / "batch.yaml"], {"l1": "1e-3"})
    assert (values["epochs"], values["seed"], values["l1"]) == (7, 2, 0.001)
    assert values["groups"] == parameters.defaults(NOTEBOOK)["groups"]


@pytest.mark.parametrize("text", ["10", "+10", "-0", "0.10", ".5", "5.", "1e-5", "3.0e+1", "0", "0e0"])
def test_plain_decimal_numbers_mean_what_they_say_in_a_file_and_on_a_command_line(text: str, tmp_path: Path):
    (tmp_path / "x.yaml").write_text(f"rotation: {text}")
    assert parameters.check(parameters.read(tmp_path / "x.yaml") | {"scale": "0"}) == {
        "rotation": float(text) or 0,
        "scale": 0,
    }


def test_words_from_a_command_line_become_values_of_the_right_type():
    values = parameters.check({"epochs": "3", "l1": "1e-5", "norm_arg": "group", "seed": 4.0})
    assert values == {"epochs": 3, "l1": 1e-5, "norm_arg": "group", "seed": 4}
    assert [type(value) for value in values.values()] == [int, float, str, int]


@pytest.mark.parametrize("name", [*parameters.VARIANTS, "digits"])
def test_the_projects_own_files_pass_the_check(name: str):
    assert parameters.parameters(NOTEBOOK, [ROOT / "params" / f"{name}.yaml"], {})


def test_the_three_variants_are_those_of_the_study():
    penalties = {
        name: {
            key
            for key, value in parameters.read(ROOT / "params" / f"{name}.yaml").items()
            if key in ("l1", "l2") and value
        }
        for name in parameters.VARIANTS
    }
    assert penalties == {"batch": {"l1", "l2"}, "layer": {"l2"}, "group": {"l1"}}
    assert all(parameters.read(ROOT / "params" / f"{name}.yaml")["norm_arg"] == name for name in parameters.VARIANTS)
