"""Training in the page computes what PyTorch computes: each layer's gradients, each step, whole trainings."""

import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
import torch.nn.functional as F
from playwright.sync_api import Browser, Page
from scipy import stats
from torch import Tensor, nn

from normstudy import data, training
from normstudy.display import page_data
from normstudy.experiments import parameters
from normstudy.experiments.parameters import VARIANTS
from normstudy.model import NORMALIZATIONS, Net, normalization
from normstudy.normalizations import NORMALIZATIONS as KNOWN
from normstudy.normalizations import NORMALIZING
from tests.browser import open_page
from tests.commands import ROOT
from tests.trainings import DEFAULTS, settings

SCRIPTS = ("normalization", "multiplication", "layers", "model", "digits", "training")
ARRAYS = {"weight": "weight", "bias": "bias", "running_mean": "means", "running_var": "variances"}


@pytest.fixture(scope="module")
def digits() -> data.Dataset:
    return data.load("digits")


def of_variant(name: str) -> dict[str, Any]:
    """The parameters of a variant on the digits."""
    files = [ROOT / "params" / "digits.yaml", ROOT / "params" / f"{name}.yaml"]
    return parameters.parameters(ROOT / "report" / "notebooks" / "variant.ipynb", files, {"dataset": "digits"})


@pytest.fixture(scope="module")
def page(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    """A page with the arithmetic and its data, opened from disk."""
    folder = tmp_path_factory.mktemp("arithmetic")
    page_data.write_training_data(folder / "data.js", {name: of_variant(name) for name in VARIANTS})
    known = {name: {"apart": each.apart, "centred": each.centred} for name, each in KNOWN.items()}
    scripts = "".join(f'<script src="{(ROOT / "report/interactive" / name).as_uri()}.js"></script>' for name in SCRIPTS)
    (folder / "index.html").write_text(
        f"<script>globalThis.explorerData = {json.dumps({'normalizations': known})}</script>"
        f'<link rel="icon" href="data:,"><script src="data.js"></script>{scripts}',
        encoding="utf-8",
    )
    with browser.new_context() as context:
        page = open_page(context, (folder / "index.html").as_uri())
        page.evaluate(HELPERS)
        page.evaluate("async () => { globalThis.data = await digits.unpack(trainingData); }")
        yield page
        assert page.errors == []


def plain(tensor: Tensor) -> dict[str, Any]:
    return {"shape": list(tensor.shape), "values": tensor.detach().flatten().tolist()}


def arrays(module: nn.Module) -> dict[str, list[float]]:
    """A layer's numbers by the names that the page has for them."""
    names = ARRAYS | ({} if isinstance(module, nn.Conv2d | nn.Linear) else {"weight": "gamma", "bias": "beta"})
    return {
        names[name]: value.detach().flatten().tolist() for name, value in module.state_dict().items() if name in names
    }


HELPERS = """() => {
    globalThis.tensor = ({ shape, values }) => ({ shape, values: Float64Array.from(values) });
    globalThis.mapped = (object, change) => Object.fromEntries(Object.entries(object).map(([key, value]) => [key, change(value)]));
    globalThis.lists = (object) => mapped(object, (values) => [...values]);
}"""  # noqa: E501

BOTH_WAYS = """({ x, dy, layer, mode }) => {
    layer.arrays = mapped(layer.arrays, (values) => Float64Array.from(values));
    layer.gradients = mapped(layer.arrays, (values) => values.map(() => 0));
    const { forward, backward } = layers.kinds[layer.kind];
    const given = tensor(x);
    const y = forward(given, layer, mode);
    const dx = dy && [...backward(tensor(dy), given, y, layer).values];
    return { shape: y.shape, y: [...y.values], dx, gradients: lists(layer.gradients), arrays: lists(layer.arrays) };
}"""


def assert_close(found: list[float], expected: Tensor, relative: float = 1e-5) -> None:
    """Within this part of the largest value."""
    wanted = expected.detach().flatten().double()
    assert (torch.tensor(found, dtype=torch.float64) - wanted).abs().max() <= relative * wanted.abs().max()


def assert_agrees(page: Page, module: nn.Module, x: Tensor, layer: dict[str, Any]) -> None:
    """What the layer computes, its gradients and what it stores are PyTorch's."""
    module = module.double().train()
    layer = {"arrays": arrays(module)} | layer
    x = x.double().requires_grad_()
    y = module(x)
    dy = torch.randn_like(y)
    y.backward(dy)
    found = page.evaluate(BOTH_WAYS, {"x": plain(x), "dy": plain(dy), "layer": layer, "mode": "training"})
    assert found["shape"][: y.dim()] == list(y.shape)
    assert_close(found["y"], y)
    assert x.grad is not None
    assert_close(found["dx"], x.grad)
    of_module = {name: value.grad for name, value in module.named_parameters()}
    renamed = {"gamma": "weight", "beta": "bias"}
    for name, gradient in found["gradients"].items():
        if name not in ("means", "variances"):
            expected = of_module[renamed.get(name, name)]
            assert expected is not None
            assert_close(gradient, expected)
    for name, values in arrays(module).items():
        assert_close(found["arrays"][name], torch.tensor(values))


def some(*ranges: tuple[int, int]) -> list[int]:
    return [int(torch.randint(low, high + 1, ())) for low, high in ranges]


@pytest.mark.parametrize("seed", range(12))
def test_a_convolution_and_its_gradients_are_pytorchs(page: Page, seed: int) -> None:
    torch.manual_seed(seed)
    n, groups, own, wide, h, w, kernel, stride, padding = some(
        (1, 4), (1, 4), (1, 5), (1, 5), (5, 9), (5, 9), (1, 5), (1, 3), (0, 2)
    )
    module = nn.Conv2d(groups * wide, groups * own, kernel, stride, padding, groups=groups, bias=seed % 2 == 0)
    layer = {
        "kind": "convolution",
        "shape": list(module.weight.shape),
        **{name: list(getattr(module, name)) for name in ("stride", "padding", "dilation")},
        "groups": groups,
    }
    assert_agrees(page, module, torch.randn(n, groups * wide, h, w), layer)


@pytest.mark.parametrize("name", NORMALIZING)
@pytest.mark.parametrize("seed", range(4))
def test_a_normalization_and_its_gradients_are_pytorchs(page: Page, name: str, seed: int) -> None:
    torch.manual_seed(seed)
    n, groups, wide, h, w = some((2, 5), (1, 4), (1, 4), (2, 6), (2, 6))
    assert_normalizes(page, name, torch.randn(n, groups * wide, h, w) * 3 + 1, groups)


@pytest.mark.parametrize(("images", "shared"), [(8, 1), (8, 2), (8, 4), (6, 8), (9, 3)])
def test_statistics_of_fewer_images_and_their_gradients_are_pytorchs(page: Page, images: int, shared: int) -> None:
    torch.manual_seed(images + shared)
    assert_normalizes(page, "batch", torch.randn(images, 5, 3, 4) * 3 + 1, 1, shared)


def assert_normalizes(page: Page, name: str, x: Tensor, groups: int, shared: int = 0) -> None:
    module = normalization(name, x.shape[1], groups, shared)
    for parameter in module.parameters():
        nn.init.normal_(parameter)
    layer = {"normalization": name, "groups": groups, "ghostBatchSize": shared, "epsilon": 1e-5}
    assert_agrees(page, module, x, {"kind": "normalization", **layer})
    again = {"kind": "normalization", **layer, "arrays": arrays(module)}
    found = page.evaluate(BOTH_WAYS, {"x": plain(x), "layer": again, "mode": "evaluation"})
    assert_close(found["y"], module.eval()(x.double()))
    if name == "batch":
        again = {"kind": "normalization", **layer, "arrays": arrays(module)}
        found = page.evaluate(BOTH_WAYS, {"x": plain(x), "layer": again, "mode": "alone"})
        assert_close(found["y"], F.instance_norm(x.double(), weight=module.weight, bias=module.bias))


@pytest.mark.parametrize("seed", range(3))
def test_relu_pooling_and_the_linear_layer_are_pytorchs(page: Page, seed: int) -> None:
    torch.manual_seed(seed)
    n, c, h, w, size, classes = some((1, 4), (1, 5), (4, 9), (4, 9), (1, 3), (1, 9))
    x = torch.randn(n, c, h, w)
    assert_agrees(page, nn.ReLU(), x, {"kind": "relu"})
    assert_agrees(page, nn.MaxPool2d(size), x.relu(), {"kind": "maximum", "size": size, "stride": size})
    assert_agrees(page, nn.Linear(c, classes), x[:, :, 0, 0], {"kind": "linear"})


def test_cross_entropy_and_penalties_are_pytorchs(page: Page) -> None:
    torch.manual_seed(0)
    logits, labels = torch.randn(7, 10, dtype=torch.float64) * 20, torch.randint(10, (7,))
    logits.requires_grad_()
    loss = F.cross_entropy(logits, labels)
    loss.backward()
    found = page.evaluate(
        """([given, labels]) => {
            const [logits, { forward, backward }] = [tensor(given), layers.crossEntropy];
            return [forward(logits, labels), [...backward(logits, labels).values]];
        }""",
        [plain(logits), labels.tolist()],
    )
    assert found[0] == pytest.approx(loss.item())
    assert logits.grad is not None
    assert_close(found[1], logits.grad)

    net = Net("layer").double()
    added = training.penalty(net, settings(l1=0.03, l2=0.05))
    added.backward()
    weights = list(training.penalized_weights(net))
    penalty, *gradients = page.evaluate(
        """([weights, settings]) => {
            const changed = weights.map((values) => ({ values, gradients: values.map(() => 0), penalized: true }));
            changed.push({ values: [5], gradients: [0], penalized: false });
            return [training.penalize(changed, settings), ...changed.map(({ gradients }) => gradients)];
        }""",
        [[weight.flatten().tolist() for weight in weights], {"l1": 0.03, "l2": 0.05}],
    )
    assert penalty == pytest.approx(added.item())
    for found_gradient, weight in zip(gradients, weights, strict=False):
        assert weight.grad is not None
        assert_close(found_gradient, weight.grad)
    assert gradients[-1] == [0]


@pytest.mark.parametrize("steps", [10, 90, 187])
def test_the_learning_rate_goes_through_the_same_cycle(page: Page, steps: int) -> None:
    found = page.evaluate("([peak, steps]) => training.oneCycle(peak, steps)", [0.01, steps])
    assert found == pytest.approx(training.one_cycle(0.01, steps), rel=1e-9)


def leaves(net: nn.Module) -> list[nn.Module]:
    return [module for module in net.modules() if not list(module.children())]


STEPS = """([settings, weights, images, labels, rates]) => {
    const shown = { ...data, images: Uint8Array.from(images, (letter) => letter.charCodeAt(0)) };
    const net = model.build(settings, model.random(0));
    net.forEach((layer, i) => Object.entries(weights[i]).forEach(([name, values]) => layer.arrays[name].set(values)));
    const changed = model.parameters(net);
    const came = rates.map((rate, i) => {
        const x = digits.toInput(shown, labels[i].map((_, n) => i * labels[i].length + n), (image) => image);
        const { loss, penalty, accuracy } = training.step(net, changed, x, labels[i], rate, i + 1, settings);
        return [loss, penalty, accuracy];
    });
    return [came, net.map(({ arrays }) => lists(arrays))];
}"""


@pytest.mark.parametrize(
    "changes",
    [
        *({"norm_arg": name, "l1": 3e-5, "l2": 5e-4} for name in NORMALIZATIONS),
        {"norm_arg": "batch", "ghost_batch_size": 4, "depth": 2},
        {"norm_arg": "none", "initialization": "he", "depth": 4},
    ],
    ids=str,
)
def test_ten_steps_from_the_same_weights_on_the_same_batches_are_pytorchs(
    page: Page, digits: data.Dataset, changes: dict[str, Any]
) -> None:
    values = DEFAULTS | changes
    net = training.build(values).double().train()
    first = [arrays(module) for module in leaves(net)]
    order = torch.randperm(599, generator=torch.Generator().manual_seed(0))[:160].view(10, 16)
    rates = training.one_cycle(0.01, 10)
    optimizer = torch.optim.Adam(net.parameters())
    expected = []
    for chosen, rate in zip(order, rates, strict=True):
        pixels = digits.train_images[chosen].unsqueeze(1).double()
        logits = net((pixels - 255 * digits.mean) / (255 * digits.std))  # as `to_input`, in double precision
        loss = F.cross_entropy(logits, digits.train_labels[chosen])
        added = training.penalty(net, training.Settings.of(values))
        optimizer.zero_grad()
        (loss + added).backward()
        optimizer.param_groups[0]["lr"] = rate
        optimizer.step()
        right = (logits.argmax(dim=1) == digits.train_labels[chosen]).double().mean()
        expected.append([loss.item(), added.item(), right.item()])
    images = digits.train_images[order].numpy().tobytes().decode("latin1")  # a letter a pixel
    came, after = page.evaluate(STEPS, [values, first, images, digits.train_labels[order].tolist(), rates])
    assert np.array(came) == pytest.approx(np.array(expected), rel=1e-4)
    for found, module in zip(after, leaves(net), strict=True):
        for name, wanted in arrays(module).items():
            assert_close(found[name], torch.tensor(wanted), 1e-4)


def test_the_digits_are_those_of_the_study(page: Page, digits: data.Dataset) -> None:
    letters, labels = page.evaluate(
        "() => [Array.from(data.images, (grey) => String.fromCharCode(grey)).join(''), [...data.labels]]"
    )
    images = torch.cat([digits.train_images, digits.test_images])
    # Where a pixel lies exactly between two grey values, single precision decides in PyTorch.
    found = torch.frombuffer(bytearray(letters, "latin1"), dtype=torch.uint8).view_as(images)
    differ = (found.int() - images.int()).abs()
    assert differ.max() <= 1
    assert differ.sum() / differ.numel() < 1e-3
    assert labels == torch.cat([digits.train_labels, digits.test_labels]).tolist()


def test_augmentation_is_that_of_the_study(page: Page, digits: data.Dataset) -> None:
    images, largest = digits.train_images[:5], {"rotation": 30.0, "shift": 3.0, "scale": 0.2}
    expected = data.augment(images, torch.Generator().manual_seed(0), **largest)
    draws = torch.rand(4, 5, 1, 1, generator=torch.Generator().manual_seed(0)).mul(2).sub(1).view(4, 5)
    found = page.evaluate(
        "([images, draws, largest]) => images.map((image, n) => [...digits.augment(image, draws[n], largest)])",
        [images.flatten(1).tolist(), draws.T.tolist(), largest],
    )
    assert (torch.tensor(found) - expected.flatten(1)).abs().max() < 0.05  # of 255


@pytest.mark.parametrize("initialization", ["pytorch", "he"])
@pytest.mark.parametrize("norm_arg", ["batch", "none"])
def test_a_new_network_is_drawn_from_the_same_distributions(page: Page, norm_arg: str, initialization: str) -> None:
    asked = DEFAULTS | {"norm_arg": norm_arg, "initialization": initialization, "depth": 2}
    found = page.evaluate(
        "(asked) => model.build(asked, model.random(1)).map(({ arrays }) => lists(arrays))",
        asked,
    )
    for drawn, module in zip(found, leaves(training.build(asked)), strict=True):
        expected = arrays(module)
        assert drawn.keys() == expected.keys()
        for name, values in expected.items():
            assert len(drawn[name]) == len(values)
            if len(set(values)) == 1:
                assert drawn[name] == values
            elif len(values) > 50:
                assert stats.ks_2samp(drawn[name], values).pvalue > 1e-4


def processor_time(browser: Browser) -> float:
    """The seconds of processor time that the browser has used so far, all its processes together."""
    info = browser.new_browser_cdp_session().send("SystemInfo.getProcessInfo")
    return sum(process["cpuTime"] for process in info["processInfo"])


def ends(values: dict[str, Any], seeds: int = 10) -> np.ndarray:
    """How PyTorch's trainings with these parameters ended, a row a seed: the runs that the report publishes."""
    runs = pd.read_parquet(ROOT / "report" / "results" / "digits" / "seeds.parquet")
    same = [name for name in values if name in runs and name != "seed"]
    runs = runs[(runs[same] == pd.Series(values)[same]).all(axis=1) & (runs["epoch"] == values["epochs"])]
    assert set(runs["seed"]) >= set(range(seeds))
    return runs[runs["seed"] < seeds][["test_loss", "test_accuracy", "train_penalty"]].to_numpy()


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_whole_training_ends_where_ten_seeds_of_pytorch_end_and_is_fast(
    browser: Browser, page: Page, variant: str
) -> None:
    values = of_variant(variant)
    before = processor_time(browser)
    found = page.evaluate(
        """(settings) => {
            let [last, penalties] = [null, []];
            for (const came of training.fit(data, settings)) {
                if (came?.step) penalties.push(came.penalty);
                if (came?.epoch) last = came;
            }
            const ofEpoch = penalties.slice(-18);
            return [last.loss, last.accuracy, ofEpoch.reduce((sum, penalty) => sum + penalty, 0) / ofEpoch.length];
        }""",
        values,
    )
    in_page = processor_time(browser) - before
    assert in_page <= 15  # seconds
    # 99 % of further seeds end within this interval, where ends are normally distributed.
    of_seeds = ends(values)
    mean, spread = of_seeds.mean(axis=0), of_seeds.std(axis=0, ddof=1)
    reach = stats.t.ppf(0.995, df=9) * spread * np.sqrt(1 + 1 / 10)
    assert (np.abs(np.array(found) - mean) <= reach).all(), (found, mean, reach)
