"""What goes on inside: what is said of it follows from the data, and noise is called noise."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from normstudy.analysis import inside as measured
from normstudy.chapters import inside

VARIANTS = {"none": (0.0, 0.0), "batch": (1e-4, 1e-3), "layer": (0.0, 1e-3), "group": (1e-4, 0.0)}
EPOCHS, LAYERS = 4, 3


def rows(
    change: dict[str, float] | None = None,
    growth: dict[str, float] | None = None,
    gamma: dict[str, float] | None = None,
    seeds: int = 5,
) -> pd.DataFrame:
    """Rows of four networks, alike but for noise and what is planted.

    Args:
        change: what is added to the change of the gradient in every epoch.
        growth: by what training multiplies the standard deviation of what goes into the last layer.
        gamma: what training adds to gamma in the second layer.
        seeds: their number.
    """
    generator = np.random.default_rng(0)
    table: list[dict[str, Any]] = []
    for seed in range(seeds):
        for number, (name, (l1, l2)) in enumerate(VARIANTS.items()):
            noise = np.exp(generator.normal(0, 0.02, LAYERS))
            for epoch in range(EPOCHS + 1):
                part = epoch / EPOCHS
                grown = np.array([1, 1, (growth or {}).get(name, 1) ** part]) * noise**part
                gammas = 1 + part * np.array([0.0, (gamma or {}).get(name, 0), 0.0])
                gammas += part * generator.normal(0, 0.01, LAYERS)
                row = {"run": seed * len(VARIANTS) + number, "norm_arg": name, "seed": seed, "epoch": epoch}
                row |= {"l1": l1, "l2": l2, "test_accuracy": 0.9 if epoch else None, "test_loss": 0.1}
                row |= {"given_mean": [0.1, 0.2, 0.3], "given_sd": list(0.5 * grown)}
                row |= {
                    f"{which}_{what}": None if name == "none" else values
                    for which, what, values in (
                        ("gamma", "mean", list(gammas)),
                        ("gamma", "sd", [0.05] * LAYERS),
                        ("beta", "mean", list(gammas - 1)),
                        ("beta", "sd", [0.05] * LAYERS),
                    )
                }
                row |= {
                    "gradient_norm": 1 + generator.normal(0, 0.02),
                    "gradient_change": 0.5 + (change or {}).get(name, 0) + generator.normal(0, 0.02),
                    "loss_range": 0.1 + generator.normal(0, 0.002),
                }
                table.append(row)
    return pd.DataFrame(table)


def of(table: pd.DataFrame, outcome: str, name: str) -> pd.Series:
    return table[(table["outcome"] == outcome) & (table["norm_arg"] == name)].iloc[0]


def about(said: list[str], start: str) -> str:
    (one,) = [sentence for sentence in said if sentence.startswith(start)]
    return one


def test_lists_are_taken_apart_layer_by_layer():
    table = measured.layers(rows(gamma={"batch": 0.5}, seeds=1), ["given_sd", "gamma_mean"])
    assert set(table["norm_arg"]) == {"batch", "layer", "group"}
    assert len(table) == 3 * (EPOCHS + 1) * LAYERS
    batch = table[(table["norm_arg"] == "batch") & (table["epoch"] == EPOCHS)].set_index("layer")["gamma_mean"]
    assert batch[2] == pytest.approx(1.5, abs=0.05)
    assert batch[[1, 3]].tolist() == pytest.approx([1, 1], abs=0.05)


class TestSmoothness:
    def test_a_planted_calm_gradient_is_found_with_its_sign_and_size(self):
        found = rows(change={"batch": -0.2, "group": 0.1})
        row = of(measured.against_none(found), "gradient_change", "batch")
        assert row["mean"] == pytest.approx(-0.2, abs=0.02)
        assert row["low"] < row["mean"] < row["high"] < 0
        assert row["none"] == pytest.approx(0.5, abs=0.03)
        assert row["own"] == pytest.approx(0.3, abs=0.03)
        said = about(inside.findings(found), "Change of the gradient")
        assert "Apart by more than chance: `batch` 0." in said
        assert "Within noise: `layer`" in said
        assert said.endswith(
            "By this measure the loss is more smooth with `batch` than without normalization, and less smooth with "
            "`group` than without normalization."
        )

    def test_where_nothing_was_planted_nothing_is_found(self):
        said = about(inside.findings(rows()), "Change of the gradient")
        assert "Within noise: `batch`" in said
        assert "Apart by more than chance" not in said
        assert said.endswith("no normalization is shown to make the loss smoother or less smooth.")

    def test_it_is_averaged_over_all_epochs_of_a_run(self):
        found = rows(seeds=1)
        run = measured.per_run(found).set_index("norm_arg").loc["layer"]
        mean = found.loc[found["norm_arg"] == "layer", "gradient_change"].mean()
        assert run["gradient_change"] == pytest.approx(mean)


class TestActivations:
    def test_a_planted_growth_is_found_as_a_factor(self):
        found = rows(growth={"none": 50.0, "batch": 2.0})
        table = measured.against_none(found)
        row = of(table, "growth_last", "batch")
        assert row["none"] == pytest.approx(50, rel=0.1)
        assert row["low"] < 2 / 50 < row["high"]
        assert row["p"] < 0.05
        assert of(table, "growth_first", "batch")["p"] > 0.05
        said = "The factor by which training changes the standard deviation of what goes into layer "
        assert "Apart by more than chance: `batch` 2" in about(inside.findings(found), f"{said}3")
        assert "Apart by more than chance" not in about(inside.findings(found), f"{said}1")

    def test_the_layers_are_compared_before_training(self):
        found = rows()
        shrunk = (found["norm_arg"] == "none") & (found["epoch"] == 0)
        found.loc[shrunk, "given_sd"] = found.loc[shrunk, "given_sd"].map(lambda sd: [sd[0], sd[1], sd[2] / 10])
        row = of(measured.against_none(found), "depth", "layer")
        assert (row["none"], row["own"]) == (pytest.approx(0.1, rel=0.1), pytest.approx(1, rel=0.1))


class TestGamma:
    def test_a_planted_departure_from_1_is_found_in_its_layer(self):
        said = about(inside.findings(rows(gamma={"batch": 0.5})), "With `batch`")
        assert "in layer 2" in said
        assert "more than chance would give" in said

    def test_noise_is_called_noise(self):
        said = about(inside.findings(rows()), "With `layer`")
        assert "which cannot be told from chance" in said


def test_the_table_of_the_last_epoch_has_a_column_a_normalization_and_their_penalties():
    table = inside.shown(measured.last_epoch(rows(growth={"none": 50.0}))).set_index("after the last epoch")
    assert table.loc["penalty"].to_dict() == {"none": "none", "batch": "L1 + L2", "layer": "L2", "group": "L1"}
    assert float(table.loc["standard deviation into layer 3", "none"].split()[0]) == pytest.approx(25, rel=0.1)
    assert table.loc["mean of γ, layer 3", "none"] == "–"
    assert table.loc["test accuracy (%)", "batch"] == "90.00 (90.00 to 90.00)"


def test_seeds_with_a_diverged_run_are_left_out_and_counted():
    found = rows(change={"none": 0.2})
    found = found[~((found["run"] == 0) & (found["epoch"] > 2))].reset_index(drop=True)
    ended = (found["run"] == 0) & (found["epoch"] == 2)
    found.loc[ended, ["test_accuracy", "gradient_norm", "gradient_change", "loss_range"]] = np.nan
    table = measured.against_none(found)
    assert table[["mean", "p"]].notna().all(axis=None)
    others = measured.against_none(found[found["seed"] > 0])
    pd.testing.assert_frame_equal(table, others)
    assert inside.findings(found)[-1].startswith("1 of the 20 runs diverged")


def test_a_single_seed_has_neither_interval_nor_verdict():
    said = inside.findings(rows(seeds=1))
    assert not any("nan" in sentence or "more than chance" in sentence for sentence in said)
    assert "With a single seed: `batch`" in about(said, "Change of the gradient")


class TestFigures:
    def test_activations_have_a_line_for_each_network_and_layer(self):
        drawn = inside.activations(rows())
        assert len(drawn.axes) == 2 * LAYERS
        for axis in drawn.axes:
            assert {line.get_label() for line in axis.lines} == set(VARIANTS)

    def test_smoothness_has_a_line_and_a_band_for_each_network(self):
        drawn = inside.smoothness(rows())
        assert len(drawn.axes) == 3
        for axis in drawn.axes:
            assert len(axis.lines) == len(axis.collections) == len(VARIANTS)

    def test_gamma_and_beta_have_a_line_for_each_network_that_has_them(self):
        drawn = inside.gamma_beta(rows(gamma={"batch": 0.5}))
        for axis in drawn.axes:
            assert [line.get_label() for line in axis.lines] == ["batch", "layer", "group"]
        gamma = drawn.axes[2].lines[0].get_ydata()
        assert gamma[-1] == pytest.approx(1.5, abs=0.05)

    def test_their_text_alternatives_have_their_numbers(self):
        found = rows(growth={"none": 50.0}, gamma={"batch": 0.5})
        assert "none before training 0.50, 0.50, 0.50, at the last epoch 0.5" in inside.describe_activations(found)
        assert "none" not in inside.describe_gamma_beta(found)
        assert inside.describe_smoothness(found).count("batch") == 3
