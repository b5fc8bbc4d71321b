"""Misclassified images: which they are, and which the variants share."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.contingency_tables import mcnemar

from normstudy.analysis import mistakes


def frame(labels: list[int], predictions: list[int]) -> pd.DataFrame:
    return pd.DataFrame({"index": range(len(labels)), "label": labels, "prediction": predictions})


@pytest.fixture
def three() -> pd.DataFrame:
    probabilities = np.array([[0.7, 0.2, 0.1], [0.1, 0.3, 0.6], [0.9, 0.05, 0.05]])
    return mistakes.predictions(np.log(probabilities), np.array([0, 1, 2]))


def test_a_prediction_is_the_most_probable_class_with_its_probability(three: pd.DataFrame):
    assert three["prediction"].tolist() == [0, 2, 0]
    assert three["confidence"].tolist() == pytest.approx([0.7, 0.6, 0.9])
    assert three["label_probability"].tolist() == pytest.approx([0.7, 0.3, 0.05])


def test_mistakes_come_with_the_most_confident_first(three: pd.DataFrame):
    assert mistakes.mistakes(three)["index"].tolist() == [2, 1]


def test_the_confusion_matrix_has_true_classes_as_rows(three: pd.DataFrame):
    assert mistakes.confusion(three, 3).tolist() == [[1, 0, 0], [0, 0, 1], [1, 0, 0]]


variants = st.lists(st.tuples(*[st.integers(0, 2)] * 4), min_size=1, max_size=30)


@given(variants)
def test_shared_mistakes_count_each_misclassified_image_once(rows: list[tuple[int, int, int, int]]):
    labels = [row[0] for row in rows]
    frames = {name: frame(labels, [row[i] for row in rows]) for i, name in enumerate(("batch", "layer", "group"), 1)}
    counted = mistakes.shared(frames)
    assert counted["images"].sum() == sum(any(other != row[0] for other in row[1:]) for row in rows)
    assert not counted.duplicated(["batch", "layer", "group"]).any()


@given(variants)
def test_wrong_for_all_are_the_images_that_nobody_gets_right(rows: list[tuple[int, int, int, int]]):
    labels = [row[0] for row in rows]
    frames = {name: frame(labels, [row[i] for row in rows]) for i, name in enumerate(("batch", "layer", "group"), 1)}
    expected = [index for index, row in enumerate(rows) if row[0] not in row[1:]]
    assert mistakes.wrong_for_all(frames)["index"].tolist() == expected


@given(st.integers(0, 50), st.integers(0, 50))
def test_mcnemars_probability_is_that_of_statsmodels(first: int, second: int):
    reference = mcnemar([[0, first], [second, 0]], exact=True).pvalue if first + second else 1
    assert mistakes.mcnemar(first, second) == pytest.approx(reference)


def wrong(*images: set[int] | None) -> pd.Series:
    """The images that the runs of seeds 0, 1, … get wrong; None for a run that diverged."""
    return pd.Series([None if each is None else sorted(each) for each in images], dtype=object)


def test_mcnemars_test_counts_the_images_that_only_one_gets_wrong():
    many = set(range(40))
    table = mistakes.disagreements(
        {"none": wrong(many | {50}, many), "batch": wrong({50}, {0}), "layer": wrong({50}, {0})}
    )
    row = table[(table["first"] == "none") & (table["second"] == "batch")].iloc[0]
    assert (row["only_first"], row["only_second"], row["apart"], row["seeds"]) == (39.5, 0, 2, 2)
    same = table[(table["first"] == "batch") & (table["second"] == "layer")].iloc[0]
    assert (same["apart"], same["p"]) == (0, 1)


def test_a_run_that_diverged_is_not_one_without_mistakes():
    many = set(range(40))
    table = mistakes.disagreements({"none": wrong(None, many), "batch": wrong(many, {0})})
    row = table.iloc[0]
    assert (row["only_first"], row["only_second"], row["seeds"], row["apart"]) == (39, 0, 1, 1)


def test_a_run_without_mistakes_is_compared():
    row = mistakes.disagreements({"none": wrong(set()), "batch": wrong(set(range(40)))}).iloc[0]
    assert (row["only_first"], row["only_second"], row["seeds"], row["apart"]) == (0, 40, 1, 1)


def test_a_pair_of_which_one_diverged_in_every_seed_stays_in_the_table_without_numbers():
    table = mistakes.disagreements({"none": wrong(None, None), "batch": wrong({1}, {2}), "layer": wrong({1}, {2})})
    assert table[["first", "second", "seeds"]].to_numpy().tolist() == [
        ["none", "batch", 0],
        ["none", "layer", 0],
        ["batch", "layer", 2],
    ]
    assert table.loc[:1, ["only_first", "only_second", "p"]].isna().all(axis=None)
    assert table.loc[2, "p"] == 1


def test_where_every_run_diverged_no_pair_is_compared():
    row = mistakes.disagreements({"none": wrong(None), "batch": wrong(None)}).iloc[0]
    assert (row["seeds"], row["apart"]) == (0, 0)
    assert np.isnan(row["p"])


def test_images_are_counted_over_the_runs_that_get_them_wrong():
    runs = pd.DataFrame({"wrong": wrong({1, 2}, {2, 7}, set(), {2, 1})})
    assert mistakes.times_wrong(runs).to_dict() == {2: 3, 1: 2, 7: 1}
