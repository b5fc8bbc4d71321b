"""How fast, beside the bars that the project set itself: `make bench`, or `python -m tests.benchmarks ROW...` for some.

Each figure is a ratio within one run of this program, or seconds of this machine. Nothing else should be running.
"""

import argparse
import functools
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from multiprocessing import get_context
from pathlib import Path

import pandas as pd
import torch
import torch.nn.functional as F
from rich.console import Console
from rich.table import Table
from torch.utils.data import DataLoader, Dataset
from torch.utils.flop_counter import FlopCounterMode
from torchvision import transforms
from torchvision.transforms.functional import to_pil_image

from normstudy import data, files, training
from normstudy.experiments import parameters, single
from normstudy.machine import forks
from normstudy.machine.devices import choose_device
from normstudy.rendering.render import find_quarto
from tests.benchmarks import peers
from tests.commands import ROOT, environment

NOTEBOOK = ROOT / "report" / "notebooks" / "variant.ipynb"
VALUES = parameters.parameters(NOTEBOOK, [ROOT / "params" / "batch.yaml"], {})
SETTINGS = training.Settings.of(VALUES)
CORES = min(2, os.cpu_count() or 1)


@dataclass(frozen=True)
class Row:
    """One line of the table."""

    what: str
    bar: str
    here: str
    kept: bool | None  # None: could not be measured here


ROWS: dict[str, Callable[[], Row]] = {}


def row(measure: Callable[[], Row]) -> Callable[[], Row]:
    """Puts a measurement into the table."""
    ROWS[measure.__name__] = measure
    return measure


@contextmanager
def threads(number: int) -> Iterator[None]:
    """Work with that many threads."""
    before = torch.get_num_threads()
    torch.set_num_threads(number)
    yield
    torch.set_num_threads(before)


@functools.cache
def excerpt(share: int = 5) -> data.Dataset:
    """Random images in the proportions of MNIST, a fifth of its size: how fast they train does not depend on them."""
    numbers = torch.Generator().manual_seed(0)

    def part(number: int) -> tuple[torch.Tensor, torch.Tensor]:
        images = torch.randint(0, 256, (number, 28, 28), dtype=torch.uint8, generator=numbers)
        return images, torch.randint(0, 10, (number,), generator=numbers)

    return data.Dataset("random", tuple("0123456789"), *part(60_000 // share), *part(10_000 // share), 0.13, 0.31)


def network(ghost_batch_size: int = 0) -> torch.nn.Module:
    """A new network as `fit` trains it."""
    net = training.build(VALUES | {"norm_arg": "batch", "ghost_batch_size": ghost_batch_size})
    return net.to(memory_format=torch.channels_last).train()  # type: ignore[call-overload, no-any-return]


def rounds_of(number: int, at_least: int = 1, enough: float = 240) -> Iterator[int]:
    """That many rounds, or fewer where they take long: after `enough` seconds no more than `at_least` are begun."""
    begun = time.perf_counter()
    for this in range(number):
        if this >= at_least and time.perf_counter() - begun > enough:
            return
        yield this


def fastest(*ways: Callable[[], object], rounds: int = 3) -> list[float]:
    """The best time of each way, tried in turns, so that a machine that slows down slows all of them.

    A way that returns seconds has measured itself.
    """
    times: list[list[float]] = [[] for _ in ways]
    for _ in rounds_of(rounds):
        for way, found in zip(ways, times, strict=True):
            start = time.perf_counter()
            measured = way()
            found.append(measured if isinstance(measured, float) else time.perf_counter() - start)
    return [min(found) for found in times]


def train_on(batches: object, net: torch.nn.Module, optimizer: torch.optim.Optimizer) -> None:
    """Forward, backward and optimizer step, nothing else."""
    for images, labels in batches:  # type: ignore[attr-defined]
        loss = F.cross_entropy(net(images), labels) + training.penalty(net, SETTINGS)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


def optimizer_of(net: torch.nn.Module) -> torch.optim.Optimizer:
    """The optimizer that `fit` uses."""
    return torch.optim.Adam(net.parameters(), lr=SETTINGS.learning_rate, fused=True)


class Pictures(Dataset):  # type: ignore[type-arg]
    """Images as torchvision's datasets give them: one at a time, transformed; those of the test are not augmented."""

    def __init__(self, dataset: data.Dataset, train: bool):
        self.images = dataset.train_images if train else dataset.test_images
        self.labels = dataset.train_labels if train else dataset.test_labels
        augmentation = transforms.RandomAffine(
            SETTINGS.rotation,
            (SETTINGS.shift / 28, SETTINGS.shift / 28),
            (1 - SETTINGS.scale, 1 + SETTINGS.scale),
            interpolation=transforms.InterpolationMode.BILINEAR,
        )
        to_input = [transforms.ToTensor(), transforms.Normalize((dataset.mean,), (dataset.std,))]
        self.transform = transforms.Compose([augmentation, *to_input] if train else to_input)

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> tuple[torch.Tensor, int]:
        return self.transform(to_pil_image(self.images[index])), int(self.labels[index])


def epoch_through_loader(workers: int) -> float:
    """Seconds of an epoch as one writes it without a thought of speed.

    Default layout, default Adam, and the numbers of each batch fetched.
    """
    torch.set_num_threads(CORES)
    dataset = excerpt()
    net = training.build(VALUES | {"norm_arg": "batch"})
    optimizer = torch.optim.Adam(net.parameters(), lr=SETTINGS.learning_rate)
    train = DataLoader(Pictures(dataset, True), SETTINGS.batch_size, shuffle=True, num_workers=workers)
    test = DataLoader(Pictures(dataset, False), SETTINGS.batch_size, num_workers=workers)
    total = correct = 0.0
    start = time.perf_counter()
    net.train()
    for images, labels in train:
        logits = net(images)
        loss = F.cross_entropy(logits, labels)
        optimizer.zero_grad()
        (loss + training.penalty(net, SETTINGS)).backward()
        optimizer.step()
        total += loss.item()
        correct += (logits.argmax(dim=1) == labels).sum().item()
    net.eval()
    with torch.no_grad():
        for images, labels in test:
            logits = net(images)
            total += F.cross_entropy(logits, labels, reduction="sum").item()
            correct += (logits.argmax(dim=1) == labels).sum().item()
    return time.perf_counter() - start


@row
def loader() -> Row:
    """Against the way of the course notebooks."""

    def in_its_own_process(workers: int) -> float:
        # since fit tells its whole process how to keep memory
        program = f"from tests.benchmarks.__main__ import epoch_through_loader as way; print(way({workers}))"
        done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
        return float(done.stdout)

    with as_in_the_study(1, CORES) as pool:
        ways = (lambda: pool.submit(our_epoch, "batch").result(), *(lambda n=n: in_its_own_process(n) for n in (0, 2)))
        ours, *theirs = fastest(*ways, rounds=6)
    ratio = ours / min(theirs)
    return Row(
        "an epoch of fit, with its test / the same by torchvision transforms and a DataLoader, two cores",
        "≤ 0.50",
        f"{ratio:.2f} ({5 * ours:.1f} s / {5 * min(theirs):.1f} s an epoch of 60,000)",
        ratio <= 1 / 2,
    )


@row
def ready() -> Row:
    """Against training alone, on batches that are ready."""
    dataset = excerpt()
    net = network()
    optimizer = optimizer_of(net)
    inputs = data.to_input(dataset.train_images, dataset).split(SETTINGS.batch_size)
    batches = list(zip(inputs, dataset.train_labels.split(SETTINGS.batch_size), strict=True))
    batches = batches[: len(dataset.train_labels) // SETTINGS.batch_size]
    with threads(1):
        ours, alone = fastest(lambda: our_epoch("batch"), lambda: train_on(batches, net, optimizer), rounds=10)
    ratio = ours / alone
    return Row(
        "an epoch of fit / forward, backward and step alone on batches that are ready, one core",
        "≤ 1.15",
        f"{ratio:.2f} ({5 * ours:.1f} s / {5 * alone:.1f} s an epoch of 60,000)",
        ratio <= 1.15,
    )


@row
def ghost() -> Row:
    """Statistics of fewer images, against those of the batch, in turns: the same steps on the same images."""
    dataset, sizes = excerpt(20), (1, 8, 64)
    inputs = data.to_input(dataset.train_images, dataset).split(SETTINGS.batch_size)[:20]
    batches = list(zip(inputs, dataset.train_labels.split(SETTINGS.batch_size), strict=False))

    def steps(images: int) -> Callable[[], float]:
        net = network(images)
        optimizer = optimizer_of(net)

        def processor_time() -> float:
            start = time.process_time()
            train_on(batches, net, optimizer)
            return time.process_time() - start

        return processor_time

    with threads(1):
        plain, *ghosts = (time / len(batches) for time in fastest(*map(steps, (0, *sizes)), rounds=15))
    ratios = {size: seconds / plain for size, seconds in zip(sizes, ghosts, strict=True)}
    shown = ", ".join(f"{ratio:.2f} (of {size})" for size, ratio in ratios.items())
    return Row(
        f"a training step with statistics of some of {SETTINGS.batch_size} images / of all of them, one core",
        "≤ 1.3",
        f"{shown}; {1000 * plain:.1f} ms with those of all",
        max(ratios.values()) <= 1.3,
    )


PEAK = """
import resource, sys, torch
from pathlib import Path

def peak():  # in MB; getrusage of a child process on Linux counts its parent's memory too
    if sys.platform == "linux":
        status = Path("/proc/self/status").read_text()
        return int(status.split("VmHWM:")[1].split()[0]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20

at_import = peak()
"""


@row
def memory() -> Row:
    """Peak memory of the notebook of a variant, its training cut to one epoch, over that of importing torch."""
    what, bar = "peak memory of a variant's run over that of importing torch, MNIST", "≤ 600 MB"
    if not has_mnist():
        return Row(what, bar, "no MNIST here", None)
    program = re.sub(r"^epochs: int = \d+", "epochs: int = 1", source(NOTEBOOK), flags=re.MULTILINE)
    command = [sys.executable, "-c", f"{PEAK}\n{program}\nprint(peak() - at_import)"]
    done = subprocess.run(command, cwd=ROOT, env=environment(ROOT), capture_output=True, text=True, check=True)
    peak = float(done.stdout.split()[-1])
    return Row(what, bar, f"{peak:.0f} MB", peak <= 600)


def settings_of(name: str, settings: training.Settings = SETTINGS) -> training.Settings:
    """These settings with the penalties of a variant."""
    own = parameters.read(ROOT / "params" / f"{name}.yaml")
    return replace(settings, l1=float(own.get("l1", 0)), l2=float(own.get("l2", 0)))


def our_epoch(name: str) -> float:
    """Seconds in which a variant is trained for an epoch of a fifth of the images, and tested."""
    settings = replace(settings_of(name), epochs=1)
    return training.fit(training.build(VALUES | {"norm_arg": name}), excerpt(), settings)[0].seconds


def as_in_the_study(processes: int, threads_each: int) -> ProcessPoolExecutor:
    """Processes that train as a variant's kernel does: forked from one that has imported what they need."""
    context = forks.having_imported(__name__, *forks.TRAINING)
    return ProcessPoolExecutor(processes, context, torch.set_num_threads, (threads_each,))


def their_epoch(name: str) -> None:
    """The same the peers' way, of a twentieth of the images."""
    dataset = excerpt(20)
    peers.epoch(name, (dataset.train_images, dataset.train_labels), (dataset.test_images, dataset.test_labels))


def beside_peers(names: Sequence[str], threads_each: int, rounds: int = 7) -> tuple[float, float]:
    """Median seconds of an epoch of 60,000 of these variants side by side, ours and the peers', in turns.

    Each way has its own processes, since `fit` tells its whole process how to keep memory.
    """
    spawned = ProcessPoolExecutor(len(names), get_context("spawn"), torch.set_num_threads, (threads_each,))
    with as_in_the_study(len(names), threads_each) as ours, spawned as theirs:
        ways = [
            lambda: 5 * timed_in(ours, our_epoch, names),
            lambda: 20 * timed_in(theirs, their_epoch, names),
        ]
        found = [[way() for way in ways] for _ in rounds_of(1 + rounds, at_least=4)]
    medians = [statistics.median(times) for times in zip(*found[1:], strict=True)]  # the first round warms up
    return medians[0], medians[1]


def timed_in(pool: ProcessPoolExecutor, way: Callable[[str], object], names: Sequence[str]) -> float:
    """Seconds until processes have done this with each of the names."""
    start = time.perf_counter()
    list(pool.map(way, names))
    return time.perf_counter() - start


def against_peers(what: str, names: Sequence[str], threads_each: int) -> Row:
    """All epochs of a training beside all of the most accurate peer's."""
    ours, theirs = beside_peers(names, threads_each)
    ratio = peers.EPOCHS * theirs / (SETTINGS.epochs * ours)
    return Row(
        f"{what}, all epochs / the same of the most accurate peer, in turns",
        "≤ 1/12",
        f"1/{ratio:.1f} ({SETTINGS.epochs} × {ours:.1f} s / {peers.EPOCHS} × {theirs:.1f} s)",
        ratio >= 12,
    )


@row
def three() -> Row:
    """The study's three variants against a peer's."""
    return against_peers("training three variants side by side, a thread each", parameters.VARIANTS, 1)


@row
def variant() -> Row:
    """One variant against a peer's."""
    return against_peers(f"training the batch variant on {CORES} threads", ["batch"], CORES)


@row
def study() -> Row:
    """The whole MNIST study from nothing: every notebook, and the report."""
    on_gpu = torch.cuda.is_available()
    what = f"whole MNIST study from nothing, with the report, a quiet machine, {'a GPU' if on_gpu else 'two cores'}"
    bar = 60 if on_gpu else 150
    if not has_mnist():
        return Row(what, f"≤ {bar} s", "no MNIST here", None)
    seconds = from_nothing("mnist")
    return Row(what, f"≤ {bar} s", f"{seconds:.0f} s", seconds <= bar)


@row
def report() -> Row:
    """The quick look."""
    seconds = min(from_nothing("digits") for _ in range(2))
    what = "make report (digits) once everything is installed, a quiet machine"
    return Row(what, "≤ 25 s", f"{seconds:.0f} s", seconds <= 25)


def from_nothing(dataset: str) -> float:
    """Seconds of every notebook of a study, and of its report, as `make report` makes them."""
    with fresh_copy() as root:
        return timed(root, "run", "-p", "dataset", dataset) + timed(root, "render", "--dataset", dataset)


@row
def command() -> Row:
    """What one waits for before the command answers."""
    bars = {"--help": 0.26, "status": 0.31}
    with fresh_copy() as root:
        ways = [lambda asked=asked: timed(root, asked) for asked in bars]
        seconds = dict(zip(bars, fastest(*ways, rounds=10), strict=True))
    return Row(
        "normstudy --help, normstudy status",
        ", ".join(f"≤ {bar:.2f} s" for bar in bars.values()),
        ", ".join(f"{found:.2f} s" for found in seconds.values()),
        all(seconds[asked] <= bar for asked, bar in bars.items()),
    )


def source(notebook: Path) -> str:
    """A notebook's code."""
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    return "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")


def imports(root: Path, notebook: Path) -> float:
    """Seconds that a notebook spends in importing, those imports included that a library makes when it is first used.

    Its cells are run alone, without a kernel, and Python tells the time of each import.
    """
    program = re.sub(r"^output = .*$", 'output = ""', source(notebook), flags=re.MULTILINE)
    command = [sys.executable, "-X", "importtime", "-c", f"{program}\n"]
    alike = forks.THREADS | environment(root)  # as kernels have it
    done = subprocess.run(command, cwd=root, env=alike, capture_output=True, text=True, check=True)
    lines = [line.removeprefix("import time:").split("|") for line in done.stderr.splitlines() if line.count("|") == 2]
    return sum(int(line[0]) for line in lines if line[0].strip().isdigit()) / 1e6


@row
def notebooks() -> Row:
    """What running notebooks costs beyond their own work."""
    with fresh_copy() as root:
        ours = timed(root, "run", "-p", "dataset", "digits")
        executed = list((root / "report" / "executed" / "digits").glob("*/*.ipynb"))
        own = sum(imports(root, notebook) for notebook in executed)
        own += sum(pd.read_csv(times).seconds.sum() for times in root.glob("report/executed/digits/*/times.csv"))
    ratio = ours / own
    return Row(
        "all notebooks of make report (digits), two at a time / the sum of their imports and training",
        "≤ 1.15",
        f"{ratio:.2f} ({ours:.0f} s / {own:.0f} s)",
        ratio <= 1.15,
    )


@row
def render() -> Row:
    """What the question "is anything out of date?" costs."""
    with fresh_copy() as root:
        timed(root, "run", "-p", "dataset", "digits")
        timed(root, "render", "--dataset", "digits")
        imported = "from pathlib import Path; from normstudy.rendering.render import find_quarto, render"
        alone = [sys.executable, "-c", f"{imported}; render(Path.cwd(), 'digits', find_quarto())"]
        whole, rendering = fastest(
            lambda: timed(root, "render", "--dataset", "digits"),
            lambda: subprocess.run(alone, cwd=root, check=True, capture_output=True, env=environment(root)),
            rounds=6,
        )
    ratio = whole / rendering
    return Row(
        "normstudy render with nothing out of date / rendering alone",
        "≤ 1.1",
        f"{ratio:.2f} ({whole:.1f} s / {rendering:.1f} s)",
        ratio <= 1.1,
    )


@row
def quarto() -> Row:
    """What the project's steps before and after Quarto cost, or save."""
    what, bar = "quarto render with nothing out of date / Quarto alone on the same sources", "≤ 1.05"
    program = find_quarto()
    if program is None:
        return Row(what, bar, "no Quarto here", None)
    with fresh_copy() as root, tempfile.TemporaryDirectory() as folder:
        timed(root, "run", "-p", "dataset", "digits")

        def rendered(project: Path) -> None:
            command = [program, "render", "--profile", "digits"]
            subprocess.run(command, cwd=project, env=environment(project), capture_output=True, check=True)

        rendered(root)
        alone = shutil.copytree(root, Path(folder, "alone"))
        settings = (alone / "_quarto.yml").read_text(encoding="utf-8")
        (alone / "_quarto.yml").write_text(re.sub(r"^ +(pre|post)-render: .*\n", "", settings, flags=re.MULTILINE))
        ours, theirs = fastest(lambda: rendered(root), lambda: rendered(alone))
    ratio = ours / theirs
    return Row(what, bar, f"{ratio:.2f} ({ours:.0f} s / {theirs:.0f} s)", ratio <= 1.05)


@row
def gpu() -> Row:
    """15 epochs on a GPU, beside the least that its arithmetic and its memory allow."""
    settings = replace(SETTINGS, epochs=15)
    what = "15 epochs of MNIST, the slowest variant, on an NVIDIA GPU (bar and floor for an H200)"
    bar = f"≤ 3 s, floor {floor(settings):.2f} s"
    if not torch.cuda.is_available() or not has_mnist():
        return Row(what, bar, "no GPU here" if has_mnist() else "no MNIST here", None)
    dataset = data.load("mnist", "cuda")
    train_all(dataset, replace(settings, epochs=1))
    seconds = train_all(dataset, settings)
    here = ", ".join(f"{name} {value:.2f} s" for name, value in seconds.items())
    return Row(what, bar, here, max(seconds.values()) <= 3)


def train_all(dataset: data.Dataset, settings: training.Settings) -> dict[str, float]:
    """Seconds that each variant's training takes on the device of the dataset, with checkpoints, as in the study."""
    seconds = {}
    for name in parameters.VARIANTS:
        own = settings_of(name, settings)
        with tempfile.TemporaryDirectory() as folder:
            start = time.perf_counter()
            net = training.build(VALUES | {"norm_arg": name}, dataset.device)
            training.fit(net, dataset, own, checkpoint=Path(folder, "checkpoint.safetensors"))
            seconds[name] = time.perf_counter() - start
    return seconds


def floor(settings: training.Settings, flops: float = 67e12, bandwidth: float = 4.8e12) -> float:
    """Seconds that training must take: its arithmetic in float32, or its activations' way through memory.

    Each layer's output is written once and read once, forward and backward, 4 bytes a value. `flops` and `bandwidth`
    are an H200's, by its data sheet.
    """
    net = network()
    sizes: list[int] = []
    for layer in net.modules():
        if not list(layer.children()):
            layer.register_forward_hook(lambda _layer, _inputs, output: sizes.append(output.numel()))
    with FlopCounterMode(display=False) as counter:
        net(torch.zeros(2, 1, 28, 28)).sum().backward()
    operations, moved = counter.get_total_flops() / 2, 4 * 4 * sum(sizes) / 2
    return settings.epochs * 60_000 * max(operations / flops, moved / bandwidth)


def has_mnist() -> bool:
    """Whether MNIST lies in the data folder."""
    return all(files.find("mnist").values())


def timed(root: Path, *command: str) -> float:
    """Seconds that a `normstudy` command takes in a copy of the project."""
    start = time.perf_counter()
    program = "from normstudy.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", program, *command], cwd=root, env=environment(root), capture_output=True, text=True
    )
    if done.returncode:
        raise RuntimeError(f"normstudy {' '.join(command)}: {done.stdout}{done.stderr}")
    return time.perf_counter() - start


@contextmanager
def fresh_copy() -> Iterator[Path]:
    """A copy of the project's files, without anything that was made from them."""
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    with tempfile.TemporaryDirectory() as folder:
        for name in listed.splitlines():
            if (ROOT / name).is_file():
                (Path(folder) / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(ROOT / name, Path(folder) / name)
        yield Path(folder)


def merged(earlier: str, machine: str, lines: Sequence[str]) -> str:
    """README's tables, one a machine, with these rows of this machine in the place of those of any."""
    new = {line.split(" | ")[0]: line for line in lines}
    tables: dict[str, dict[str, str]] = {}
    for block, where in re.findall(r"((?:\|.*\n)+)\nMeasured on: (.*)\.\n", earlier):
        rows = {line.split(" | ")[0]: line for line in block.splitlines()[2:]}
        tables[where] = {what: line for what, line in rows.items() if what not in new or where == machine}
    tables[machine] = tables.get(machine, {}) | new
    header = ["| what | bar | here | kept |", "| --- | --- | --- | --- |"]
    return "\n".join(
        "\n".join([*header, *rows.values(), "", f"Measured on: {where}.", ""]) for where, rows in tables.items() if rows
    )


def main(names: list[str], readme: bool) -> None:
    """Measure and print; and put the rows into README.md if asked to."""
    with_what = f"{os.cpu_count()} cores, {single.made_by(choose_device())}"
    console = Console(width=160)
    console.print(with_what)
    table = Table("what", "bar", "here", "kept")
    for name in names:
        console.print(f"measuring {name} …", style="dim")
        measured = ROWS[name]()
        table.add_row(measured.what, measured.bar, measured.here, {True: "yes", False: "no", None: "–"}[measured.kept])
    console.print(table)
    if readme:
        file = ROOT / "README.md"
        before, start, rest = file.read_text(encoding="utf-8").partition("<!-- bench -->\n")
        earlier, end, after = rest.partition("<!-- end of bench -->\n")
        lines = [f"| {' | '.join(map(str, cells))} |" for cells in zip(*(c.cells for c in table.columns), strict=True)]
        file.write_text(f"{before}{start}{merged(earlier, with_what, lines)}{end}{after}", encoding="utf-8")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("rows", nargs="*", choices=[*ROWS, []], help=f"of {', '.join(ROWS)}; all of them by default")
    parser.add_argument("--readme", action="store_true", help="put these rows into the table in README.md")
    given = parser.parse_args()
    # Under this name a process that is started anew finds what it is to do; under `__main__` it does not.
    from tests.benchmarks import __main__ as benchmarks

    benchmarks.main(given.rows or list(ROWS), given.readme)
