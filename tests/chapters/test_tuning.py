"""The record of trials: each is the mean over its seeds, the best come first, and what is used is marked."""

import pandas as pd
from torch import nn

from normstudy.chapters import tuning
from normstudy.model import Net


def trials(**columns: object) -> pd.DataFrame:
    how = {
        "easy": 1.0,
        "learning_rate": 0.01,
        "batch_size": 128,
        "l1": 0.0,
        "l2": 0.0,
        "rotation": 10.0,
        "shift": 2.0,
        "scale": 0.1,
    }
    fixed = {"note": None, "optimizer": "Adam", "norm_arg": "batch", "epochs": 5, "held_out_accuracy": 0.99, "seed": 0}
    return pd.DataFrame({**fixed, **how, **columns}, index=range(len(columns["held_out_loss"])))


def test_the_best_trials_come_first_and_no_more_than_asked_for():
    table = tuning.best(trials(network=list("abcdefg"), held_out_loss=[0.7, 0.1, 0.5, 0.2, 0.3, 0.4, 0.6]), number=3)
    assert table["network"].tolist() == ["b", "d", "e"]


def test_trials_that_differ_in_anything_but_the_seed_are_not_mixed():
    table = tuning.shown(
        tuning.best(trials(network="a", seed=[0, 1, 0], rotation=[10, 10, 15], held_out_loss=[0.1, 0.3, 0.4]))
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
    table = tuning.shown(tuning.best(trials(network="a", seed=[0, 1, 0], note=notes, held_out_loss=[0.1, 0.3, 0.4])))
    assert table["network"].tolist() == ["a", "a (SiLU for ReLU)"]
    assert table["seeds"].tolist() == [2, 1]


def test_what_is_used_is_listed_and_marked():
    tried = trials(network=tuning.NETWORK, learning_rate=[1.0, 2.0, 3.0], held_out_loss=[0.1, 0.2, 0.3])
    values = {
        name: tried[name].iloc[2]
        for name in ("norm_arg", "epochs", "easy", "batch_size", "l1", "l2", "rotation", "shift")
    }
    table = tuning.shown(tuning.best(tried, [{**values, "scale": 0.1, "learning_rate": 3.0}], number=1))
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
    assert ", ".join(words) == tuning.NETWORK


def test_variants_come_in_the_order_of_the_study():
    tried = trials(network="a", norm_arg=["group", "layer", "batch"], held_out_loss=[0.1, 0.2, 0.3])
    assert tuning.best(tried)["norm_arg"].tolist() == ["batch", "layer", "group"]
