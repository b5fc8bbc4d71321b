"""Parameters: their one list, their sources, and one line for whatever cannot be right."""

from pathlib import Path

import pytest

from normstudy.experiments import parameters
from normstudy.experiments.parameters import ParameterError
from tests.wrong_parameters import FILES, MISSPELT, WRONG_VALUES

ROOT = Path(__file__).parents[2]
NOTEBOOK = ROOT / "report" / "notebooks" / "variant.ipynb"
NAMES = tuple(parameters.defaults(NOTEBOOK))


@pytest.mark.parametrize(("name", "value", "right"), WRONG_VALUES)
def test_a_wrong_value_is_named_with_what_would_be_right(name: str, value: object, right: str):
    with pytest.raises(ParameterError) as refusal:
        parameters.check({name: value}, NAMES)
    message = str(refusal.value)
    assert message.startswith(f"{name} is ")
    assert right in message
    assert "\n" not in message


@pytest.mark.parametrize(("name", "right"), MISSPELT)
def test_an_unknown_name_is_refused_with_the_nearest_right_one(name: str, right: str):
    with pytest.raises(ParameterError, match="is not a parameter") as refusal:
        parameters.check({name: 1}, NAMES)
    assert right in str(refusal.value)


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


def test_a_notebook_s_parameters_are_found_among_its_names():
    assert parameters.among({"epochs": "3", "torch": pytest, "seed": 1}) == {"epochs": 3, "seed": 1}


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
