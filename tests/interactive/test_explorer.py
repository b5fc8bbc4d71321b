"""The explorer: its arithmetic is that of statistics.py; it shows what it computes, by mouse, touch and keyboard."""

import itertools
import json
import random
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from playwright.sync_api import Browser, Page

from normstudy import data, statistics
from normstudy.chapters import worked_example
from normstudy.display import notation, page_data
from normstudy.experiments import inside
from normstudy.model import Net
from normstudy.normalizations import NORMALIZATIONS, NORMALIZING
from tests.browser import open_page, served, violations
from tests.interactive.page import write_page
from tests.trainings import build

STRICT = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:"


EXAMPLE = worked_example.example(0)


@pytest.fixture(scope="module")
def net() -> Net:
    """A network that has seen a batch, so that it keeps running statistics."""
    dataset, net = data.load("digits"), build("batch")
    net.train()(data.to_input(dataset.train_images[:64], dataset))
    return net.eval()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, net: Net) -> Path:
    folder = tmp_path_factory.mktemp("page")
    write_page(folder, "explorer")
    path = folder / "shown/interactive/explorer-data.js"
    page_data.write_explorer_data(path, EXAMPLE, net, "batch", data.load("digits"))
    return folder


@pytest.fixture(scope="module")
def tab(browser: Browser, folder: Path) -> Iterator[Page]:
    """One page for all tests: to begin again in it is a tenth of the work of a new one."""
    with browser.new_context() as context:
        page = open_page(context, "about:blank")
        load(page, folder)
        yield page


AGAIN = """() => {
    history.replaceState(null, "", location.pathname);
    document.activeElement.blur();
    document.querySelector("normalization-explorer").open(exploration.begin());
    scrollTo(0, 0);
}"""


@pytest.fixture
def page(tab: Page) -> Iterator[Page]:
    """The page as it opens, for a reader who wants less motion."""
    look(tab)
    tab.errors.clear()
    tab.evaluate(AGAIN)
    yield tab
    assert tab.errors == []


def look(page: Page, width: int = 1280, scheme: str = "light") -> None:
    page.mouse.move(0, 0)
    page.set_viewport_size({"width": width, "height": 900})
    page.emulate_media(media="screen", color_scheme=scheme, reduced_motion="reduce")


def load(page: Page, folder: Path, end: str = "") -> None:
    page.goto("about:blank")  # from one end of an address to another, nothing would be loaded
    page.goto((folder / "index.html").as_uri() + end)


def test_the_page_writes_numbers_as_the_report_does(page: Page):
    values = [0.0, -0.0, -0.004, 0.004, -0.02, 1234.5678, -98765.4, 0.29, 1e-12]
    written = page.evaluate("values => values.map((value) => notation.decimal(value, 2))", values)
    assert written == [notation.decimal(value, 2) for value in values]
    assert page.evaluate("[notation.decimal(7978), notation.decimal(-0.2)]") == ["7,978", "0"]
    assert page.evaluate("notation.percent(0.995, 2)") == notation.percent(0.995, 2)
    assert page.evaluate("[1e-5, 3.5e-12, 2e8].map(notation.power)") == [
        notation.exact(1e-5),
        notation.exact(3.5e-12),
        "2×10⁸",
    ]
    assert page.locator(".calculation").filter(has_text="√(v + 1×10⁻⁵)").count() == 1


def test_its_data_hold_the_example_and_what_the_layer_keeps_for_evaluation(folder: Path, net: Net):
    written = (folder / "shown/interactive/explorer-data.js").read_text(encoding="utf-8")
    held = json.loads(written.removeprefix("globalThis.explorerData = ").removesuffix(";\n"))
    assert held["example"] == {"shape": [4, 4, 2, 2], "values": EXAMPLE.flatten().tolist()}
    module = net.get_submodule(list(inside.normalization_layers(net))[1])
    assert held["activation"]["means"] == pytest.approx(module.running_mean[:8].tolist(), abs=1e-4)
    assert held["activation"]["variances"] == pytest.approx(module.running_var[:8].tolist(), abs=1e-4)


def state(page: Page) -> dict:
    """What the explorer holds, as plain lists."""
    return page.evaluate(
        """() => {
            const { state, found } = document.querySelector("normalization-explorer");
            const plain = (object) => Object.fromEntries(Object.entries(object).map(
                ([name, value]) => [name, ArrayBuffer.isView(value) ? [...value] : value]));
            return { ...plain(state), found: plain(found) };
        }"""
    )


def tensor(page: Page) -> torch.Tensor:
    """The values of the sheet: (N, C, H, W), float64."""
    now = state(page)
    return torch.tensor(now["values"], dtype=torch.float64).reshape(now["shape"])


def cells(page: Page, what: str) -> list:
    """A property of every value's element, in the order of the tensor's elements."""
    return page.evaluate(
        """(what) => {
            const cells = [...document.querySelector("normalization-explorer").shadowRoot.querySelectorAll(".value")];
            return cells.sort((a, b) => a.dataset.index - b.dataset.index).map(eval(what));
        }""",
        what,
    )


SHARES = "(cell) => cell.classList.contains('shares')"
NUMBER = "(cell) => Number(cell.dataset.value)"


def choose(page: Page, **settings: object) -> None:
    for name, value in settings.items():
        if name == "normalization":
            page.locator(f".card.{value}").click()
        elif name in ("view", "mode"):
            page.locator(f"[name={name}][value={value}]").check()
        else:
            page.locator(f"select[name={name}]").select_option(str(value))


def cases(number: int) -> Iterator[tuple[list[int], str, int]]:
    """Shapes, normalizations and numbers of groups by chance, the same in every run."""
    chance = random.Random(0)
    for _ in range(number):
        shape = [chance.randint(1, 6), chance.randint(1, 12), chance.randint(1, 5), chance.randint(1, 5)]
        groups = chance.choice([groups for groups in range(1, shape[1] + 1) if shape[1] % groups == 0])
        yield shape, chance.choice(NORMALIZING), groups


def test_the_page_computes_what_statistics_py_computes(page: Page) -> None:
    torch.manual_seed(0)
    for shape, normalization, groups in cases(60):
        x = 3 * torch.randn(shape, dtype=torch.float64) + 1
        gamma, beta = torch.randn(2, shape[1], dtype=torch.float64)
        found = page.evaluate(
            """([values, shape, normalization, groups, gamma, beta]) => {
                const found = globalThis.normalization.statistics(values, shape, normalization, groups);
                const y = globalThis.normalization.normalize(values, shape, found, gamma, beta);
                const parts = [found.sets, found.sums, found.means, found.variances, found.deviations, y];
                const count = globalThis.normalization.count(shape, normalization, groups);
                return [count, found.size, ...parts.map((part) => [...part])];
            }""",
            [x.flatten().tolist(), shape, normalization, groups, gamma.tolist(), beta.tolist()],
        )
        count, size, sets, *numbers = found
        expected = statistics.statistics(x, normalization, groups)
        assert count == statistics.count(shape, normalization, groups)
        assert size == expected.size
        assert sets == expected.sets.flatten().tolist()
        y = statistics.normalize(x, normalization, groups, gamma, beta)
        wanted = (expected.sums, expected.means, expected.variances, expected.standard_deviations, y)
        for number, want in zip(numbers, wanted, strict=True):
            got = torch.tensor(number, dtype=torch.float64)
            torch.testing.assert_close(got, want.flatten(), rtol=1e-11, atol=1e-11)


@pytest.mark.parametrize("groups", [0, 3])
def test_the_page_refuses_groups_that_do_not_divide_the_channels(page: Page, groups: int) -> None:
    with pytest.raises(Exception, match="must divide the 4 channels"):
        page.evaluate("(groups) => normalization.sharingSets([1, 4, 1, 1], 'group', groups)", groups)


def seen(page: Page) -> list[str]:
    """What is written in each cell, without what is only heard."""
    return cells(page, "(cell) => cell.lastChild.textContent")


def test_it_opens_on_the_worked_example_with_its_integers(page: Page) -> None:
    assert torch.equal(tensor(page), EXAMPLE)
    assert seen(page) == [f"{value:.0f}" for value in EXAMPLE.flatten()]
    assert "worked example" in page.locator(".source").inner_text()
    assert "Σx / m = 62 / 16" in page.locator(".calculation").inner_text()


def test_it_offers_what_a_layer_of_the_trained_network_receives_and_keeps(page: Page, net: Net) -> None:
    dataset = data.load("digits")
    labels = dataset.test_labels.tolist()
    images = data.to_input(dataset.test_images[[labels.index(label) for label in range(4)]], dataset)
    with torch.no_grad():
        activation = net.features[1][:-2](net.features[0](images))  # (4, 12, 14, 14), before the second normalization
    expected = activation[:, :4, 5:7, 5:7].flatten()
    choose(page, source="network")
    assert cells(page, NUMBER) == pytest.approx(expected.tolist(), abs=1e-4)
    assert "trained on digits" in page.locator(".source").inner_text()
    module = net.get_submodule(list(inside.normalization_layers(net))[1])
    assert state(page)["running"]["means"] == pytest.approx(module.running_mean[:4].tolist(), abs=1e-4)


def test_training_steps_and_evaluation_are_those_of_batch_normalization(page: Page) -> None:
    mean, variance = torch.zeros(4).double(), torch.ones(4).double()
    for button, times in (("1 training step", 1), ("10 steps", 10)):
        page.get_by_role("button", name=button).click()
        for _ in range(times):
            mean, variance = statistics.update_running(mean, variance, EXAMPLE)
    running = state(page)["running"]
    assert running["means"] == pytest.approx(mean.tolist())
    assert running["variances"] == pytest.approx(variance.tolist())
    choose(page, mode="evaluation")
    choose(page, view="normalized")
    expected = F.batch_norm(EXAMPLE, mean, variance).flatten().tolist()
    assert cells(page, NUMBER) == pytest.approx(expected)
    assert page.locator(".calculation").filter(has_text="kept in training").count() == 1
    page.locator("[data-index='60']").click()  # in the last image
    page.get_by_label("Change this x").fill("50")
    assert cells(page, NUMBER)[:60] == pytest.approx(expected[:60])
    choose(page, mode="training")
    assert cells(page, NUMBER)[:16] != pytest.approx(expected[:16])


def follow(page: Page, end: str) -> None:
    """Go to an end of the page's address, and wait until it is shown, and fitted into its room."""
    page.evaluate(
        """(end) => new Promise((shown) => {
            if (location.hash === end) return shown();
            addEventListener("hashchange", () => requestAnimationFrame(() => requestAnimationFrame(shown)), { once: true });
            location.hash = end;
        })""",  # noqa: E501
        end,
    )


REASONS = """(off) => off.map((control) => {
    const where = control.closest("[aria-describedby]").getAttribute("aria-describedby");
    return [control.outerHTML, control.getRootNode().getElementById(where).innerText];
})"""


@pytest.mark.parametrize("normalization", NORMALIZING)
def test_what_is_off_says_why(page: Page, normalization: str) -> None:
    for mode in ("training", "evaluation"):
        follow(page, f"#explorer?normalization={normalization}&mode={mode}")
        reasons = page.locator("normalization-explorer :is(button, select, input):disabled").evaluate_all(REASONS)
        assert reasons
        for control, reason in reasons:
            assert reason, control


SOLUTIONS: dict[str, Callable[[Page], object]] = {
    "one image alone": lambda page: choose(page, mode="evaluation"),
    "a channel as it was": lambda page: page.get_by_role("button", name="γ = σ, β = μ").click(),
    "evaluation like training": lambda page: (
        [page.get_by_role("button", name="10 steps").click() for _ in range(4)],
        choose(page, mode="evaluation"),
    ),
    "nothing left": lambda page: choose(page, N=1, H=1),
}


@pytest.mark.parametrize("title", SOLUTIONS)
def test_a_task_notices_when_it_is_solved(page: Page, title: str) -> None:
    task, says = page.locator("p.task"), page.locator("normalization-explorer").get_by_role("status")
    assert not task.is_visible()
    page.get_by_label("a task").select_option(title)
    assert task.inner_text().endswith("Not yet.")
    SOLUTIONS[title](page)
    assert "✓ Solved." in task.inner_text()
    says.filter(has_text="Task solved").wait_for(state="attached")
    page.get_by_role("button", name="Start again").click()
    assert task.inner_text().endswith("Not yet.")


def test_every_task_has_a_solution(page: Page) -> None:
    assert page.locator("select[name=task] option").all_inner_texts() == ["none", *SOLUTIONS]


def address(page: Page) -> str:
    """The end of the page's address, once the explorer has written it: timers of one length end in their order."""
    return page.evaluate("() => new Promise((written) => setTimeout(() => written(location.hash), 300))")


def test_its_state_is_in_the_address_and_comes_back_from_it(page: Page) -> None:
    assert address(page) == ""
    choose(page, normalization="group", groups=4, view="output")
    page.locator("[data-index='9']").click()
    page.get_by_label("Change this x").fill("-3.5")
    page.get_by_label("scale γ").fill("2")
    page.locator(".idea").hover()
    end, before = address(page), state(page)
    assert end.startswith("#explorer?")
    page.goto(page.url.split("#")[0])
    assert state(page) != before
    follow(page, end)
    assert state(page) == before
    page.reload()
    assert state(page) == before
    page.get_by_role("button", name="Start again").click()
    assert address(page) == ""


def test_an_address_that_leads_elsewhere_stays_as_it_is(page: Page) -> None:
    page.evaluate("location.hash = '#sec-worked'")
    page.get_by_role("button", name="Start again").click()
    assert address(page) == "#sec-worked"


@pytest.mark.parametrize(
    "end", ["#explorer?", "#explorer?normalization=weight&N=99&x=0:1e9&gamma=NaN", "#explorer?%E0%A4%A"]
)
def test_a_wrong_address_opens_the_example(page: Page, folder: Path, end: str) -> None:
    load(page, folder, end)
    assert torch.equal(tensor(page), EXAMPLE)


def test_an_address_of_a_state_leads_to_the_figure(browser: Browser, folder: Path) -> None:
    with browser.new_context(viewport={"width": 1280, "height": 600}) as context:
        page = context.new_page()
        page.add_init_script(
            "addEventListener('DOMContentLoaded', () => (document.querySelector('h1').style.paddingBlock = '40rem'))"
        )
        page.goto((folder / "index.html").as_uri() + "#explorer?normalization=layer")
        page.locator(".card.layer").wait_for()
        page.wait_for_function(
            """() => {
                const { top } = document.querySelector("normalization-explorer").getBoundingClientRect();
                return 0 <= top && top < 200;
            }"""
        )


def framed(normalization: str) -> bool:
    """Whether what shares lies together, so that it is framed."""
    return "H" not in NORMALIZATIONS[normalization].apart


@pytest.mark.parametrize("normalization", NORMALIZING)
def test_pointing_at_a_value_marks_those_that_share_with_it_and_no_other(page: Page, normalization: str) -> None:
    choose(page, N=3, C=6, normalization=normalization)  # groups stay 2
    sets = statistics.sharing_sets((3, 6, 2, 2), normalization, 2).flatten()
    for index in (0, 29, 71):
        page.locator(f"[data-index='{index}']").hover()
        marked = torch.tensor(cells(page, SHARES))
        assert torch.equal(marked, sets == sets[index])
        dots = cells(page, "(cell) => getComputedStyle(cell, '::after').content !== 'none'")
        assert dots == marked.tolist(), "a mark that is no colour"
        assert page.locator(".frame.shares").count() == framed(normalization)


@pytest.mark.parametrize("normalization", NORMALIZING)
def test_the_numbers_of_a_value_are_those_of_its_set(page: Page, normalization: str) -> None:
    choose(page, normalization=normalization)
    page.locator("[data-index='37']").click()
    x = tensor(page)
    found = statistics.statistics(x, normalization, 2)
    own = found.sets.flatten()[37]
    shown = [float(text.replace("−", "-")) for text in page.locator(".calculation .is").all_inner_texts()]
    normalized = statistics.normalize(x, normalization, 2).flatten()[37]
    centred = NORMALIZATIONS[normalization].centred
    sums = [found.sums[own], found.means[own]] if centred else []
    expected = [found.size, *sums, found.variances[own], found.standard_deviations[own]]
    assert shown == pytest.approx([*map(float, expected), float(normalized), float(normalized)], abs=1e-3)
    what = "means" if centred else "root mean squares"
    assert f"= {statistics.count(x.shape, normalization, 2)} {what}" in page.locator(".idea").inner_text()
    assert page.locator(".label").count() == framed(normalization) * statistics.count(x.shape, normalization, 2)


def test_a_button_steps_through_all_normalizations(page: Page) -> None:
    seen = [state(page)["normalization"]]
    for _ in NORMALIZING:
        page.get_by_role("button", name="Next normalization").click()
        seen.append(state(page)["normalization"])
        page.get_by_role("status").filter(has_text=NORMALIZATIONS[seen[-1]].title).wait_for(state="attached")
    assert seen == [*NORMALIZING, NORMALIZING[0]]


@pytest.mark.parametrize("name", NORMALIZING)
def test_each_normalization_has_its_colour(page: Page, name: str) -> None:
    colour = page.locator(f".card.{name}").evaluate("(card) => getComputedStyle(card).borderInlineStartColor")
    red, green, blue = (int(NORMALIZATIONS[name].colour[start : start + 2], 16) for start in (1, 3, 5))
    assert colour == f"rgb({red}, {green}, {blue})"


@pytest.mark.parametrize("channels", range(1, 9))
def test_only_divisors_of_the_channels_are_offered_as_groups(page: Page, channels: int) -> None:
    choose(page, C=channels)
    offered = page.locator("select[name=groups] option").all_inner_texts()
    assert [int(text) for text in offered] == [g for g in range(1, channels + 1) if channels % g == 0]


def test_larger_shapes_are_filled_with_numbers_that_are_always_the_same(page: Page) -> None:
    choose(page, N=6, C=8, H=4)
    first = tensor(page)
    assert first.shape == (6, 8, 4, 4)
    assert "generated" in page.locator(".source").inner_text()
    assert abs(float(first.mean())) < 0.1
    assert abs(float(first.std()) - 1) < 0.1
    page.get_by_role("button", name="Start again").click()
    choose(page, N=6, C=8, H=4)
    assert torch.equal(tensor(page), first)


def test_the_arrow_keys_walk_over_the_sheet_which_is_one_tab_stop(page: Page) -> None:
    page.locator("[data-index='0']").focus()
    here = "() => Number(document.querySelector('normalization-explorer').shadowRoot.activeElement.dataset.index)"
    steps = {
        "ArrowRight": 1,
        "ArrowDown": 3,  # one row down
        "End": 15,  # the last column of channel 4, same row
        "Control+End": 63,
        "ArrowRight ": 63,  # the edge
        "ArrowUp": 61,
        "Home": 48,
        "Control+Home": 0,
    }
    for key, index in steps.items():
        page.keyboard.press(key.strip())
        assert page.evaluate(here) == index, key
        assert sum(tab == 0 for tab in cells(page, "(cell) => cell.tabIndex")) == 1
        assert state(page)["kept"] == index
    page.get_by_role("status").filter(has_text="shares mean").wait_for(state="attached")
    focused = "document.querySelector('normalization-explorer').shadowRoot.activeElement"
    assert page.evaluate(f"() => getComputedStyle({focused}).outlineStyle") == "solid"


def test_a_pointer_that_leaves_gives_the_chosen_value_back(page: Page) -> None:
    page.locator("[data-index='5']").click()
    page.locator("[data-index='50']").hover()
    assert state(page)["pointed"] == 50
    page.locator(".idea").hover()
    assert (state(page)["pointed"], state(page)["kept"]) == (None, 5)


@pytest.mark.parametrize("normalization", NORMALIZING)
def test_gamma_and_beta_of_a_set_give_its_part_of_the_channel_back(page: Page, normalization: str) -> None:
    choose(page, normalization=normalization)
    page.locator("[data-index='21']").click()
    page.get_by_role("button", name="γ = σ, β = ").click()
    x = tensor(page)
    result = torch.tensor(cells(page, NUMBER)).reshape(x.shape)
    restored = (result - x).abs() < 1e-3  # numbers are shown with four decimals
    sets = statistics.sharing_sets(x.shape, normalization, 2)
    own = (sets == sets.flatten()[21])[:, 1]  # value 21 is in channel 1, counted from 0
    assert restored[:, 1][own].all()
    assert not restored[:, [0, 2, 3]].all()


def test_a_changed_value_moves_the_statistics_of_its_set_alone(page: Page) -> None:
    choose(page, normalization="layer")
    before = state(page)["found"]["means"]
    page.locator("[data-index='20']").click()  # in image 2
    page.get_by_label("Change this x").fill("100")
    after = state(page)["found"]["means"]
    assert [old != new for old, new in zip(before, after, strict=True)] == [False, True, False, False]
    assert cells(page, NUMBER)[20] == 100


def test_a_slider_scales_all_channels_or_one(page: Page) -> None:
    page.get_by_label("scale γ").fill("2")
    assert state(page)["gamma"] == [2, 2, 2, 2]
    page.locator("[data-index='8']").click()  # channel 3
    page.locator("[name=scope][value=one]").check()
    page.get_by_label("shift β").fill("-1.5")
    assert state(page)["beta"] == [0, 0, -1.5, 0]
    x = tensor(page)
    y = statistics.normalize(x, "batch", 1, torch.tensor([2.0] * 4), torch.tensor([0, 0, -1.5, 0]))
    assert cells(page, NUMBER) == pytest.approx(y.flatten().tolist(), abs=1e-3)


@pytest.mark.parametrize(("shape", "digits"), [({}, True), ({"H": 4}, False)])
def test_it_fits_a_phone_and_a_finger(browser: Browser, folder: Path, shape: dict, digits: bool) -> None:
    with browser.new_context(viewport={"width": 360, "height": 740}, has_touch=True, is_mobile=True) as context:
        page = open_page(context, (folder / "index.html").as_uri())
        choose(page, **shape)
        page.locator("[data-index='3']").tap()
        assert state(page)["kept"] == 3
        assert page.evaluate("document.documentElement.scrollWidth") <= 360
        sizes = cells(page, "(cell) => [cell.offsetWidth, cell.offsetHeight]")
        assert min(side for size in sizes for side in size) >= 22  # with the gap between them 24
        assert all(cells(page, "(cell) => cell.scrollWidth <= cell.clientWidth"))
        assert any(cells(page, "(cell) => cell.lastChild.textContent !== ''")) is digits


TEXTS = """() => {
    const root = document.querySelector("normalization-explorer").shadowRoot;
    const texts = [];
    for (const part of root.querySelectorAll(".value, .label, .head")) {
        if (getComputedStyle(part).visibility === "hidden" || part.classList.contains("unseen")) continue;
        const words = document.createTreeWalker(part, NodeFilter.SHOW_TEXT);
        while (words.nextNode()) {
            const text = words.currentNode;
            if (!text.data.trim() || text.parentElement.classList.contains("unseen")) continue;
            const range = document.createRange();
            range.selectNodeContents(text);
            const { left, right, top, bottom } = range.getBoundingClientRect();
            const size = parseFloat(getComputedStyle(part).fontSize);
            if (right > left) texts.push({ text: text.data, left, right, top, bottom, size });
        }
    }
    return texts;
}"""


def colliding(texts: list[dict]) -> np.ndarray:
    """The numbers of texts that lie upon one another, in pairs."""
    left, right, top, bottom = np.array([[text[side] for side in SIDES] for text in texts]).T[:, :, None]
    apart = (right <= left.T + 0.5) | (bottom <= top.T + 4)
    return np.argwhere(np.triu(~(apart | apart.T), k=1))


SIDES = ("left", "right", "top", "bottom")


@pytest.mark.parametrize("width", [360, 390, 700, 1280])
def test_numbers_never_collide(page: Page, width: int) -> None:
    look(page, width)
    for channels, side, normalization in itertools.product((4, 8), (1, 2, 4), NORMALIZING):
        shape, gamma = f"C={channels}&H={side}", ",".join(["9"] * channels)
        end = f"#explorer?{shape}&normalization={normalization}&view=output&x=0:-1000,5:99.75&gamma={gamma}"
        follow(page, end)
        texts = page.evaluate(TEXTS)
        assert min(text["size"] for text in texts) >= 9
        for pair in colliding(texts):
            raise AssertionError((end, *(texts[i] for i in pair)))


def test_a_sheet_that_goes_on_says_so(page: Page) -> None:
    hint = page.get_by_text("scroll it sideways")
    for width, channels, goes_on in ((1280, 8, False), (390, 8, True), (390, 4, False)):
        page.set_viewport_size({"width": width, "height": 900})
        follow(page, f"#explorer?C={channels}&H=2")
        scrolls = page.locator(".scroll").first.evaluate("(box) => box.scrollWidth > box.clientWidth + 1")
        assert (hint.is_visible(), scrolls) == (goes_on, goes_on), (width, channels)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 1280])
def test_axe_finds_no_violation(page: Page, width: int, scheme: str) -> None:
    look(page, width, scheme)
    for end in (
        "#explorer?",
        "#explorer?C=8&mode=evaluation&view=output&task=alone",
        "#explorer?normalization=layer&task=back",
    ):
        follow(page, end)
        assert violations(page) == [], end


def test_a_reader_without_javascript_and_a_printer_see_the_static_figure(
    browser: Browser, page: Page, folder: Path
) -> None:
    assert not page.get_by_text("Static figure.").first.is_visible()
    page.emulate_media(media="print")
    assert page.get_by_text("Static figure.").first.is_visible()
    assert not page.locator(".idea").is_visible()
    with browser.new_context(java_script_enabled=False) as context:
        page = open_page(context, (folder / "index.html").as_uri())
        assert page.get_by_text("Static figure.").first.is_visible()


def test_nothing_moves_for_a_reader_who_wants_less_motion(page: Page) -> None:
    for preference, moves in (("reduce", False), ("no-preference", True)):
        page.emulate_media(reduced_motion=preference)
        duration = page.locator(".sheet").evaluate("(sheet) => getComputedStyle(sheet).transitionDuration")
        assert (duration not in ("0s", "none")) is moves


def test_it_works_under_a_content_security_policy_that_allows_only_its_own_files(
    browser: Browser, folder: Path
) -> None:
    with served(folder, STRICT) as address, browser.new_context() as context:
        page = open_page(context, f"{address}/index.html")
        page.get_by_role("button", name="Next normalization").click()
        assert state(page)["normalization"] == "layer"
        assert page.locator(".frame.shares").is_visible()
        assert page.errors == []
