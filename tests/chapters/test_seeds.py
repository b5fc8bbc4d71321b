"""Several seeds: means with the right intervals, differences only beyond chance, what picking gains."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from normstudy.analysis import bootstrap, inference
from normstudy.chapters import seeds
from tests import planted


def epochs(**accuracies: list[float]) -> pd.DataFrame:
    """Two epochs a run, the second with the accuracy that is given."""
    rows = [
        {"run": f"{name} {seed}", "norm_arg": name, "seed": seed, "l1": 0.0, "l2": 0.0, "epoch": epoch}
        | {"test_accuracy": value if epoch == 2 else 0.5, "test_loss": 0.1}
        for name, values in accuracies.items()
        for seed, value in enumerate(values)
        for epoch in (1, 2)
    ]
    return pd.DataFrame(rows)


def runs(**accuracies: list[float]) -> pd.DataFrame:
    return inference.last_epochs(epochs(**accuracies))


def known(lucky: float = 0.0, number: int = 20, first_epoch: float = 0.0, **ease: float) -> pd.DataFrame:
    """Two epochs of runs whose accuracies and spread are known; `first_epoch` is how much better the first one is."""
    given = planted.runs(ease, 0, seeds=lucky, number=number, size=1000)
    last = given.assign(norm_arg=given["normalization"].astype(str), l1=0.0, l2=0.0, test_loss=0.1, run=given.index)
    last = last.drop(columns=["normalization", "diverged"]).assign(epoch=2)
    first = last.assign(epoch=1, test_accuracy=last["test_accuracy"] + first_epoch, wrong=None)
    return pd.concat([first, last], ignore_index=True)


def pairs(rows: pd.DataFrame) -> pd.DataFrame:
    return bootstrap.pairs(inference.last_epochs(rows), "normalization")


def numbers(rows: pd.DataFrame, dataset: str = "digits") -> dict[str, str]:
    last = inference.last_epochs(rows)
    return seeds.numbers(last, seeds.parts(last), pairs(rows), seeds.picked(rows), dataset)


def claims(rows: pd.DataFrame, dataset: str = "digits") -> dict[str, bool | None]:
    return seeds.claims(seeds.parts(inference.last_epochs(rows)), pairs(rows), seeds.picked(rows), dataset)


def test_variants_come_in_the_order_of_the_study():
    last = runs(group=[0.99, 0.98], layer=[0.97, 0.95], batch=[0.95, 0.91])
    assert seeds.shown(seeds.summary(last))["variant"].tolist() == ["batch", "layer", "group"]


def test_the_interval_is_students():
    values = [0.9948, 0.9951, 0.9940, 0.9946, 0.9949]
    row = seeds.summary(runs(batch=values)).iloc[0]
    low, high = stats.t.interval(0.95, 4, loc=np.mean(values), scale=stats.sem(values))
    assert (row["low"], row["high"]) == (pytest.approx(low), pytest.approx(high))
    assert (row["worst"], row["best"], row["epochs"]) == (0.9940, 0.9951, 2)
    assert row["sd"] == pytest.approx(np.std(values, ddof=1))


class TestMethods:
    def test_that_differ_are_said_to(self):
        rows = known(batch=3.0, layer=2.0, group=2.0)
        assert claims(rows)["methods"] is True
        found = numbers(rows)
        assert found["apart"] == "batch beside layer and batch beside group"
        assert found["largest"].startswith("batch minus ")
        assert found["largest_points"].startswith("+7.")

    def test_that_do_not_are_left_open(self):
        assert claims(known(batch=2.0, layer=2.0))["methods"] is None

    def test_of_a_single_seed_are_left_open(self):
        rows = known(number=1, batch=3.0, layer=2.0)
        found = claims(rows)
        assert (found["methods"], found["images"]) == (None, None)
        assert not any("nan" in text for text in numbers(rows).values())


class TestImages:
    def test_make_all_of_the_spread_where_seeds_are_equally_good(self):
        assert claims(known(batch=3.0, layer=3.0, group=3.0))["images"] is True

    def test_make_little_of_it_where_seeds_differ(self):
        assert claims(known(lucky=0.6, batch=2.0, layer=2.0, group=2.0))["images"] is False

    def test_the_table_has_a_row_a_variant_and_one_for_all_together(self):
        shown = seeds.shown_parts(seeds.parts(inference.last_epochs(known(batch=3.0, layer=3.0))))
        assert shown["kind"].tolist() == ["batch", "layer", "together"]
        assert shown["seeds"].tolist() == [20, 20, 40]


class TestPicking:
    def test_gains_by_the_best_epoch_and_by_the_best_run(self):
        found = seeds.picked(known(batch=3.0, first_epoch=0.01))
        assert found.best == pytest.approx(found.last + 0.01)
        assert found.of_many > found.best + 0.004

    def test_gains_nothing_where_all_runs_and_epochs_are_alike(self):
        found = seeds.picked(known(batch=3.0).assign(test_accuracy=0.99))
        assert found == pytest.approx((0.99,) * 5)

    def test_is_held_against_the_differences_between_the_variants(self):
        assert claims(known(batch=3.0, layer=3.0, group=3.0, first_epoch=0.01))["picking"] is True
        assert claims(known(batch=3.0, layer=0.0))["picking"] is False

    def test_is_left_open_where_it_lies_within_the_interval_of_a_larger_difference(self):
        rows = known(batch=3.0, layer=2.5, group=3.0)
        found, largest = seeds.picked(rows), pairs(rows).iloc[0]
        assert largest["low"] < found.high - found.last < largest["mean"]
        assert claims(rows)["picking"] is None

    def test_is_compared_with_the_peers_on_their_dataset_alone(self):
        rows = known(batch=3.0, layer=3.0)
        assert [claims(rows, name)["peers"] for name in ("mnist", "digits")] == [True, False]
        gain = 0.9961 - (seeds.picked(rows).of_many - seeds.picked(rows).last)
        assert numbers(rows, "mnist")["unpicked"] == f"{100 * gain:.2f}\u00a0%"


def test_the_differences_have_a_row_each_and_one_for_picking():
    rows = known(batch=3.0, layer=2.0, group=2.0)
    figure = seeds.difference_figure(pairs(rows), seeds.picked(rows))
    labels = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert labels == ["batch − layer", "batch − group", "layer − group", "best of 48 − mean"]
    assert "batch minus layer +7." in seeds.describe_differences(pairs(rows), seeds.picked(rows))


def test_the_figure_has_a_point_a_seed_and_says_each():
    rows = epochs(batch=[0.99, 0.98, 0.97], layer=[0.98, 0.99, 0.96])
    last, picked = inference.last_epochs(rows), seeds.picked(rows)
    drawn = seeds.figure(last, seeds.summary(last), picked)
    points = [line.get_xdata() for line in drawn.axes[0].lines if line.get_label() == "batch"]
    assert points == [pytest.approx([99, 98, 97])]
    assert "batch 99.00, 98.00, 97.00; layer 98.00, 99.00, 96.00" in seeds.describe(last, picked)


def test_a_single_seed_has_no_interval():
    last = runs(batch=[0.99], layer=[0.98])
    assert seeds.summary(last)["low"].isna().all()
