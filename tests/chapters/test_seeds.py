"""Several seeds: means with the right intervals, and differences called by their name only beyond chance."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from torch import nn

from normstudy.chapters import seeds
from normstudy.experiments import provenance
from normstudy.experiments.places import StudyError
from normstudy.model import Net


def runs(**accuracies: list[float]) -> pd.DataFrame:
    rows = [
        {"norm_arg": name, "seed": seed, "epoch": epoch, "test_accuracy": value if epoch == 2 else 0.5}
        for name, values in accuracies.items()
        for seed, value in enumerate(values)
        for epoch in (1, 2)
    ]
    return pd.DataFrame(rows)


def test_a_table_of_another_version_is_refused_with_what_to_do(tmp_path: Path):
    file = tmp_path / "mnist-seeds.csv"
    runs(batch=[0.99]).assign(made_with="0").to_csv(file, index=False)
    assert len(seeds.read(file)) == 2
    runs(batch=[0.99]).to_csv(file, index=False)
    with pytest.raises(StudyError, match="of another version, without made_with; 'python"):
        seeds.read(file)


def test_variants_come_in_the_order_of_the_study():
    last = seeds.last_epoch(runs(group=[0.99, 0.98], layer=[0.97, 0.95], batch=[0.95, 0.91]))
    assert seeds.shown(seeds.summary(last))["variant"].tolist() == ["batch", "layer", "group"]
    assert [(row.first, row.second) for row in seeds.paired(last).itertuples()] == [
        ("batch", "layer"),
        ("batch", "group"),
        ("layer", "group"),
    ]
    tried = trials(network="a", norm_arg=["group", "layer", "batch"], held_out_loss=[0.1, 0.2, 0.3])
    assert seeds.tuning_table(tried)["variant"].tolist() == ["batch", "layer", "group"]


def test_only_the_last_epoch_counts():
    last = seeds.last_epoch(runs(batch=[0.99, 0.98], layer=[0.97, 0.96]))
    assert last["test_accuracy"].tolist() == [0.99, 0.98, 0.97, 0.96]


def test_the_interval_is_students():
    values = [0.9948, 0.9951, 0.9940, 0.9946, 0.9949]
    row = seeds.summary(seeds.last_epoch(runs(batch=values))).iloc[0]
    low, high = stats.t.interval(0.95, 4, loc=np.mean(values), scale=stats.sem(values))
    assert (row["low"], row["high"]) == (pytest.approx(low), pytest.approx(high))
    assert (row["worst"], row["best"]) == (0.9940, 0.9951)


def test_a_difference_that_every_seed_shows_is_found():
    noise = np.array([0.0, 0.001, -0.001, 0.0005, -0.0002])
    last = seeds.last_epoch(runs(batch=list(0.99 + noise), layer=list(0.98 + noise + [0, 1e-4, 0, -1e-4, 0])))
    pair = seeds.paired(last).iloc[0]
    assert pair["low"] < pair["difference"] < pair["high"]
    assert pair["difference"] == pytest.approx(0.01, abs=1e-4)
    assert pair["p"] < 0.001
    assert "more than chance would give" in seeds.findings(last)[-1]


def test_none_is_found_where_seeds_disagree():
    last = seeds.last_epoch(runs(batch=[0.99, 0.98, 0.99, 0.98], layer=[0.98, 0.99, 0.98, 0.99]))
    assert "which cannot be told from chance" in seeds.findings(last)[-1]


def trials(**columns: object) -> pd.DataFrame:
    how = {"learning_rate": 0.01, "batch_size": 128, "l1": 0.0, "l2": 0.0, "rotation": 10.0, "shift": 2.0, "scale": 0.1}
    fixed = {"note": None, "optimizer": "Adam", "norm_arg": "batch", "epochs": 5, "held_out_accuracy": 0.99, "seed": 0}
    return pd.DataFrame({**fixed, **how, **columns}, index=range(len(columns["held_out_loss"])))


def test_the_best_trials_come_first_and_no_more_than_asked_for():
    table = seeds.tuning_table(
        trials(network=list("abcdefg"), held_out_loss=[0.7, 0.1, 0.5, 0.2, 0.3, 0.4, 0.6]), best=3
    )
    assert table["network"].tolist() == ["b", "d", "e"]


def test_trials_that_differ_in_anything_but_the_seed_are_not_mixed():
    table = seeds.tuning_table(
        trials(network="a", seed=[0, 1, 0], rotation=[10, 10, 15], held_out_loss=[0.1, 0.3, 0.4])
    )
    assert table["augmentation"].tolist() == ["10°, 2\u00a0px, 10\u00a0%", "15°, 2\u00a0px, 10\u00a0%"]
    assert table["seeds"].tolist() == [2, 1]
    assert table["held-out loss"].tolist() == ["0.2000", "0.4000"]


def test_an_average_of_weights_is_a_test_beside_and_no_other_trial():
    notes = [
        None,
        "moving average of weights instead: 99.4 %",
        "SiLU for ReLU; moving average of weights instead: 98 %",
    ]
    table = seeds.tuning_table(trials(network="a", seed=[0, 1, 0], note=notes, held_out_loss=[0.1, 0.3, 0.4]))
    assert table["network"].tolist() == ["a", "a (SiLU for ReLU)"]
    assert table["seeds"].tolist() == [2, 1]


def test_what_is_used_is_listed_and_marked():
    tried = trials(network=seeds.NETWORK, learning_rate=[1.0, 2.0, 3.0], held_out_loss=[0.1, 0.2, 0.3])
    values = {
        name: tried[name].iloc[2] for name in ("norm_arg", "epochs", "batch_size", "l1", "l2", "rotation", "shift")
    }
    table = seeds.tuning_table(tried, [{**values, "scale": 0.1, "learning_rate": 3.0}], best=1)
    assert table["optimizer, batch"].tolist() == ["Adam 1, 128", "Adam 3, 128"]
    assert table["used"].tolist() == ["", "yes"]


def test_the_network_of_the_table_is_that_of_the_model():
    """In the words of report/results/README.md: `3×3/2 8` is a convolution of 3×3 with stride 2 and 8 channels."""
    words = []
    for layer in Net("batch").features:
        match layer[0] if isinstance(layer, nn.Sequential) else layer:
            case nn.MaxPool2d():
                words.append("pool")
            case nn.Conv2d(groups=1) as convolution:
                stride = "/2" if convolution.stride == (2, 2) else ""
                words.append(f"3×3{stride}{'' if convolution.padding == (1, 1) else 'v'} {convolution.out_channels}")
            case nn.Conv2d(kernel_size=(size, _)):
                words.append(f"filter {size}×{size}")
    assert ", ".join(words) == seeds.NETWORK


def test_runs_of_other_code_or_parameters_are_counted(monkeypatch: pytest.MonkeyPatch):
    now = [seeds.made_with({"epochs": 20, "seed": seed}) for seed in range(3)]
    rows = runs(batch=[0.99, 0.98, 0.97]).assign(made_with=np.repeat(now, 2))
    assert seeds.origin(rows, now).startswith("All 3 runs were made with the parameters")
    assert seeds.origin(rows, [now[0], seeds.made_with({"epochs": 21, "seed": 1})]).startswith("2 of the 3 runs")
    monkeypatch.setattr(provenance, "fingerprint", lambda: "of other code")
    assert seeds.made_with({"epochs": 20, "seed": 0}) not in now


def test_a_single_seed_has_no_interval():
    last = seeds.last_epoch(runs(batch=[0.99], layer=[0.98]))
    assert seeds.summary(last)["low"].isna().all()
    assert len(seeds.findings(last)) == 2
