"""The report: what its sources become, with Quarto and without."""

from pathlib import Path

import checks
import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from normstudy.render import render

SVG = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="300" height="150"><rect width="300" height="150" fill="#0072B2"/>'
    '<circle cx="150" cy="75" r="50" fill="#fff"/></svg>'
)
PNG = "iVBORw0KGgoAAAANSUhEUgAAAAoAAAAKCAIAAAACUFjqAAAAEklEQVR4nGP4z8CAB+GTG8HSALfKY52fTcuYAAAAAElFTkSuQmCC"
QUARTO = """\
project:
  type: website
  output-dir: _report
  render: [report/index.qmd]
  resources: ["report/shown/**"]
website: {title: A study, search: false}
lang: en
bibliography: report/references.bib
citeproc: true
toc: true
number-sections: true
format:
  html: {html-math-method: mathml}
  typst: {papersize: a4, margin: {x: 2.2cm, y: 2.4cm}}
"""
ARTICLE = """\
---
title: "Norms: a *study*"
subtitle: What they compute
author: Ada
---

## Introduction {#sec-introduction}

The accuracy is {{< var batch.accuracy >}} % [@ioffe2015]. See @fig-curves, @fig-both, @tbl-results, @tbl-plain,
@eq-norm and @sec-deeper; or number [-@fig-drawn] alone.
The [metrics](shown/{{< var batch.name >}}/metrics.csv) are there.[^1]

[^1]: A footnote.

::: {#fig-curves}
{{< embed shown/batch.ipynb#curves >}}

The curves of **batch** normalization.
:::

{{< include sections/_more.qmd >}}
"""
MORE = """\
## More

### Deeper {#sec-deeper}

::: {#fig-both layout-ncol=2}
{{< embed shown/batch.ipynb#curves >}}

{{< embed shown/layer.ipynb#curves >}}

Both, side by side.
:::

![Drawn by hand](drawn.svg){#fig-drawn fig-alt="A blue \\"rectangle\\""}

::: {#tbl-results}
{{< embed shown/batch.ipynb#results >}}

Results.
:::

| Norm | Means |
|:-----|------:|
| batch | 8 |

: What is *computed* {#tbl-plain}

$$ y = \\gamma \\frac{x - \\mu}{\\sigma} + \\beta $$ {#eq-norm}

{{< embed shown/batch.ipynb#findings >}}

{{< embed shown/batch.ipynb#printed echo=true >}}

::: {.callout-note collapse="true"}
## Opened on demand
Inside the note, @fig-curves again.
:::

::: {.callout-warning title="Mind this"}
A warning.
:::

::: {.content-visible when-format="html"}
Only on the page.
:::

::: {.content-visible unless-format="html"}
Only in the PDF.
:::

```{=html}
<p class="raw">Raw HTML.</p>
```

## Aside {.unnumbered}

The end, @sec-introduction.
"""
REFERENCES = """\
@article{ioffe2015, author = {Ioffe, Sergey and Szegedy, Christian}, title = {Batch normalization: accelerating deep
  network training}, journal = {Proceedings}, year = {2015}}
"""


def figure(alt: str) -> nbformat.NotebookNode:
    """A figure as notebooks store it."""
    return new_output(
        "display_data",
        data={"image/svg+xml": SVG, "image/png": PNG, "text/plain": alt},
        metadata={"image/svg+xml": {"alt": alt}, "image/png": {"alt": alt}},
    )


def notebook(name: str) -> nbformat.NotebookNode:
    """An executed notebook."""
    table = {
        "text/html": f"<table><thead><tr><th>Norm</th><th>Accuracy</th></tr></thead><tbody><tr><td>{name}</td>"
        "<td>99.5</td></tr></tbody></table>",
        "text/markdown": f"| Norm | Accuracy |\n|:--|--:|\n| {name} | 99.5 |",
    }
    return new_notebook(
        cells=[
            new_markdown_cell(f"# The variant {name}\n\nIts text."),
            new_code_cell(
                "#| label: curves\n#| fig-alt: 'Curves'\nplot()",
                execution_count=1,
                outputs=[figure(f'Curves of {name}: "low" & 5 < 6')],
            ),
            new_code_cell(
                "#| label: results\ntable()", execution_count=2, outputs=[new_output("display_data", data=table)]
            ),
            new_code_cell(
                "#| label: findings\nsay()",
                execution_count=3,
                outputs=[new_output("display_data", data={"text/markdown": f"**{name}** wins."})],
            ),
            new_code_cell(
                "#| label: printed\nprint('out')",
                execution_count=4,
                outputs=[new_output("stream", name="stdout", text="out\n")],
            ),
        ],
        metadata={"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}},
    )


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A small project with executed notebooks."""
    texts = {
        "_quarto.yml": QUARTO,
        "_variables.yml": "batch: {accuracy: 99.5, name: batch}\n",
        "report/index.qmd": ARTICLE,
        "report/sections/_more.qmd": MORE,
        "report/references.bib": REFERENCES,
        "report/drawn.svg": SVG,
        "report/shown/batch/metrics.csv": "epoch,loss\n1,0.5\n",
        **{f"report/shown/{name}.ipynb": nbformat.writes(notebook(name)) for name in ("batch", "layer")},
    }
    for name, text in texts.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


def test_report_without_quarto_is_whole(project: Path) -> None:
    render(project, quarto=False)
    checks.everything(project / "_report")
