"""Whether a network does what its argument says: every fault and every remark, from what an examination found."""

import subprocess
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from normstudy import statistics
from normstudy.checking import verdict
from normstudy.normalizations import NORMALIZATIONS, NORMALIZING

LAYER = {
    "name": "norm",
    "shape": [6, 8, 13, 13],
    "kind": "mean and deviation",
    "names": ["batch"],
    "extent": "all images, one channel, all places",
    "groups": 4,
    "size": 1014,
    "even": True,
    "exact": True,
    "sheet": [[0, 0, 1, 1, 2, 2, 3, 3]],
    "constant": False,
    "parameters": {"norm.weight": [8], "norm.bias": [8]},
    "before": True,
    "after": True,
    "useless_bias": "",
    "running": "",
}
FOUND = {
    "parameters": 7978,
    "without_gradient": [],
    "derivative": True,
    "probabilities": False,
    "l1": ["conv.weight", "linear.weight"],
    "l2": ["conv.weight", "linear.weight"],
    "not_penalized": [],
    "company": False,
    "chance": False,
}
BATCH, GROUP = (f"{name}: {NORMALIZATIONS[name].idea}" for name in ("batch", "group"))
FORMULA = "(x − mean) / standard deviation"
FIXED = {"kind": "fixed", "names": []}
RUNNING = "in evaluation mode, the running statistics"
SAME = "in evaluation mode, the same as in training"
COSINES = {"kind": "deviation", "names": ["layer", "position"], "shape": [6, 8, 1, 1], "parameters": {}}

Changes = dict[str, Any]


def layer(**changes: Any) -> dict[str, Any]:
    return LAYER | changes


def found(norm_arg: str = "batch", *layers: Changes, **changes: Any) -> dict[str, Any]:
    """What an examination finds of a right network, but for some changes of its layers or of the whole."""
    measured = [layer(names=[norm_arg]) | each for each in layers or ({},)]
    later = FIXED if norm_arg == "batch" else {}
    evaluation = [{name: (each | later)[name] for name in ("name", "kind", "names", "extent")} for each in measured]
    return {**FOUND, "layers": measured, "evaluation": evaluation, **changes}


def faults(norm_arg: str = "batch", *layers: Changes, **changes: Any) -> list[tuple[str, str, str]]:
    said = verdict.judge({norm_arg: found(norm_arg, *layers, **changes)})[norm_arg]
    assert said["right"] is (not said["faults"])
    return [(fault["layer"], fault["expected"], fault["found"]) for fault in said["faults"]]


def remarks(norm_arg: str = "batch", *layers: Changes, **changes: Any) -> list[str]:
    return verdict.judge({norm_arg: found(norm_arg, *layers, **changes)})[norm_arg]["remarks"]


def test_a_right_network_has_neither_faults_nor_remarks_and_keeps_what_was_found():
    examined = {norm_arg: found(norm_arg) for norm_arg in ("batch", "layer", "group")}
    judged = verdict.judge(examined)
    assert list(judged) == ["batch", "layer", "group"]
    for norm_arg, said in judged.items():
        assert said == examined[norm_arg] | {"right": True, "faults": [], "remarks": []}
    assert verdict.judge({}) == {}


def test_what_cannot_be_run_is_one_fault_without_remarks():
    broken = {"broken": "raises KeyError: 'batch'", "traceback": "…", "layers": []}
    said = verdict.judge({"batch": broken})["batch"]
    fault = {"layer": "the network", "expected": "a network that can be run", "found": "raises KeyError: 'batch'"}
    assert said == broken | {"right": False, "faults": [fault], "remarks": []}


NONE_BEHIND = ("the network", BATCH, "no normalization behind a layer with weights")
OF_LAYERS = {
    "another normalization": ({"names": ["layer"]}, ("norm", BATCH, "layer")),
    "no normalization's sets": (
        {"names": [], "extent": "all images, all channels, one place"},
        ("norm", BATCH, "none of these (all images, all channels, one place)"),
    ),
    "fixed statistics": (FIXED, ("norm", BATCH, "uses fixed statistics, which no value of the batch changes")),
    "no mean": (
        {"kind": "deviation"},
        ("norm", FORMULA, "divides by the root of the mean square and subtracts no mean, as RMS normalization"),
    ),
    "no deviation": ({"kind": "mean"}, ("norm", FORMULA, "subtracts a mean and divides by nothing")),
    "a variance": ({"kind": "power"}, ("norm", FORMULA, "divides by something that is no standard deviation")),
    "another formula": (
        {"exact": False},
        ("norm", FORMULA, "something else than the mean and the standard deviation"),
    ),
    "an unmoved mean": (
        {"running": "unmoved mean"},
        ("norm", "running statistics that follow the batches", "the mean stays as it was"),
    ),
    "an unmoved variance": (
        {"running": "unmoved variance"},
        ("norm", "running statistics that follow the batches", "the variance stays as it was"),
    ),
    "unmoved statistics": (
        {"running": "unmoved"},
        ("norm", "running statistics that follow the batches", "they stay as they were"),
    ),
    "the images alone": ({"before": False}, NONE_BEHIND),
    "single values alone": ({"kind": "fixed", "names": [], "constant": True}, NONE_BEHIND),
    "lengths alone": (COSINES, NONE_BEHIND),
}
OF_NETWORKS = {
    "no gradient": (
        {"without_gradient": ["norm.weight", "norm.bias"]},
        ("norm.weight, norm.bias", "a gradient", "no gradient reaches it"),
    ),
    "probabilities": ({"probabilities": True}, ("the output", "logits or log-probabilities", "probabilities")),
    "no L1": ({"l1": []}, ("the weights", "a penalty L1 that moves them", "it moves none")),
    "no L2": ({"l2": []}, ("the weights", "a penalty L2 that moves them", "it moves none")),
    "no derivative": (
        {"derivative": False},
        (
            "the network",
            "gradients that are the derivative of what it computes",
            "other gradients, as where a mean or a standard deviation is taken out of them",
        ),
    ),
    "company": (
        {"company": True},
        (
            "the network",
            "in evaluation mode, an answer that does not depend on the other images",
            "it depends on them",
        ),
    ),
}


@pytest.mark.parametrize(("changes", "fault"), OF_LAYERS.values(), ids=OF_LAYERS)
def test_a_layer_that_is_none_of_its_argument_s_is_a_fault(changes: Changes, fault: tuple[str, str, str]):
    assert faults("batch", changes) == [fault]


@pytest.mark.parametrize(("changes", "fault"), OF_NETWORKS.values(), ids=OF_NETWORKS)
def test_a_network_that_cannot_be_trained_as_it_should_is_a_fault(changes: Changes, fault: tuple[str, str, str]):
    assert faults(**changes) == [fault]


def test_every_wrong_layer_is_a_fault_of_its_own():
    said = faults("batch", {"name": "1", "names": ["layer"]}, {"name": "2"}, {"name": "3", "kind": "mean"}, l1=[])
    assert [where for where, _, _ in said] == ["the weights", "1", "3"]


def test_the_first_reason_is_said_of_a_layer_and_no_other():
    everything = {"names": ["layer"], "kind": "mean", "exact": False, "running": "unmoved"}
    assert faults("batch", everything) == [("norm", BATCH, "mean, layer")]


@pytest.mark.parametrize("beside", [{"before": False}, {"kind": "fixed", "constant": True}, COSINES], ids=str)
def test_what_is_no_layer_of_the_argument_s_is_judged_by_no_argument(beside: Changes):
    assert faults("batch", {}, {"name": "beside", "names": ["layer"]} | beside) == []


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"shape": [6, 8, 2, 1]}, "RMS, layer"),
        ({"kind": "mean"}, "mean, layer"),
        ({"parameters": {"g": [8]}}, "RMS, layer"),
    ],
    ids=str,
)
def test_a_length_is_of_vectors_divides_by_a_deviation_and_has_no_parameters(change: Changes, what: str):
    assert faults("batch", COSINES | change) == [("norm", BATCH, what)]
    assert remarks("batch", COSINES | change) == []


def test_as_many_groups_as_channels_are_groups_where_other_layers_have_true_ones():
    true, as_many = {"name": "1"}, {"name": "2", "names": ["instance"]}
    assert faults("group", true, as_many) == []
    assert faults("group", as_many) == [("2", GROUP, "instance")]
    assert faults("layer", {"name": "1", "names": ["layer", "group"]}, as_many) != []


def test_a_layer_of_several_names_is_each_of_them():
    for norm_arg in ("layer", "group"):
        assert faults(norm_arg, {"names": ["layer", "group"]}) == []


def test_gradients_are_judged_where_the_layers_are_right_and_evaluation_where_the_gradients_are_too():
    assert [where for where, _, _ in faults("batch", {"kind": "mean"}, derivative=False, company=True)] == ["norm"]
    assert [wrong for _, wrong, _ in faults(derivative=False, company=True)] == [
        "gradients that are the derivative of what it computes"
    ]


def test_batch_normalization_shares_nothing_in_evaluation_mode():
    sharing = [layer(name="norm"), layer(name="of the images")]
    assert faults(evaluation=sharing, company=True) == [
        ("norm", RUNNING, "in evaluation mode, shared by all images, one channel, all places")
    ]
    assert faults(evaluation=[]) == []


def test_statistics_that_stay_as_they_were_are_no_second_fault_where_evaluation_takes_the_batch_s():
    (fault,) = faults("batch", {"running": "unmoved"}, evaluation=[layer()])
    assert fault[1] == RUNNING


@pytest.mark.parametrize("norm_arg", ["layer", "group"])
def test_the_other_normalizations_are_the_same_in_evaluation_mode(norm_arg: str):
    for later in ([], [layer() | FIXED], [layer(names=["instance"])], [layer(name="other", names=[norm_arg])]):
        assert faults(norm_arg, evaluation=later, company=True) == [("norm", SAME, "something else")]


REMARKED = {
    "a useless bias": (
        {"useless_bias": "conv"},
        "a bias before a normalization that takes it away again: conv",
    ),
    "a single value": (
        {"size": 1},
        "statistics over a single value, so that nothing of the input is left: norm",
    ),
    "a constant": (
        {"kind": "fixed", "names": [], "constant": True, "before": False},
        "statistics over a single value, so that nothing of the input is left: norm",
    ),
    "uneven groups": (
        {"even": False},
        "groups that do not divide the channels, so that some are larger: norm",
    ),
    "the last layer": ({"after": False}, "a normalization after the last layer with weights: norm"),
    "lengths": (COSINES, "vectors that are brought to one length: norm"),
    "the images": ({"before": False}, "a normalization of the images themselves: norm"),
    "other statistics in evaluation mode": (
        {"running": "far"},
        "in evaluation mode, another mean or standard deviation than those of the batches before, "
        "or another gamma or beta: norm",
    ),
    "a biased variance": (
        {"running": "biased"},
        "a running variance that takes up the variance that training divides by, without n / (n − 1): norm",
    ),
    "elements": (
        {"parameters": {"norm.weight": [8, 13, 13]}},
        "gamma and beta for each element instead of each channel: norm",
    ),
}


@pytest.mark.parametrize(("changes", "remark"), REMARKED.values(), ids=REMARKED)
def test_what_is_peculiar_about_a_layer_is_remarked(changes: Changes, remark: str):
    assert remark in remarks("batch", {"name": "right", "parameters": {}}, changes)


@pytest.mark.parametrize(
    "changes",
    [
        {"running": "unbiased"},
        {"running": "other"},
        {"even": False, "names": []},
        {"names": ["instance"]},
        {"size": 1, "before": False},
    ],
    ids=str,
)
def test_what_is_usual_or_said_elsewhere_is_not_remarked(changes: Changes):
    usual = "a normalization of the images themselves: norm"
    assert [remark for remark in remarks("batch", changes) if remark != usual] == []


def test_a_wrong_network_is_remarked_of_too():
    assert remarks("batch", {"kind": "mean", "useless_bias": "conv"}) == [REMARKED["a useless bias"][1]]


def test_several_layers_are_in_one_remark():
    places = {"name": "1", "after": False, "parameters": {}}, {"name": "2", "after": False}
    assert remarks("batch", *places) == ["a normalization after the last layer with weights: 1, 2"]


def test_instance_normalization_is_remarked_of_groups_alone():
    layers = {"name": "1"}, {"name": "2", "names": ["instance"], "parameters": {}}
    assert remarks("group", *layers) == ["as many groups as channels, which is instance normalization: 2"]


def test_groups_of_channels_that_are_no_neighbours_are_remarked():
    scattered = {"name": "2", "sheet": [[0, 1, 2, 3, 0, 1, 2, 3]]}
    assert remarks("group", {"name": "1", "parameters": {}}, scattered) == [
        "groups of channels that are no neighbours: 2"
    ]
    assert remarks("group", scattered | {"names": []}) == []


def test_parameters_that_layers_share_are_remarked_by_name():
    shared = {"parameters": {"weight": [8], "own": [8]}}, {"parameters": {"weight": [8], "another": [8]}}
    assert remarks("batch", *shared) == ["parameters that several normalization layers share: weight"]


def test_what_is_peculiar_about_a_network_is_remarked():
    assert remarks(chance=True) == [
        "in evaluation mode the same images get other answers, as where dropout stays at work"
    ]
    assert remarks(not_penalized=["a", "norm.weight", "b"]) == ["no penalty covers a, b"]


def test_more_parameters_than_the_study_s_network_has_are_remarked():
    assert remarks(parameters=8000) == []
    assert remarks(parameters=8001) == ["8,001 parameters; the study's network has fewer than 8,000"]


def test_variants_of_other_sizes_are_remarked_of_each_that_can_be_run():
    broken = {"broken": "raises KeyError", "layers": []}
    examined = {"batch": found(), "layer": broken, "group": found("group", parameters=978)}
    judged = verdict.judge(examined)
    remark = "the variants have other numbers of parameters: batch 7,978, group 978"
    assert [said["remarks"] for said in judged.values()] == [[remark], [], [remark]]
    assert verdict.judge(examined | {"group": found("group")})["batch"]["remarks"] == []


def test_variants_with_other_numbers_of_layers_are_remarked():
    layers = [{"name": name, "parameters": {}} for name in "123"]
    examined = {"batch": found("batch", *layers), "layer": found("layer", *layers[:2])}
    remark = "the variants have other numbers of normalization layers: batch 3, layer 2"
    assert [said["remarks"] for said in verdict.judge(examined).values()] == [[remark], [remark]]
    of_images = found("layer", *layers[:2], layers[2] | {"before": False})
    assert remark in verdict.judge(examined | {"layer": of_images})["batch"]["remarks"]


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({}, "batch"),
        ({"names": ["layer", "position"]}, "layer"),
        ({"names": ["position"]}, "per position"),
        ({"names": ["group"], "groups": 4}, "group with 4 groups"),
        ({"names": ["instance", "group"]}, "group with 4 groups"),
        ({"names": [], "extent": "some images"}, "none of these (some images)"),
        ({"names": ["layer"], "kind": "deviation"}, "RMS, layer"),
        ({"names": ["layer"], "kind": "mean"}, "mean, layer"),
        ({"names": [], "extent": "all images", "kind": "power"}, "power, none of these (all images)"),
        ({"kind": "fixed"}, "fixed statistics"),
        ({"kind": "fixed", "constant": True}, "a single value"),
    ],
    ids=str,
)
def test_a_layer_is_named_in_the_field_s_words(changes: Changes, name: str):
    assert verdict.named(layer(**changes)) == name


sizes = st.integers(1, 6)


@given(number=sizes, groups=sizes, of_group=sizes, height=sizes, width=sizes, norm_arg=st.sampled_from(NORMALIZING))
def test_the_formula_counts_as_many_means_as_the_statistics_have(
    number: int, groups: int, of_group: int, height: int, width: int, norm_arg: str
):
    shape = [number, groups * of_group, height, width]
    assert verdict.by_formula(norm_arg, layer(shape=shape, groups=groups)) == statistics.count(shape, norm_arg, groups)


@pytest.mark.parametrize(
    ("shape", "parameters", "said"),
    [
        ([6, 8, 5, 5], {}, "none"),
        ([6, 8, 5, 5], {"weight": [8], "bias": [8]}, "8 + 8, per channel"),
        ([6, 8, 5, 5], {"weight": [8], "bias": []}, "8 + 1, per channel and layer"),
        ([6, 64, 5, 5], {"weight": [64, 5, 5]}, "1,600, per element"),
        ([6, 8, 5, 5], {"weight": [4], "bias": [1, 8, 1, 1]}, "4 + 8, per other set and channel"),
        ([6, 8, 1, 1], {"weight": [8]}, "8, per channel"),
        ([6, 1, 1, 1], {"weight": [1]}, "1, per channel"),
        ([6, 1, 5, 5], {"weight": [1], "bias": [1, 5, 5]}, "1 + 25, per channel and element"),
    ],
    ids=str,
)
def test_gamma_and_beta_are_counted_with_what_has_one(shape: list[int], parameters: dict[str, list[int]], said: str):
    assert verdict.gamma_and_beta(layer(shape=shape, parameters=parameters)) == said


def test_to_judge_needs_no_torch():
    program = "import sys, normstudy.checking.verdict; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
