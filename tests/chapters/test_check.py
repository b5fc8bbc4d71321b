"""The chapter on one's own network: every planted fault is found, by what is measured."""

from normstudy.chapters import check


def test_the_check_says_of_each_fault_what_it_is():
    table = check.faults()
    says = table["what the check says"].tolist()
    assert says[:4] == [
        "divides by something that is no standard deviation",
        "a remark: gamma and beta for each element instead of each channel: features.0.1",
        "none of these (3 of 6 images, all channels, all places)",
        "layer",
    ]
    assert says[4:] == [
        "instance",
        "per position",
        "none of these (all images, all channels, all places)",
        "none of these (all images, one channel, one place)",
        "other gradients, as where a mean or a standard deviation is taken out of them",
        "in evaluation mode, shared by all images, one channel, all places",
    ]
    assert table["means: by formula / measured"].tolist()[3:7] == ["6 / 6", "6 / 48", "6 / 1,176", "6 / 1"]


def test_a_penalty_moves_what_has_a_gradient_from_it():
    table = check.penalties()
    assert table["weights that it moves"].tolist() == [7, 0, 7]
    assert table["other parameters"].tolist()[:2] == [0, 0]
    assert table["other parameters"][2] > 0
