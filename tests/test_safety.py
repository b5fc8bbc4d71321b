"""What comes from elsewhere is only read: notebooks, tables and weights run nothing, and text stays text."""

import json
import pickle
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import lxml.html
import pytest
from playwright.sync_api import Browser
from pypdf import PdfReader

from normstudy import data, training
from normstudy.experiments import sweep_files, tables
from normstudy.experiments.places import sweep_tables
from normstudy.rendering.render import find_quarto
from tests import checks
from tests.browser import served
from tests.commands import ROOT, WITHOUT_QUARTO, command
from tests.trainings import build, settings

HOSTILE = "<script>document.title = 'taken'</script> **bold** [link](x.html) {{< var dataset >}} $x$ | `code`"

TAKEN = "<script>document.title = 'taken'</script>"

MARKUP = f"""{TAKEN}

```{{=html}}
{TAKEN}
```

`{TAKEN}`{{=html}} [word]{{onmouseover="document.title = 'taken'"}} \\\\{TAKEN}

---
header-includes: |
  {TAKEN}
---
"""

ADDRESSES = """

[word](javascript:document.title='taken') [word](JavaScript:taken)
[word](&#106;avascript&colon;taken) [word]( vbscript:taken) [word](data:text/html,taken) [word](file:///taken)
[*word* ![word](javascript:taken)](view-source:taken)
![word](https://taken.example/picture.png) [word](https://kept.example)
"""

OWN_FILES_ONLY = (
    "default-src 'none'; script-src 'self' 'unsafe-inline' data:; style-src 'self' 'unsafe-inline' data:; "
    "img-src 'self' data:; font-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'"
)


@pytest.fixture(scope="module", params=["pandoc", "quarto"])
def hostile(study: Path, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project that has somebody else's results, with its report."""
    if request.param == "quarto" and find_quarto() is None:
        pytest.skip("Quarto is not installed")
    copy = tmp_path_factory.mktemp("hostile") / "project"
    shutil.copytree(study, copy)
    notebook = copy / "report" / "executed" / "digits" / "batch" / "batch.ipynb"
    content = json.loads(notebook.read_text(encoding="utf-8"))
    for cell in content["cells"]:
        if cell["cell_type"] == "markdown":
            cell["source"] = [*cell["source"], f"\n\n{MARKUP}"]
            continue
        cell["source"] = ["#| output: asis\n", *cell["source"], "\nopen('executed-by-reading', 'w').close()"]
        cell["metadata"] |= {"output": "asis"}
        cell["outputs"].append({"output_type": "stream", "name": "stdout", "text": MARKUP})
        cell["outputs"].append({"output_type": "display_data", "metadata": {}, "data": {"text/html": TAKEN}})
        for output in cell["outputs"]:
            data = output.get("data", {})
            if "text/markdown" in data:
                data["text/markdown"] = [*data["text/markdown"], f"\n\n{MARKUP}"]
            if "image/svg+xml" in data:
                data |= {"text/html": TAKEN, "application/javascript": "document.title = 'taken'"}
    content["cells"].insert(0, {"cell_type": "raw", "metadata": {"format": "text/html"}, "source": TAKEN, "id": "raw"})
    notebook.write_text(json.dumps(content), encoding="utf-8")
    notebook = copy / "report" / "executed" / "digits" / "comparison" / "comparison.ipynb"
    content = json.loads(notebook.read_text(encoding="utf-8"))
    for cell in content["cells"]:
        if cell["cell_type"] == "markdown":
            cell["source"] = [*cell["source"], ADDRESSES]
        for data in (output["data"] for output in cell.get("outputs", []) if "text/markdown" in output.get("data", {})):
            data["text/markdown"] = [*data["text/markdown"], ADDRESSES]
    notebook.write_text(json.dumps(content), encoding="utf-8")
    put_results(copy, made_by=HOSTILE)
    if request.param == "quarto":
        made = command(copy, "quarto", "render", "--profile", "digits")
    else:
        made = command(copy, *WITHOUT_QUARTO, "render", "--dataset", "digits")
    assert made.returncode == 0, made.stdout + made.stderr
    return copy


def put_results(project: Path, **changes: str) -> None:
    """Take the published factorial for one's own, with other values in some columns."""
    file = project / "params" / "factorial.yaml"
    runs = sweep_files.expand(project, file, {})
    own, published = sweep_tables(project, "factorial", "digits")[:2]
    found = tables.read(published, tuple(next(iter(runs.values()))))
    own.parent.mkdir(parents=True)
    changed = {name: [row | changes for row in rows] for name, rows in found.items()}
    tables.write(own, changed, "normstudy sweep params/factorial.yaml")


def test_showing_a_notebook_does_not_execute_it(hostile: Path):
    assert not list(hostile.rglob("executed-by-reading"))


def test_no_page_holds_what_a_notebook_from_elsewhere_would_run(hostile: Path):
    seen = []
    for page in (hostile / "_report").rglob("*.html"):
        document = lxml.html.document_fromstring(page.read_text(encoding="utf-8"))
        assert not [script for script in document.xpath("//script/text()") if "taken" in script], page.name
        assert not document.xpath("//*[@onmouseover]"), page.name
        seen.append("taken" in document.text_content())
    assert len(seen) > 5
    assert any(seen), "it is shown as text"


def test_links_lead_to_pages_and_files_alone_and_pictures_lie_beside_the_page(hostile: Path):
    """They run nothing, and tell nobody that the report is read."""
    kept = []
    for page in (hostile / "_report").rglob("*.html"):
        addresses = lxml.html.document_fromstring(page.read_text(encoding="utf-8")).xpath("//@href | //@src")
        assert not [address for address in addresses if "taken" in address], page.name
        kept.append("https://kept.example" in addresses)
    assert kept.count(True) >= 2, "an article and a notebook's page have it"
    uris = [
        str(note["/A"]["/URI"])
        for sheet in PdfReader(hostile / "_report" / "report" / "index.pdf").pages
        for note in (reference.get_object() for reference in sheet.get("/Annots", []))
        if "/URI" in note.get("/A", {})
    ]
    assert "https://kept.example" in uris
    assert not [uri for uri in uris if "taken" in uri]


def test_text_from_elsewhere_reads_as_it_stands(hostile: Path):
    assert " ".join(HOSTILE.split()) in " ".join(checks.body(hostile / "_report").split())
    report = checks.article(hostile / "_report")
    assert not [script for script in report.xpath("//script/text()") if "taken" in script]
    assert not report.xpath("//a[@href='x.html']")


@pytest.fixture
def server(report: Path) -> Iterator[str]:
    """The address of the report on digits, served with a policy that forbids every other host."""
    with served(report, OWN_FILES_ONLY) as address:
        yield address


def test_the_page_works_under_a_policy_that_forbids_other_hosts(server: str, browser: Browser):
    errors: list[str] = []
    asked: list[str] = []
    with browser.new_context() as context:
        page = context.new_page()
        page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("request", lambda request: asked.append(request.url))
        page.route("**/favicon.ico", lambda route: route.fulfill(body=b""))
        page.goto(f"{server}/report/index.html")
        page.get_by_role("button", name="Next normalization").first.click()
        page.evaluate("window.scrollTo(0, document.body.scrollHeight)")
        page.wait_for_timeout(500)
    assert errors == []
    assert len(asked) > 5
    assert [url for url in asked if not url.startswith((server, "data:"))] == []


class Bomb:
    """Unpickling it writes a file."""

    def __init__(self, file: Path):
        self.file = file

    def __reduce__(self) -> tuple[object, tuple[str, str]]:
        return open, (str(self.file), "w")


def test_weights_that_hold_code_are_not_executed(tmp_path: Path):
    trap = tmp_path / "trap"
    checkpoint = tmp_path / "checkpoint.safetensors"
    checkpoint.write_bytes(pickle.dumps(Bomb(trap)))
    images = data.load("digits")
    few = replace(images, train_images=images.train_images[:64], train_labels=images.train_labels[:64])
    history = training.fit(build("batch"), few, settings(epochs=1, batch_size=32), checkpoint=checkpoint)
    assert len(history) == 1
    assert not trap.exists()
    pickle.loads(pickle.dumps(Bomb(trap))).close()
    assert trap.exists(), "the trap would not have gone off"


def test_the_repository_has_no_pickle():
    listed = command(ROOT, "git", "ls-files").stdout.splitlines()
    assert "pyproject.toml" in listed
    assert not [name for name in listed if name.endswith((".pkl", ".pickle", ".pt", ".pth", ".npy"))]
