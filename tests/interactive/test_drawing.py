"""The drawing: the page's networks say what PyTorch's say, for drawn and picked digits, by pointer and keyboard."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from playwright.sync_api import Browser, Page

from normstudy import data, files, training
from normstudy.analysis import trained_layers
from normstudy.display import page_data
from normstudy.experiments.parameters import VARIANTS
from normstudy.model import Net
from tests.browser import open_page, violations
from tests.interactive.page import write_page
from tests.trainings import build, settings

OFFERED = [3, 1, 4, 15, 9]


@pytest.fixture(scope="module")
def digits() -> data.Dataset:
    return data.load("digits")


@pytest.fixture(scope="module")
def nets(digits: data.Dataset) -> dict[str, Net]:
    nets = {name: build(name) for name in VARIANTS}
    for net in nets.values():
        training.fit(net, digits, settings(epochs=5, batch_size=32))
    return {name: net.eval() for name, net in nets.items()}


def write_figure(folder: Path, nets: Mapping[str, Net], dataset: data.Dataset) -> Path:
    """A page with the figure for these networks and this dataset."""
    path = write_page(folder, "explorer", "drawing")
    interactive = folder / "shown" / "interactive"
    explorer = interactive / "explorer-data.js"
    page_data.write_explorer_data(explorer, torch.zeros(1, 2, 2, 2), next(iter(nets.values())), "layer", dataset)
    page_data.write_drawing_data(interactive / "drawing-data.js", nets, dataset, OFFERED)
    return path


@pytest.fixture(scope="module")
def figure(tmp_path_factory: pytest.TempPathFactory, nets: dict[str, Net], digits: data.Dataset) -> Path:
    return write_figure(tmp_path_factory.mktemp("drawing"), nets, digits)


@pytest.fixture(scope="module")
def tab(browser: Browser) -> Iterator[Page]:
    with browser.new_context() as context:
        yield open_page(context, "about:blank")


Opener = Callable[[Path], Page]


@pytest.fixture
def opened(tab: Page) -> Iterator[Opener]:
    """Opens a page with the figure, always in the same tab."""
    tab.errors.clear()
    tab.set_viewport_size({"width": 1280, "height": 1600})
    tab.emulate_media(color_scheme="light", reduced_motion="reduce")

    def open_figure(path: Path) -> Page:
        tab.goto(path.as_uri())
        tab.locator("digit-drawing .answers").wait_for()
        return tab

    yield open_figure
    assert tab.errors == []


@pytest.fixture
def page(opened: Opener, figure: Path) -> Page:
    return opened(figure)


def answers(page: Page) -> dict[str, dict]:
    return page.evaluate("() => document.querySelector('digit-drawing').answers")


@torch.no_grad()
def assert_agrees(page: Page, nets: dict[str, Net], digits: data.Dataset, pixels: torch.Tensor) -> None:
    inputs = data.to_input(pixels.view(1, 28, 28), digits)
    for name, answer in answers(page).items():
        assert (nets[name](inputs)[0] - torch.tensor(answer["logits"])).abs().max() < 1e-4
        observed = trained_layers.observe(nets[name], inputs, training=False)
        assert len(observed) == len(answer["statistics"])
        for layer, shown in zip(observed, answer["statistics"], strict=True):
            mean, deviation = trained_layers.measured(layer)
            sets = shown_sets(mean.shape[1], len(shown["means"]))
            torch.testing.assert_close(
                mean[0].nan_to_num(),
                torch.where(mean[0].isnan(), 0, torch.tensor(shown["means"], dtype=torch.float64)[sets]),
                atol=1e-4,
                rtol=1e-4,
            )
            torch.testing.assert_close(
                deviation[0].nan_to_num(),
                torch.where(deviation[0].isnan(), 0, torch.tensor(shown["deviations"], dtype=torch.float64)[sets]),
                atol=1e-4,
                rtol=1e-4,
            )


def shown_sets(channels: int, sets: int) -> torch.Tensor:
    """Which of the shown statistics each channel uses."""
    return torch.arange(channels) // (channels // sets)


def test_a_picked_image_is_judged_as_pytorch_does(page: Page, nets: dict[str, Net], digits: data.Dataset):
    for index in OFFERED:
        page.locator(f"digit-drawing .pick[data-index='{index}']").click()
        assert_agrees(page, nets, digits, digits.test_images[index])


def test_noise_is_judged_as_pytorch_does(page: Page, nets: dict[str, Net], digits: data.Dataset):
    generator = torch.Generator().manual_seed(0)
    for _ in range(10):
        pixels = torch.randint(0, 256, (28, 28), generator=generator)
        page.evaluate(
            "(pixels) => document.querySelector('digit-drawing').show(pixels, 'noise')", pixels.flatten().tolist()
        )
        assert_agrees(page, nets, digits, pixels)


def draw(page: Page) -> torch.Tensor:
    """Draw a tick with a long arm, and return the pixels (28, 28) that the networks get."""
    page.get_by_role("button", name="Clear").click()
    assert answers(page) is None
    box = page.locator("digit-drawing .pad").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 0.1 * box["width"], box["y"] + 0.4 * box["height"])
    page.mouse.down()
    for x, y in ((0.2, 0.5), (0.3, 0.1)):
        page.mouse.move(box["x"] + x * box["width"], box["y"] + y * box["height"], steps=5)
    page.mouse.up()
    return torch.tensor(list(page.evaluate("() => [...document.querySelector('digit-drawing').pixels]"))).view(28, 28)


def box_of(drawn: torch.Tensor) -> tuple[float, float, float, float]:
    """The height and width of what is drawn, and the row and column of its middle."""
    rows, columns = (lines.nonzero().flatten() for lines in ((drawn > 60).any(dim=1), (drawn > 60).any(dim=0)))
    return (
        float(rows[-1] - rows[0] + 1),
        float(columns[-1] - columns[0] + 1),
        float(rows[-1] + rows[0] + 1) / 2,
        float(columns[-1] + columns[0] + 1) / 2,
    )


def centre_of_mass(drawn: torch.Tensor) -> list[float]:
    place, weights = torch.arange(28) + 0.5, drawn / drawn.sum()
    return [float((weights.sum(dim=along) * place).sum()) for along in (1, 0)]


def test_a_drawing_fills_the_frame_where_the_images_do(page: Page, nets: dict[str, Net], digits: data.Dataset):
    drawn = draw(page)
    height, width, row, column = box_of(drawn)
    assert (height, row) == (28, 14)
    assert width < 20
    assert column == pytest.approx(14, abs=1)
    assert centre_of_mass(drawn) != pytest.approx([14, 14], abs=0.6)
    said = page.locator("digit-drawing .placement").inner_text()
    assert (
        said == "A drawing is scaled to 28 of 28 pixels, with its outline in the middle, as the images of digits are."
    )
    assert_agrees(page, nets, digits, drawn)


def test_a_drawing_is_small_and_centred_by_mass_where_the_images_are(
    opened: Opener, tmp_path: Path, nets: dict[str, Net], digits: data.Dataset
):
    page = opened(write_figure(tmp_path, nets, as_mnist_was_made(digits)))
    drawn = draw(page)
    height, _, row, _ = box_of(drawn)
    assert 18 <= height <= 21
    assert row != pytest.approx(14, abs=0.4)
    assert centre_of_mass(drawn) == pytest.approx([14, 14], abs=0.6)
    said = page.locator("digit-drawing .placement").inner_text()
    assert "scaled to 20 of 28 pixels, with its centre of mass in the middle" in said


def as_mnist_was_made(dataset: data.Dataset) -> data.Dataset:
    """The same images with 20 pixels at most, their centre of mass in the middle."""

    def remade(images: torch.Tensor) -> torch.Tensor:
        small = F.interpolate(images.unsqueeze(1).float(), size=(20, 20), mode="area").round().byte()
        return torch.stack([placed(image[0]) for image in small])

    def placed(image: torch.Tensor) -> torch.Tensor:
        place, weights = torch.arange(20) + 0.5, image / image.sum()
        top, left = (round(14 - float((weights.sum(dim=along) * place).sum())) for along in (1, 0))
        return F.pad(image, (left, 8 - left, top, 8 - top))

    return replace(dataset, train_images=remade(dataset.train_images), test_images=remade(dataset.test_images))


def test_how_images_lie_in_their_frame_is_measured_on_them(digits: data.Dataset):
    filling = page_data.placement(digits.train_images)
    assert (filling["side"], filling["centre"]) == (28, "outline")
    assert page_data.placement(torch.cat([digits.train_images, torch.zeros(9, 28, 28, dtype=torch.uint8)])) == filling
    small = page_data.placement(as_mnist_was_made(digits).train_images)
    assert (small["side"], small["centre"]) == (20, "mass")
    assert small["stroke"] == pytest.approx(filling["stroke"] * 20 / 28, rel=0.1)


@pytest.mark.parametrize("width", [2, 4, 6])
def test_a_stroke_is_as_wide_as_it_is(width: int):
    y, x = torch.meshgrid(torch.arange(28.0), torch.arange(28.0), indexing="ij")
    turned = torch.linspace(0, torch.pi, 24).view(-1, 1, 1)
    across = ((x - 13.5) * turned.cos() + (y - 13.5) * turned.sin()).abs()
    along = ((y - 13.5) * turned.cos() - (x - 13.5) * turned.sin()).abs()
    lines = 255 * ((across < width / 2) & (along < 12))
    assert page_data.placement(lines.byte())["stroke"] == pytest.approx(width, rel=0.25)


def through_the_page(page: Page, images: torch.Tensor) -> torch.Tensor:
    """What the networks get of images (N, 28, 28) that somebody draws on the pad, about as large as people draw."""
    found = page.evaluate(
        """(images) => {
            const figure = document.querySelector("digit-drawing");
            const context = figure.pad.getContext("2d");
            const small = new OffscreenCanvas(28, 28);
            return images.map((pixels) => {
                const image = new ImageData(28, 28);
                pixels.forEach((pixel, i) => image.data.set([255 - pixel, 255 - pixel, 255 - pixel, 255], 4 * i));
                small.getContext("2d").putImageData(image, 0, 0);
                context.fillStyle = "white";
                context.fillRect(0, 0, 280, 280);
                context.imageSmoothingEnabled = true;
                context.drawImage(small, 30, 10, 224, 224);
                return [...figure.prepared()];
            });
        }""",
        images.flatten(1).tolist(),
    )
    return torch.tensor(found).view(-1, 28, 28)


@torch.no_grad()
def accuracy(net: Net, images: torch.Tensor, labels: torch.Tensor, dataset: data.Dataset) -> float:
    return float((net.eval()(data.to_input(images, dataset)).argmax(dim=1) == labels).float().mean())


def test_test_images_that_are_drawn_on_the_pad_are_recognized_as_well(
    page: Page, nets: dict[str, Net], digits: data.Dataset
):
    images, labels = digits.test_images[:300], digits.test_labels[:300]
    drawn = through_the_page(page, images)
    for name, net in nets.items():
        plain = accuracy(net, images, labels, digits)
        assert plain > 0.93, name
        assert accuracy(net, drawn, labels, digits) > plain - 0.02, name


def test_test_images_of_mnist_that_are_drawn_on_the_pad_are_recognized_as_well(opened: Opener, tmp_path: Path):
    if not all(files.find("mnist").values()):
        pytest.skip(f"no MNIST in {files.folder('mnist')}")
    mnist = data.load("mnist")
    part = replace(mnist, train_images=mnist.train_images[:10_000], train_labels=mnist.train_labels[:10_000])
    net = build("batch")
    training.fit(net, part, settings(epochs=1))
    images, labels = mnist.test_images[:300], mnist.test_labels[:300]
    drawn = through_the_page(opened(write_figure(tmp_path, {"batch": net}, part)), images)
    plain = accuracy(net, images, labels, part)
    assert plain > 0.93
    assert accuracy(net, drawn, labels, part) > plain - 0.02


def test_an_image_can_be_picked_by_keyboard_and_is_announced(page: Page):
    page.get_by_role("button", name="Clear").focus()
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert page.locator("digit-drawing .pick[aria-pressed=true]").count() == 1
    page.locator("digit-drawing").get_by_role("status").filter(has_text="batch says").wait_for(state="attached")


def test_every_probability_is_shown_as_a_number_and_they_add_up(page: Page):
    cells = page.locator("digit-drawing .answers td").all_inner_texts()
    numbers = [float(cell.split("%")[0]) for cell in cells]
    assert len(numbers) == 30
    for variant in range(3):
        assert sum(numbers[variant::3]) == pytest.approx(100, abs=0.5)


@pytest.mark.parametrize("width", [360, 1280])
def test_bars_are_as_long_as_probabilities_and_stand_apart_from_numbers(width: int, page: Page):
    page.set_viewport_size({"width": width, "height": 800})
    found = page.locator("digit-drawing .answers td").evaluate_all(
        """(cells) => cells.map((cell) => {
            const box = (part) => cell.querySelector(part).getBoundingClientRect();
            const [track, bar, number] = [".track", ".bar", ".number"].map(box);
            const apart = bar.right <= number.left || bar.top >= number.bottom;
            return [bar.width, track.width, parseFloat(cell.innerText), apart];
        })"""
    )
    assert min(track for _, track, _, _ in found) > 40
    assert all(apart for *_, apart in found)
    for bar, track, shown, _ in found:
        assert bar == pytest.approx(track * shown / 100, abs=2.1)  # its border is always there


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_axe_finds_no_violation_and_digits_are_dark_on_light(page: Page, width: int, scheme: str):
    page.set_viewport_size({"width": width, "height": 900})
    page.emulate_media(color_scheme=scheme)
    page.locator("digit-drawing summary").click()
    assert violations(page) == []
    page.get_by_role("button", name="Clear").click()
    corner = "(pad) => [...pad.getContext('2d').getImageData(0, 0, 1, 1).data, getComputedStyle(pad).filter]"
    assert page.locator("digit-drawing .pad").evaluate(corner) == [255, 255, 255, 255, "none"]


def test_it_fits_a_phone(browser: Browser, page: Page):
    page.set_viewport_size({"width": 360, "height": 800})
    assert page.evaluate("() => document.documentElement.scrollWidth") <= 360


@pytest.mark.parametrize("width", [360, 620, 1280])
def test_no_probability_is_cut_off(width: int, page: Page, digits: data.Dataset):
    page.set_viewport_size({"width": width, "height": 800})
    page.evaluate("() => document.querySelector('digit-drawing').networks.batch.at(-1).arrays.bias.fill(99, 3, 4)")
    for image in digits.test_images[:10]:
        page.evaluate("(pixels) => document.querySelector('digit-drawing').show(pixels, 'x')", image.flatten().tolist())
        cells = page.locator("digit-drawing .answers td")
        assert cells.nth(9).inner_text() == "100.0\xa0%", "nothing is wider"
        assert cells.evaluate_all("(cells) => cells.every((cell) => cell.scrollWidth <= cell.clientWidth)")
