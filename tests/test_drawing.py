"""The drawing: the page's networks say what PyTorch's say, for drawn and picked digits, by pointer and keyboard."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from playwright.sync_api import Browser, Page

from normstudy import data, measurements, page_data, training
from normstudy.model import Net
from tests.reading import chromium, open_page, write_page
from tests.trainings import settings

VARIANTS = ("batch", "layer", "group")
OFFERED = [3, 1, 4, 15, 9]


@pytest.fixture(scope="module")
def digits() -> data.Dataset:
    return data.load("digits")


@pytest.fixture(scope="module")
def nets(digits: data.Dataset) -> dict[str, Net]:
    """Networks that were trained a little, so that batch normalization's stored statistics are not the first ones."""
    nets = {name: training.build(name, 4, seed=1) for name in VARIANTS}
    for net in nets.values():
        training.fit(net, digits, settings(epochs=1, batch_size=64))
    return {name: net.eval() for name, net in nets.items()}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture
def page(browser: Browser, nets: dict[str, Net], digits: data.Dataset, tmp_path: Path) -> Iterator[Page]:
    write_page(tmp_path, "explorer", "drawing")
    statistics = tmp_path / "shown" / "statistics"
    page_data.write_explorer_data(statistics / "explorer-data.js", nets["layer"], "layer", digits)
    page_data.write_drawing_data(statistics / "drawing-data.js", nets, digits, OFFERED)
    context = browser.new_context(viewport={"width": 1280, "height": 1600})
    page = open_page(context, (tmp_path / "index.html").as_uri())
    page.locator("digit-drawing .answers").wait_for()
    yield page
    context.close()
    assert page.errors == []


def answers(page: Page) -> dict[str, dict]:
    return page.evaluate("() => document.querySelector('digit-drawing').answers")


@torch.no_grad()
def assert_agrees(page: Page, nets: dict[str, Net], digits: data.Dataset, pixels: torch.Tensor) -> None:
    inputs = data.to_input(pixels.view(1, 28, 28), digits)
    for name, answer in answers(page).items():
        assert (nets[name](inputs)[0] - torch.tensor(answer["logits"])).abs().max() < 1e-4
        observed = measurements.observe(nets[name], inputs, training=False)
        assert len(observed) == len(answer["statistics"])
        for layer, shown in zip(observed, answer["statistics"], strict=True):
            mean, deviation = measurements.measured(layer)
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


def test_a_drawing_is_centred_scaled_and_judged(page: Page, nets: dict[str, Net], digits: data.Dataset):
    page.get_by_role("button", name="Clear").click()
    assert answers(page) is None
    box = page.locator("digit-drawing .pad").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 0.1 * box["width"], box["y"] + 0.1 * box["height"])
    page.mouse.down()
    page.mouse.move(box["x"] + 0.15 * box["width"], box["y"] + 0.5 * box["height"], steps=5)
    page.mouse.up()
    drawn = torch.tensor(list(page.evaluate("() => [...document.querySelector('digit-drawing').pixels]"))).view(28, 28)
    rows, columns = (drawn > 60).any(dim=1).nonzero().flatten(), (drawn > 60).any(dim=0).nonzero().flatten()
    assert 18 <= rows[-1] - rows[0] + 1 <= 21
    weights = drawn / drawn.sum()
    place = torch.arange(28) + 0.5
    assert (weights.sum(dim=1) * place).sum() == pytest.approx(14, abs=0.6)
    assert (weights.sum(dim=0) * place).sum() == pytest.approx(14, abs=0.6)
    assert columns.float().mean() == pytest.approx(13.5, abs=2)
    assert_agrees(page, nets, digits, drawn)


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


def test_it_fits_a_phone(browser: Browser, page: Page):
    page.set_viewport_size({"width": 360, "height": 800})
    assert page.evaluate("() => document.documentElement.scrollWidth") <= 360
