"""What the project promises of a run's settings: those of the parameters; a divergence names the culprits."""

import dataclasses

import pytest

from normstudy.training import Diverged, EpochMetrics, Settings
from tests.trainings import DEFAULTS, settings


def test_the_settings_are_those_of_the_parameters_and_everything_else_is_left_out() -> None:
    chosen = Settings.of(DEFAULTS | {"l1": 0.25, "seed": 7, "norm_arg": "group", "of no": "interest"})
    assert dataclasses.asdict(chosen) == {
        name: value
        for name, value in (DEFAULTS | {"l1": 0.25, "seed": 7}).items()
        if name in {field.name for field in dataclasses.fields(Settings)}
    }


@pytest.mark.parametrize("field", [field.name for field in dataclasses.fields(Settings)])
def test_a_setting_has_no_default_beside_the_notebooks(field: str) -> None:
    with pytest.raises(KeyError, match=field):
        Settings.of({name: value for name, value in DEFAULTS.items() if name != field})


def test_a_divergence_says_in_one_line_when_it_was_and_what_is_probably_too_high() -> None:
    history = [EpochMetrics(1, 0.1, 1.0, 0.0, 0.5, 1.0, 0.5, 2.0)]
    diverged = Diverged(2, 31, settings(learning_rate=9.0, l1=0.5, l2=0.25), history)
    assert str(diverged) == (
        "the loss is not finite in epoch 2, batch 31: too high is probably learning_rate (9.0), l1 (0.5) or l2 (0.25)"
    )
    assert (diverged.epoch, diverged.batch, diverged.history) == (2, 31, history)
