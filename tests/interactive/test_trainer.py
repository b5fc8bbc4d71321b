"""The trainer: three networks learn in the page, from disk; what is chosen, shown, said and kept in the address."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch
from playwright.sync_api import Browser, Page

from normstudy.display import page_data
from normstudy.experiments.parameters import VARIANTS
from normstudy.normalizations import NORMALIZATIONS
from tests.browser import open_page, served, violations
from tests.commands import ROOT
from tests.interactive.page import write_page
from tests.interactive.test_training import of_variant
from tests.trainings import build

STRICT = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:"
SCRIPTS = ("multiplication", "layers", "model", "digits", "training", "trainer-worker", "trials", "charts", "trainer")
SHORT = "epochs=1,1,1&batch_size=64,64,64"
FEWER = "globalThis.trainingData.training = 128; globalThis.trainingData.labels = trainingData.labels.slice(0, 150);"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The figure, with fewer images than there are, so that it has soon trained."""
    folder = tmp_path_factory.mktemp("trainer")
    write_page(folder, "explorer", "drawing", "train")
    data = folder / "shown" / "interactive"
    page_data.write_training_data(data / "training-data.js", {name: of_variant(name) for name in VARIANTS})
    with (data / "training-data.js").open("a") as file:
        file.write(FEWER)
    digits = page_data.load("digits")
    page_data.write_explorer_data(data / "explorer-data.js", torch.ones(2, 2, 2, 2), build("batch"), "batch", digits)
    (data / "drawing-data.js").write_text("")
    return folder


@pytest.fixture(scope="module")
def tab(browser: Browser) -> Iterator[Page]:
    with browser.new_context() as context:
        yield open_page(context, "about:blank")


Opener = Callable[..., Page]


@pytest.fixture
def opened(tab: Page, folder: Path) -> Iterator[Opener]:
    """Opens the page at an end of its address, always in the same tab."""
    tab.errors.clear()
    tab.emulate_media(media="screen", color_scheme="light", reduced_motion="no-preference")

    def open_trainer(end: str = f"#train?{SHORT}", width: int = 1280) -> Page:
        tab.set_viewport_size({"width": width, "height": 900})
        tab.goto("about:blank")  # from one end of an address to another, nothing would be loaded
        tab.goto((folder / "index.html").as_uri() + end)
        tab.locator("network-trainer form").wait_for()
        return tab

    yield open_trainer
    assert tab.errors == []


@pytest.fixture
def page(opened: Opener) -> Page:
    return opened()


def chosen(page: Page, name: str) -> list[str]:
    return page.evaluate(
        "(name) => document.querySelector('network-trainer').all(`select[name=${name}]`).map(({ value }) => value)",
        name,
    )


def press(page: Page, name: str) -> None:
    page.locator("network-trainer").get_by_role("button", name=name, exact=True).click()


def row(page: Page, name: str) -> list[str]:
    return page.locator(f"network-trainer [data-row={name}] td").all_inner_texts()


def wait_for_the_end(page: Page) -> None:
    ended = "() => document.querySelector('network-trainer').runs.every(({ ended, tests }) => ended && tests.length)"
    page.wait_for_function(ended, timeout=120_000)
    drawn(page)


def drawn(page: Page) -> None:
    """Wait until what the page knows is drawn."""
    page.wait_for_function("() => !document.querySelector('network-trainer').timer")
    page.evaluate("() => new Promise((done) => setTimeout(done, 100))")  # after the tasks that draw distributions


def steps(page: Page) -> list[int]:
    return page.evaluate("() => document.querySelector('network-trainer').runs.map(({ done }) => done)")


def test_three_variants_train_and_end_as_the_loop_alone_ends(page: Page) -> None:
    assert chosen(page, "norm_arg") == list(VARIANTS)
    assert chosen(page, "penalty") == ["L1+L2", "L2", "L1"]
    press(page, "Start")
    wait_for_the_end(page)
    assert page.workers == [], "what has ended is given back"
    for i, name in enumerate(VARIANTS):
        values = of_variant(name) | {"epochs": 1, "batch_size": 64}
        alone = page.evaluate(
            """async (settings) => {
                const came = [...training.fit(await digits.unpack(trainingData), settings)].filter(Boolean);
                const { loss, accuracy, wrong } = came.at(-1);
                return { losses: came.slice(0, -1).map(({ loss }) => loss), loss, accuracy, wrong: wrong.length };
            }""",
            values,
        )
        assert row(page, "test")[i] == f"{100 * alone['accuracy']:.1f}\xa0%"
        assert row(page, "wrong")[i] == f"{alone['wrong']} of 22"
        assert row(page, "state")[i] == "1.0 of 1"
        run = page.evaluate(
            "(i) => (({ tests, steps }) => ({ tests, steps }))(document.querySelector('network-trainer').runs[i])", i
        )
        assert run["tests"][0][1] == pytest.approx(alone["loss"])
        assert run["steps"][0][1] == pytest.approx(alone["losses"][0])
        shown = page.locator(f"network-trainer .wrongs td:nth-of-type({i + 1}) .mistake").count()
        assert shown == min(8, alone["wrong"])


def test_each_normalization_layer_shows_what_goes_in_and_what_comes_out(page: Page) -> None:
    press(page, "One step")
    page.wait_for_function(
        "() => document.querySelector('network-trainer').runs.every(({ distributions: d }) => d.length)"
    )
    drawn(page)
    texts = page.locator("network-trainer .flows td small").all_inner_texts()
    assert len(texts) == 5 * 3
    assert page.locator("network-trainer .graph").first.locator(".plot .mark").count() == 3, "one step is seen, too"
    out = [float(text.split("→")[1]) for text in texts]
    assert out == pytest.approx([1] * 15, abs=0.1), "a new layer's output has the deviation 1"
    heights = (
        "() => document.querySelector('network-trainer').all('.flows td path').map((path) => path.getBBox().height)"
    )
    assert page.evaluate(heights) == pytest.approx([1] * 15), "each is as high as its place"


def come_to_rest(page: Page) -> None:
    """Wait until the workers have done what they were asked to, and the page knows of it."""
    for worker in page.workers:
        worker.evaluate("() => new Promise((done) => setTimeout(done))")
    page.evaluate("() => new Promise((done) => setTimeout(done))")


GO_TWICE = """() => {
    const go = document.querySelector('network-trainer').find('[data-do=go]');
    const labels = [go.textContent];
    for (let i = 0; i < 2; i++) {
        go.click();
        labels.push(go.textContent);
    }
    return labels;
}"""


def test_it_goes_a_step_at_a_time_pauses_and_goes_on(opened: Opener) -> None:
    page = opened("#train?epochs=20,20,20&batch_size=8,8,8")
    assert page.evaluate(GO_TWICE) == ["Start", "Pause", "Continue"], "before it has unpacked its data"
    for number in (1, 2):
        press(page, "One step")
        page.wait_for_function(
            "(n) => document.querySelector('network-trainer').runs.every(({ done }) => done === n)", arg=number
        )
    come_to_rest(page)
    assert steps(page) == [2, 2, 2]
    assert page.evaluate(GO_TWICE) == ["Continue", "Pause", "Continue"], "in one task: before anything can end"
    come_to_rest(page)
    held = steps(page)
    page.wait_for_timeout(500)
    assert steps(page) == held
    press(page, "Continue")
    page.wait_for_function(
        "(held) => document.querySelector('network-trainer').runs.every(({ done }, i) => done > held[i])", arg=held
    )


def pressed(page: Page) -> list[str]:
    return page.locator("network-trainer [aria-pressed=true]").all_inner_texts()


@pytest.mark.parametrize(
    ("question", "expected", "legend"),
    [
        (
            "What if no normalization, depth 16?",
            {"norm_arg": ["batch", "none", "none"], "depth": ["16", "16", "0"]},
            ["batch, 16 more blocks", "no normalization, 16 more blocks", "no normalization"],
        ),
        (
            "What if each test image is normalized alone?",
            {"tested": ["evaluation", "alone", "alone"], "ghost_batch_size": ["0", "0", "1"]},
            [
                "batch, 8 more blocks",
                "batch, 8 more blocks, tested image by image",
                "batch, 8 more blocks, 1 image shares, tested image by image",
            ],
        ),
    ],
)
def test_one_click_asks_a_question_which_the_address_keeps(
    opened: Opener, question: str, expected: dict[str, list[str]], legend: list[str]
) -> None:
    page = opened("")
    press(page, question)
    assert pressed(page) == [question]
    assert {name: chosen(page, name) for name in expected} == expected
    assert page.locator("network-trainer .legend > span > span").all_inner_texts() == legend, "above the graphs"
    assert len(page.workers) == 3, "it trains at once"
    assert page.locator("network-trainer .look").inner_text()
    end = page.evaluate("location.hash")
    press(page, "The three variants")
    assert page.evaluate("location.hash") == "", "how it begins needs no words"
    again = opened(end)
    assert pressed(again) == [question], "a link asks it, too"
    assert {name: chosen(again, name) for name in expected} == expected
    assert again.evaluate("location.hash") == end
    assert again.locator("network-trainer").evaluate("(host) => host.getBoundingClientRect().top < innerHeight")


COMING_TO = """([question, ends]) => {
    const trainer = document.querySelector('network-trainer');
    trainer.set(trials.answer(question));
    trainer.runs.forEach((run, i) => {
        const [accuracy, loss, wrong, widths = []] = ends[i];
        run.distributions = widths.map((deviation) => [{ bins: [1], deviation }, { bins: [1], deviation: 1 }]);
        const tests = Array.from({ length: run.trial.epochs }, (_, epoch) => [epoch + 1, loss, accuracy]);
        Object.assign(run, { wrong, tests, steps: tests, ended: true });
    });
    trainer.draw();
}"""


def ticks(page: Page, graph: int) -> list[str]:
    texts = page.locator("network-trainer .graph").nth(graph).locator("text[text-anchor=end]:not(.unit)")
    return texts.all_text_contents()


def test_the_answer_to_a_question_names_the_numbers_and_shows_them(page: Page) -> None:
    answer = page.locator("network-trainer .found")
    assert not answer.is_visible()
    page.evaluate(COMING_TO, ["alone", [[0.95, 0.2, 2], [0.85, 0.5, 8], [0.9, 0.3, 4]]])
    assert "run 1 gets 2 wrong" in answer.inner_text()
    assert "in the test, 8" in answer.inner_text()
    assert "in training, too, 4." in answer.inner_text()
    assert answer.inner_text().endswith("unlike those that it learned with, and it does worst.")
    widths = page.locator("network-trainer [data-row=wrong] .bar").evaluate_all(
        "(all) => all.map((bar) => bar.offsetWidth)"
    )
    assert widths == pytest.approx([widths[1] / 4, widths[1], widths[1] / 2], abs=1)
    assert [ticks(page, graph) for graph in range(4)] == [
        ["0", "1", "2", "3"], ["0", "50", "100"], ["0", "0.3", "0.6"], ["80", "90", "100"],
    ]  # fmt: skip
    page.evaluate(COMING_TO, ["alone", [[0.95, 0.2, 2], [0.9, 0.3, 4], [0.85, 0.5, 8]]])
    assert answer.inner_text().endswith("in training, too, 8."), "what is not so is not said"
    page.evaluate(COMING_TO, ["depth", [[0.9, 0.2, 2, [1, 1]], [0.1, 2.3, 20, [0.6, 0.05, 0.2]], [0.95, 0.1, 1]]])
    assert "run 1 reached 90.0\xa0%" in answer.inner_text()
    assert "only the network with normalization has learned." in answer.inner_text()
    assert answer.inner_text().endswith("falls from 0.60 in the first layer to 0.05 in a later one.")
    assert [ticks(page, graph) for graph in (2, 3)] == [["0", "1", "2", "3"], ["0", "50", "100"]]
    page.evaluate(COMING_TO, ["depth", [[0.9, 0.2, 2], [0.8, 0.3, 4, [0.6, 0.5]], [0.95, 0.1, 1]]])
    assert answer.inner_text().endswith("guessing gives 10\xa0%.")
    page.get_by_label("penalty of run 1").select_option("L1")
    assert not answer.is_visible(), "it is another question now"
    page.evaluate(COMING_TO, ["variants", [[0.9, 0.2, 2], [0.8, 0.3, 4], [0.95, 0.1, 1]]])
    assert answer.inner_text() == "Of 22 test images, run 1 gets 2 wrong, run 2 gets 4 wrong, run 3 gets 1 wrong."


def test_while_it_trains_it_says_how_far_it_is_and_no_axis_changes(opened: Opener) -> None:
    page = opened("#train?epochs=20,20,20&batch_size=64,64,64")
    before = [ticks(page, graph) for graph in range(4)]
    press(page, "Start")
    page.wait_for_function(
        "() => document.querySelector('network-trainer').runs.every(({ tests }) => tests.length > 1)"
    )
    press(page, "Pause")
    drawn(page)
    said = page.locator("network-trainer .found").inner_text()
    assert re.fullmatch(r"Training: epoch \d+\.\d of 20 …", said)
    assert [ticks(page, graph) for graph in range(4)] == before


def test_runs_of_one_normalization_have_shades_of_their_own(page: Page) -> None:
    for run in (2, 3):
        page.get_by_label(f"normalization of run {run}").select_option("batch")
    colours = page.locator("network-trainer .plot polyline").evaluate_all(
        "(all) => all.map((line) => getComputedStyle(line).stroke)"
    )
    assert len(set(colours)) == 3


def test_what_is_wrong_in_an_address_is_left_out(opened: Opener) -> None:
    page = opened("#train?norm_arg=lrn,none&depth=8,7,999&ghost_batch_size=4,4,4&epochs=x&other=1")
    assert chosen(page, "norm_arg") == ["batch", "none", "group"]
    assert chosen(page, "depth") == ["8", "0", "0"]
    assert chosen(page, "ghost_batch_size") == ["4", "0", "0"], "others have statistics of each image, or none"
    assert chosen(page, "epochs") == ["5", "5", "5"]


def test_settings_go_together(page: Page) -> None:
    page.get_by_label("images sharing statistics of run 1").select_option("16")
    page.get_by_text("Batch size, learning rate").click()
    page.get_by_label("batch size of run 1").select_option("16")
    assert chosen(page, "ghost_batch_size")[0] == "0", "16 of 16 images are all of them"
    page.get_by_label("normalization of run 1").select_option("none")
    assert page.get_by_label("images sharing statistics of run 1").is_disabled()
    assert page.get_by_label("statistics in the test of run 1").is_disabled()


def test_earlier_runs_stay_as_pale_lines(page: Page) -> None:
    assert page.locator("network-trainer .graph").first.locator(".pale").count() == 0
    press(page, "Start")
    wait_for_the_end(page)
    press(page, "Start again with another seed")
    assert chosen(page, "seed") == ["1", "1", "1"]
    assert page.locator("network-trainer .graph").first.locator(".pale").count() == 3
    assert "seed=1,1,1" in page.evaluate("location.hash")
    assert page.get_by_text("pale: earlier runs").is_visible()
    press(page, "What if no normalization, depth 16?")
    assert page.locator("network-trainer .graph").first.locator(".pale").count() == 0, "another question, other lines"


def test_on_a_phone_the_settings_are_folded(opened: Opener) -> None:
    assert opened(width=1280).get_by_label("penalty of run 1").is_visible()
    page = opened(width=390)
    assert not page.get_by_label("penalty of run 1").is_visible()
    page.get_by_text("Settings of the runs").click()
    assert page.get_by_label("penalty of run 1").is_visible()


def announced(page: Page) -> None:
    """Wait for what is announced a little later: timers of one length end in their order."""
    page.evaluate("() => new Promise((done) => setTimeout(done, 300))")


def test_epochs_are_announced_and_steps_are_not(page: Page) -> None:
    status = page.locator("network-trainer [role=status]")
    press(page, "One step")
    page.wait_for_function("() => document.querySelector('network-trainer').runs.every(({ done }) => done)")
    announced(page)
    assert status.inner_text() == ""
    press(page, "Continue")
    wait_for_the_end(page)
    announced(page)
    assert status.inner_text().startswith("After epoch 1: batch, L1 + L2, test accuracy ")
    assert status.inner_text().endswith(page.locator("network-trainer .found").inner_text()), "and what was found"
    label = page.locator("network-trainer .graph").nth(3).get_attribute("aria-label")
    assert label is not None
    assert label.startswith("test accuracy over 1 epochs: batch, L1 + L2 ")


def test_between_epochs_nothing_moves_for_a_reader_who_wants_less_motion(opened: Opener) -> None:
    drawings = """() => {
        const trainer = document.querySelector('network-trainer');
        const draw = trainer.draw.bind(trainer);
        trainer.drawn = [];
        trainer.draw = () => {
            trainer.drawn.push(trainer.runs.map(({ tests, ended }) => tests.length + ended));
            draw();
        };
    }"""
    page = opened()
    page.emulate_media(reduced_motion="reduce")
    page.evaluate(drawings)
    press(page, "Start")
    wait_for_the_end(page)
    drawn = page.evaluate("() => document.querySelector('network-trainer').drawn")
    assert all(sum(state) > 0 for state in drawn[1:]), "but at the start"


def test_drawing_all_of_it_is_no_long_task(page: Page) -> None:
    page.evaluate("(end) => (location.hash = end)", "#train?depth=16,16,16&epochs=20,20,20")
    press(page, "One step")
    page.wait_for_function(
        "() => document.querySelector('network-trainer').runs.every(({ distributions: d }) => d.length)"
    )
    shortest = page.evaluate(
        """() => {
            const trainer = document.querySelector('network-trainer');
            for (const run of trainer.runs) run.steps = Array.from({ length: 1000 }, (_, i) => [i / 50, 1, 0.5]);
            trainer.earlier = [...Array(9).keys()].map((i) => ({ ...trainer.runs[i % 3], place: i % 3 }));
            const shortest = (task) => Math.min(...Array.from({ length: 9 }, () => {
                for (const run of trainer.runs) run.distributions = run.distributions.map((each) => [...each]);
                const before = performance.now();
                task();
                trainer.getBoundingClientRect(); // what is drawn is laid out, too
                return performance.now() - before;
            }));
            const graphs = [0, 1, 2, 3].map((i) => () => trainer.drawGraph(i));
            const flows = [0, 1, 2].map((i) => () => trainer.drawFlows(i));
            return [() => trainer.draw(), ...graphs, ...flows].map(shortest);
        }"""
    )
    assert max(shortest) < 25, "milliseconds; the shortest of several, since other programs share the processor"


def test_leaving_the_page_ends_the_workers(opened: Opener) -> None:
    page = opened("#train?epochs=20,20,20&batch_size=8,8,8")  # so long that none has ended before all have begun
    press(page, "Start")
    page.wait_for_function("() => document.querySelector('network-trainer').runs.every(({ worker }) => worker)")
    workers = list(page.workers)
    assert len(workers) == 3
    page.evaluate("document.querySelector('network-trainer').remove()")
    for _ in range(100):
        if not page.workers:
            return
        page.wait_for_timeout(100)
    raise AssertionError(f"{len(page.workers)} workers are still there")


def test_a_page_that_may_start_no_worker_says_so(browser: Browser, folder: Path) -> None:
    with served(folder, STRICT) as address, browser.new_context() as context:
        page = open_page(context, f"{address}/index.html")
        press(page, "Start")
        page.get_by_text("No network can be trained here").wait_for()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_axe_finds_no_violation_and_it_fits(opened: Opener, width: int, scheme: str) -> None:
    page = opened(width=width)
    page.emulate_media(color_scheme=scheme)
    if width == 390:
        page.get_by_text("Settings of the runs").click()
    page.get_by_text("Batch size, learning rate").click()
    press(page, "One step")
    page.wait_for_function("() => document.querySelector('network-trainer').runs.every(({ done }) => done)")
    drawn(page)
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_the_keyboard_reaches_everything(page: Page) -> None:
    seen = []
    page.locator("network-trainer button").first.focus()
    focused = """() => {
        const here = document.querySelector('network-trainer').shadowRoot.activeElement;
        return here && (here.name || here.textContent);
    }"""
    for _ in range(24):
        seen.append(page.evaluate(focused))
        page.keyboard.press("Tab")
    for wanted in ("norm_arg", "penalty", "depth", "ghost_batch_size", "Start", "One step"):
        assert wanted in seen


def test_without_javascript_and_in_print_a_figure_and_a_sentence_stand_in_its_place(
    browser: Browser, page: Page, folder: Path
) -> None:
    static = page.locator("network-trainer").get_by_text("Static figure.")
    assert not static.is_visible()
    page.emulate_media(media="print")
    assert static.is_visible()
    assert not page.locator("network-trainer .graphs").is_visible()
    with browser.new_context(java_script_enabled=False) as context:
        page = open_page(context, (folder / "index.html").as_uri())
        assert page.locator("network-trainer").get_by_text("Static figure.").is_visible()


def test_it_offers_every_normalization(page: Page) -> None:
    offered = page.get_by_label("normalization of run 1").locator("option").all_inner_texts()
    assert offered == list(NORMALIZATIONS)


def test_code_and_data_are_small(tmp_path: Path) -> None:
    page_data.write_training_data(tmp_path / "data.js", {name: of_variant(name) for name in VARIANTS})
    files = [tmp_path / "data.js", *(ROOT / "report" / "interactive" / f"{name}.js" for name in SCRIPTS)]
    assert sum(file.stat().st_size for file in files) <= 120_000
