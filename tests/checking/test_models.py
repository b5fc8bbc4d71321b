"""Small networks with one fault or peculiarity each, and what the check must say of them."""

from pathlib import Path

import pytest

from normstudy.checking import verdict
from normstudy.checking.examination import examine
from normstudy.machine import model_files

MODELS = Path(__file__).parent / "models"

WRONG = {
    "wrong_axes": ("batch", "norm1", "none of these (all images, one channel, one place)"),
    "wrong_layer_is_batch": ("layer", "norm1", "batch"),
    "wrong_one_group": ("group", "norm1", "layer"),
    "wrong_as_many_groups": ("group", "norm1", "instance"),
    "wrong_groups_across_images": ("group", "norm1", "none of these (3 of 6 images, all channels, all places)"),
    "wrong_instance": ("layer", "norm1", "instance"),
    "wrong_position": ("layer", "norm1", "position"),
    "wrong_everything": ("layer", "norm1", "none of these (all images, all channels, all places)"),
    "wrong_variance": ("group", "norm1", "divides by something that is no standard deviation"),
    "wrong_mean_only": ("layer", "norm1", "subtracts a mean and divides by nothing"),
    "wrong_rms": ("layer", "norm1", "subtracts no mean"),
    "wrong_largest": ("layer", "norm1", "something else than the mean and the standard deviation"),
    "wrong_not_tracked": ("batch", "norm1", "shared by all images, one channel, all places"),
    "wrong_unmoved": ("batch", "norm1", "they stay as they were"),
    "wrong_variance_kept": ("batch", "norm1", "the variance stays as it was"),
    "wrong_frozen": ("batch", "norm1", "uses fixed statistics"),
    "wrong_evaluation": ("layer", "norm1", "something else"),
    "wrong_ignored": ("layer", "norm1", "batch"),
    "wrong_none": ("batch", "norm1.weight", "no gradient reaches it"),
    "wrong_in_one_place": ("group", "norm2", "layer"),
    "wrong_probabilities": ("batch", "the output", "probabilities"),
    "wrong_penalties": ("batch", "the weights", "it moves none"),
    "wrong_groups": ("group", "the network", "num_channels (8) must be divisible by num_groups (3)"),
    "wrong_broadcast": ("batch", "norm", "none of these (some images, some channels, some places)"),
    "wrong_mixed": ("layer", "norm1", "none of these (some images, some channels, some places)"),
    "wrong_layer_as_groups": ("layer", "norm1", "instance"),
    "wrong_always_training": ("batch", "norm1", "in evaluation mode, shared by all images, one channel, all places"),
    "wrong_moved_by_evaluation": ("batch", "norm1", "in evaluation mode, shared by all images"),
    "wrong_detached": ("layer", "the network", "a mean or a standard deviation is taken out of them"),
    "wrong_output": ("batch", "the network", "gives (6, 16, 25)"),
}
"""File → the normalization that is wrong first, the layer, and a part of what was found."""

REMARKED = {
    "plain": "",
    "right_functional": "",
    "right_by_hand": "",
    "right_stacked": "",
    "right_lazy": "",
    "right_wrapper": "",
    "right_log_softmax": "",
    "right_shared_layer": "parameters that several normalization layers share: norm.weight, norm.bias",
    "right_per_element": "gamma and beta for each element instead of each channel: norm1, norm2, norm3",
    "right_residual": "a normalization of the images themselves",
    "right_dense": "",
    "right_perceptron": "",
    "right_channels_last": "",
    "right_few_channels": "as many groups as channels, which is instance normalization: 1",
    "right_bias_and_last": "a normalization after the last layer with weights: 6",
    "right_relu_norm_dropout": "",
    "right_double": "",
    "right_attention": "vectors that are brought to one length",
    "right_momentum": "parameters that several normalization layers share: norm2.weight, norm2.bias",
    "right_constant_gamma": "",
    "right_noisy": "in evaluation mode the same images get other answers, as where dropout stays at work",
    "right_made_in_forward": "",
    "right_scattered": "groups of channels that are no neighbours: norm1, norm2, norm3",
    "right_but_for_evaluation": "another mean or standard deviation than those of the batches before",
    "right_biased_running": "a running variance that takes up the variance that training divides by",
}
"""File → a part of one remark on it."""


def judged(name: str) -> dict:
    return verdict.judge(examine(model_files.load(str(MODELS / f"{name}.py"))))


def test_one_gamma_for_each_channel_is_so_where_there_is_one_place():
    for name in ("right_relu_norm_dropout", "right_perceptron"):
        remarks = [remark for of in judged(name).values() for remark in of["remarks"]]
        assert not any("each element" in remark for remark in remarks)


def test_every_model_has_its_verdict():
    assert {file.stem for file in MODELS.glob("*.py")} == WRONG.keys() | REMARKED.keys()


@pytest.mark.parametrize("name", WRONG)
def test_a_fault_is_found_where_it_is(name: str):
    norm_arg, layer, found = WRONG[name]
    said = judged(name)
    wrong = [each for each in said if not said[each]["right"]]
    assert wrong[0] == norm_arg, said[norm_arg]
    first = said[norm_arg]["faults"][0]
    assert layer in first["layer"]
    assert found in first["found"]


@pytest.mark.parametrize("name", REMARKED)
def test_a_right_model_is_called_right(name: str):
    said = judged(name)
    assert {each: of["faults"] for each, of in said.items()} == {"batch": [], "layer": [], "group": []}
    assert any(REMARKED[name] in remark for of in said.values() for remark in ["", *of["remarks"]])
    for norm_arg, of in said.items():
        layers = [layer for layer in of["layers"] if layer["before"] and layer["kind"] == "mean and deviation"]
        assert layers
        assert all(layer["even"] is False or verdict.by_formula(norm_arg, layer) == layer["count"] for layer in layers)
