"""What the page's interactive figures read: scripts that hold what was asked for, and nothing that no page can read."""

import base64
import json
import re
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn

from normstudy import data
from normstudy.data import Dataset
from normstudy.display import page_data
from normstudy.model import Net
from normstudy.normalizations import NORMALIZATIONS, NORMALIZING
from tests.trainings import build

EXAMPLE = torch.tensor([[[[0.0, 1.23456]], [[-2.0, 3.0]]]])
CLASSES = ("ant", "bee", "cat", "dog", "eel", "fox", "gnu", "hen", "ibis", "jay")


@pytest.fixture(scope="module")
def animals() -> Dataset:
    """A few images of noise, of five classes in no order, the first of them missing."""
    pixels = torch.randint(0, 256, (24, 28, 28), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)
    labels = torch.tensor([4, 2, 5, 2, 3, 1, 5, 1, 4, 3, 2, 1])
    mean, std = data.mean_and_std(pixels[:12])
    return Dataset("animals", CLASSES, pixels[:12], labels, pixels[12:], labels, mean, std)


@pytest.fixture(scope="module")
def nets(animals: Dataset) -> dict[str, Net]:
    """Networks in training mode, of which one has seen images, and keeps their statistics."""
    torch.manual_seed(0)
    nets = {"batch": build("batch"), "group": build("group")}
    nets["batch"].train()(data.to_input(animals.train_images, animals))
    for net in nets.values():
        net.features[0][1].weight.data.uniform_(0.5, 2)
        net.train()
    return nets


def held(file: Path, name: str) -> dict[str, Any]:
    """What a script assigns to a global of this name, the one thing that it does."""
    found = re.fullmatch(rf"globalThis\.{name} = (\{{.*\}});\n", file.read_text(encoding="utf-8"))
    assert found is not None
    return json.loads(found[1])


def explorer(folder: Path, net: nn.Module, norm_arg: str, dataset: Dataset, **options: int) -> dict[str, Any]:
    file = folder / "explorer-data.js"
    page_data.write_explorer_data(file, EXAMPLE, net, norm_arg, dataset, **options)
    return held(file, "explorerData")


def test_a_folder_is_made_for_a_file_that_takes_the_place_of_an_earlier_one(
    tmp_path: Path, nets: dict[str, Net], animals: Dataset
):
    first = explorer(tmp_path / "a" / "b", nets["batch"], "batch", animals)
    second = explorer(tmp_path / "a" / "b", nets["group"], "group", animals)
    assert first["source"] != second["source"]


def test_a_number_that_is_none_is_refused_before_anything_is_written(
    tmp_path: Path, nets: dict[str, Net], animals: Dataset
):
    file = tmp_path / "explorer-data.js"
    with pytest.raises(ValueError, match="not JSON compliant"):
        page_data.write_explorer_data(file, EXAMPLE / 0, nets["group"], "group", animals)
    assert not file.exists()


class TestTheExplorer:
    def test_has_every_normalization_in_the_order_of_the_study_as_it_is_known(
        self, tmp_path: Path, nets: dict[str, Net], animals: Dataset
    ):
        found = explorer(tmp_path, nets["group"], "group", animals)["normalizations"]
        assert tuple(found) == NORMALIZING
        assert found["group"] == {
            "title": "Group normalization", "count": "N·G", "apart": ["N", "G"], "size": "C/G·H·W",
            "idea": "each image shares within each group of channels", "colour": "#009E73", "centred": True,
        }  # fmt: skip
        assert not found["rms"]["centred"]

    def test_has_the_example_in_the_tensor_s_order_with_four_digits(
        self, tmp_path: Path, nets: dict[str, Net], animals: Dataset
    ):
        found = explorer(tmp_path, nets["group"], "group", animals)["example"]
        assert found == {"shape": [1, 2, 1, 2], "values": [0.0, 1.2346, -2.0, 3.0]}

    def test_has_what_the_second_layer_receives_in_evaluation_of_the_first_image_of_each_of_four_classes(
        self, tmp_path: Path, nets: dict[str, Net], animals: Dataset
    ):
        found = explorer(tmp_path, nets["batch"], "batch", animals)
        assert nets["batch"].training
        inputs = data.to_input(animals.test_images[[5, 1, 4, 0]], animals)  # a bee, a cat, a dog, an eel
        first, second = build("batch").features[:2]
        first.load_state_dict(nets["batch"].features[0].state_dict())
        second.load_state_dict(nets["batch"].features[1].state_dict())
        received = second[0](first.eval()(inputs))[:, :8, 5:9, 5:9]
        assert found["activation"]["shape"] == [4, 8, 4, 4]
        assert found["activation"]["values"] == pytest.approx(received.flatten().tolist(), abs=1e-4)
        assert found["source"] == (
            "These values come from the batch network, trained on animals: what its second normalization layer "
            "receives for four test images (bee, cat, dog, eel), in the middle of its first channels."
        )

    def test_has_gamma_and_beta_and_running_statistics_where_the_layer_keeps_them(
        self, tmp_path: Path, nets: dict[str, Net], animals: Dataset
    ):
        layer = nets["group"].features[0][1]
        found = explorer(tmp_path, nets["group"], "group", animals, layer=0)["activation"]
        assert found.keys() == {"shape", "values", "gamma", "beta"}
        assert found["gamma"] == pytest.approx(layer.weight.tolist(), abs=1e-4)
        assert found["beta"] == [0.0] * 8
        found = explorer(tmp_path, nets["batch"], "batch", animals)["activation"]
        assert found.keys() == {"shape", "values", "gamma", "beta", "means", "variances"}
        assert {len(found[name]) for name in ("gamma", "beta", "means", "variances")} == {8}

    @pytest.mark.parametrize(("layer", "said"), [(0, "first"), (4, "fifth"), (9, "fifth")])
    def test_shows_the_layer_that_is_asked_for_or_the_last(
        self, tmp_path: Path, nets: dict[str, Net], animals: Dataset, layer: int, said: str
    ):
        found = explorer(tmp_path, nets["group"], "group", animals, layer=layer)
        assert f"what its {said} normalization layer receives" in found["source"]
        gamma = nets["group"].features[0][1].weight.tolist() if layer == 0 else [1.0] * 8
        assert found["activation"]["gamma"] == pytest.approx(gamma, abs=1e-4)


class TestTheDrawing:
    OFFERED = (7, 0, 11)

    @pytest.fixture
    def found(self, tmp_path: Path, nets: dict[str, Net], animals: Dataset) -> dict[str, Any]:
        page_data.write_drawing_data(tmp_path / "drawing-data.js", nets, animals, self.OFFERED)
        return held(tmp_path / "drawing-data.js", "drawingData")

    def test_has_the_dataset_s_name_classes_mean_deviation_and_how_images_lie(
        self, found: dict[str, Any], animals: Dataset
    ):
        assert (found["dataset"], tuple(found["classes"])) == ("animals", CLASSES)
        assert (found["mean"], found["std"]) == (animals.mean, animals.std)
        assert found["placement"] == page_data.placement(animals.train_images)

    def test_has_whole_networks_by_the_names_of_their_variants(self, found: dict[str, Any]):
        assert list(found["networks"]) == ["batch", "group"]
        kinds = {name: {layer["kind"] for layer in layers} for name, layers in found["networks"].items()}
        assert kinds["batch"] - kinds["group"] == {"batch"}
        assert kinds["group"] - kinds["batch"] == {"group"}

    def test_has_the_offered_images_in_their_order_with_what_each_network_says(
        self, found: dict[str, Any], nets: dict[str, Net], animals: Dataset
    ):
        assert [image["index"] for image in found["mistakes"]] == list(self.OFFERED)
        assert [image["label"] for image in found["mistakes"]] == [1, 4, 1]
        for image in found["mistakes"]:
            own = animals.test_images[image["index"]]
            assert list(base64.b64decode(image["pixels"])) == own.flatten().tolist()
            said = {name: int(net.eval()(data.to_input(own[None], animals)).argmax()) for name, net in nets.items()}
            assert image["predictions"] == said
        for net in nets.values():
            net.train()

    def test_has_no_network_that_the_page_cannot_run(self, tmp_path: Path, animals: Dataset):
        net = nn.Sequential(nn.Flatten(), nn.Linear(784, 10), nn.GELU())
        with pytest.raises(ValueError, match=r"^the page cannot run GELU\(approximate='none'\) \(2\)$"):
            page_data.write_drawing_data(tmp_path / "drawing-data.js", {"own": net}, animals, [0])
        assert list(tmp_path.iterdir()) == []


def test_where_the_page_can_run_all_networks_nothing_is_said(nets: dict[str, Net]):
    assert page_data.left_out(nets.values()) == page_data.left_out([]) == ""


def test_why_nothing_can_be_drawn_is_said_in_one_line_if_any_network_cannot_be_run(nets: dict[str, Net]):
    begins = "Nothing can be drawn here, since the networks hold what the page's arithmetic does not know: "
    said = page_data.left_out([nets["group"], nn.Sequential(nn.GELU())])
    assert said == f"{begins}the page cannot run GELU(approximate='none') (0)."
    said = page_data.left_out([nn.Sequential(nn.TransformerEncoderLayer(2, 1, 2, batch_first=True))])
    assert said.startswith(f"{begins}the page cannot run TransformerEncoderLayer( (self_attn): ")
    assert "\n" not in said


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    file = tmp_path_factory.mktemp("training") / "training-data.js"
    read = {"norm_arg": "batch", "epochs": 3, "l1": 1e-4, "seed": 0}
    unread = dict.fromkeys(("dataset", "easy", "device", "threads", "model", "baseline", "output"), "x")
    page_data.write_training_data(file, {"one": read | unread, "other": {"epochs": 5}})
    return held(file, "trainingData")


class TestTheTraining:
    def test_has_the_digits_small_and_in_the_order_in_which_they_are_loaded(self, trained: dict[str, Any]):
        digits = data.load("digits")
        labels = torch.tensor([int(label) for label in trained["labels"]])
        assert torch.equal(labels, torch.cat([digits.train_labels, digits.test_labels]))
        small = unpacked(trained["images"], len(labels))
        assert int(small.max()) == 16
        enlarged = F.interpolate(small.float().view(-1, 1, 8, 8) * (255 / 16), size=(28, 28), mode="bilinear")
        images = torch.cat([digits.train_images, digits.test_images])
        assert torch.equal(enlarged.round().to(torch.uint8).squeeze(1), images)
        assert (trained["training"], trained["mean"], trained["std"]) == (599, digits.mean, digits.std)

    def test_has_the_parameters_that_mean_something_in_a_page(self, trained: dict[str, Any]):
        assert trained["variants"] == {
            "one": {"norm_arg": "batch", "epochs": 3, "l1": 1e-4, "seed": 0},
            "other": {"epochs": 5},
        }

    def test_has_a_colour_for_each_normalization_and_for_none(self, trained: dict[str, Any]):
        assert list(trained["colours"]) == list(NORMALIZATIONS)
        assert trained["colours"]["none"] == "#555555"


def unpacked(text: str, number: int) -> Tensor:
    """The images (N, 64) that `trainingData` holds, pixel by pixel, each in the order of the sum of those before it."""
    packed = np.frombuffer(zlib.decompress(base64.b64decode(text)), np.uint8).reshape(64, number)
    images = np.zeros((number, 64), np.uint8)
    for place, values in enumerate(packed):
        known = sum((images[:, place - back] for back in (1, 7, 8) if back <= place), np.zeros(number, np.uint8))
        images[np.argsort(known, kind="stable"), place] = values
    return torch.from_numpy(images)


class TestThePlacement:
    """How real images and strokes are measured is tested with the drawing."""

    @staticmethod
    def boxes(*sides: tuple[int, int]) -> Tensor:
        images = torch.zeros(len(sides), 28, 28, dtype=torch.uint8)
        for image, (height, width) in zip(images, sides, strict=True):
            image[3 : 3 + height, 5 : 5 + width] = 255
        return images

    def test_of_a_box_the_longer_side_counts_and_of_all_boxes_the_median(self):
        assert page_data.placement(self.boxes((6, 4), (4, 6)))["side"] == 6
        assert page_data.placement(self.boxes((2, 1), (3, 9), (20, 20)))["side"] == 9

    def test_what_is_faint_is_not_part_of_what_is_drawn(self):
        images = self.boxes((6, 4), (4, 6))
        images[:, 27, 27] = page_data.FAINT - 1
        assert page_data.placement(images)["side"] == 6
        images[:, 27, 27] = page_data.FAINT
        assert page_data.placement(images)["side"] == 25

    def test_the_centre_is_what_lies_more_steadily_in_one_place(self):
        # A dot of light with a thread to one side or to the other: the mass stays, the box does not.
        images = torch.zeros(2, 28, 28, dtype=torch.uint8)
        images[:, 12:16, 12:16] = 255
        threads = images.clone()
        threads[0, 14, 4:12] = threads[1, 14, 16:24] = 40
        assert page_data.placement(threads)["centre"] == "mass"
        # A frame that stays, with the light in one corner or in the other.
        images[:, [2, 25], 2:26] = images[:, 2:26, [2, 25]] = 40
        images[0, 3:10, 3:10] = images[1, 18:25, 18:25] = 255
        assert page_data.placement(images)["centre"] == "outline"


@given(st.integers(1, 9), st.integers(1, 9), st.integers(1, 9))
def test_the_middle_has_as_much_above_as_below_or_one_row_less_and_so_from_left_to_right(
    height: int, width: int, side: int
):
    places = torch.arange(height * width).view(1, 1, height, width).expand(2, 3, -1, -1)
    found = page_data.middle(places, side)
    assert found.shape == (2, 3, min(side, height), min(side, width))
    (top, left), (bottom, right) = (divmod(int(found[1, 2, end, end]), width) for end in (0, -1))
    assert (height - 1 - bottom) - top in (0, 1)
    assert (width - 1 - right) - left in (0, 1)
