"""What a check says: in a terminal, for machines, and as a page."""

from collections.abc import Iterator, Mapping, Sequence
from html import escape
from textwrap import indent
from typing import Any

from tabulate import tabulate

from normstudy.checking.verdict import by_formula, gamma_and_beta, named

Found = Mapping[str, Any]
COLUMNS = ("layer", "input N×C×H×W", "who shares, measured", "means: by formula", "measured", "gamma + beta")

# Okabe & Ito's colours, lightened until black writing on them is easy to read; a set beyond the last begins again.
COLOURS = ("#8ec7e8", "#f5c26b", "#7fd0b5", "#e3b4cf", "#bfe0f4", "#eaa983", "#f6ee9c", "#cfcfcf")


def lines(checked: Found) -> Iterator[str]:
    """What there is to say of one file's network with each normalization."""
    for norm_arg, found in checked["variants"].items():
        count = f", {found['parameters']:,} parameters" if "parameters" in found else ""
        yield f"{norm_arg}: {'right' if found['right'] else 'wrong'}{count}"
        if found["layers"]:
            yield indent(tabulate(rows(norm_arg, found), COLUMNS, disable_numparse=True), "  ")
        yield from (f"  {each}" for each in others(found))
        yield from (f"  fault: {sentence(fault)}" for fault in found["faults"])
        yield from (f"  remark: {remark}" for remark in found["remarks"])


def rows(norm_arg: str, found: Found) -> Iterator[tuple[str, ...]]:
    """A row a layer, as `COLUMNS` names them."""
    for layer in found["layers"]:
        shared = layer["kind"] != "fixed"
        yield (
            layer["name"],
            "×".join(map(str, layer["shape"])),
            named(layer),
            f"{by_formula(norm_arg, layer):,}",
            f"{layer['count']:,}" if shared else "–",
            gamma_and_beta(layer),
        )


def others(found: Found) -> Iterator[str]:
    """What there is to say beside the table: of evaluation mode, and of the penalties."""
    if "broken" in found:
        return
    yield f"evaluation mode: an answer {'depends' if found['company'] else 'does not depend'} on the other images"
    taken = {
        "unbiased": "the unbiased variance",
        "biased": "the biased variance",
        "unmoved": "nothing",
        "unmoved mean": "no mean",
        "unmoved variance": "no variance",
    }
    words = dict.fromkeys(taken.get(layer["running"], "") for layer in found["layers"])
    if known := [word for word in words if word]:
        yield f"running statistics: a batch adds {', '.join(known)}"
    moved = ", ".join(f"{penalty.upper()} moves {len(found[penalty])} weights" for penalty in ("l1", "l2"))
    yield f"penalties: {moved}"


def sentence(fault: Mapping[str, str]) -> str:
    """A fault: where, what was expected, what was found."""
    return f"{fault['layer']}: expected {fault['expected']}; found {fault['found']}"


def line(checked: Found) -> str:
    """One file in one line."""
    if "error" in checked:
        return f"{checked['model']}: not checked: {checked['error']}"
    faults = [(norm_arg, fault) for norm_arg, found in checked["variants"].items() for fault in found["faults"]]
    if not faults:
        return f"{checked['model']}: right"
    norm_arg, first = faults[0]
    others = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
    return f"{checked['model']}: wrong: {norm_arg}: {sentence(first)}{others}"


def summary(all_checked: Sequence[Found]) -> str:
    """How many files are right."""
    codes = [code(checked) for checked in all_checked]
    return f"{len(codes)} files: {codes.count(0)} right, {codes.count(1)} wrong, {codes.count(2)} not checked"


def code(checked: Found) -> int:
    """The exit code: 0 for a right file, 1 for a wrong one, 2 for one that could not be checked."""
    if "error" in checked:
        return 2
    return 0 if all(found["right"] for found in checked["variants"].values()) else 1


def page(all_checked: Sequence[Found]) -> str:
    """One HTML page about all files, with the sheet of images × channels of each layer as it was measured."""
    title = "What the layers compute"
    return "\n".join(
        (
            f'<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<style>{STYLE}</style></head><body><main><h1>{title}</h1>",
            "<p>Each sheet has a row an image and a column a channel. What has one colour and one number shares a mean "
            "and a standard deviation; who shares was measured by changing single values.</p>",
            *(_contents(all_checked) if len(all_checked) > 1 else ()),
            *(part for number, checked in enumerate(all_checked, 1) for part in _of_file(number, checked)),
            "</main></body></html>",
        )
    )


STYLE = """
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { margin: 0; } main { max-width: 70rem; margin: auto; padding: 1rem; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; } th, td { text-align: left; padding: .2rem .8rem .2rem 0; }
table.sheet { font-size: .6rem; } table.sheet td, table.sheet th { padding: 0; min-width: 1.1rem; text-align: center; }
table.sheet td { color: #000; border: 1px solid #fff; height: 1.1rem; }
figure { margin: .5rem 0 1.5rem; } figcaption { font-size: .9rem; }
"""


def _contents(all_checked: Sequence[Found]) -> Iterator[str]:
    yield f"<p>{summary(all_checked)}.</p>"
    links = (f'<li><a href="#file-{n}">{escape(line(each))}</a></li>' for n, each in enumerate(all_checked, 1))
    yield f"<ol>{''.join(links)}</ol>"


def _of_file(number: int, checked: Found) -> Iterator[str]:
    yield f'<h2 id="file-{number}">{escape(checked["model"])}</h2>'
    if "error" in checked:
        yield f"<p>{escape(checked['error'])}</p>"
        return
    for norm_arg, found in checked["variants"].items():
        yield f"<h3>{norm_arg}: {'right' if found['right'] else 'wrong'}</h3>"
        notes = list(others(found))
        notes += [f"Fault: {sentence(fault)}" for fault in found["faults"]]
        notes += [f"Remark: {remark}" for remark in found["remarks"]]
        yield f"<ul>{''.join(f'<li>{escape(note)}</li>' for note in notes)}</ul>" if notes else ""
        if not found["layers"]:
            continue
        head = "".join(f'<th scope="col">{escape(column)}</th>' for column in COLUMNS)
        body = "".join(
            f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in rows(norm_arg, found)
        )
        yield f'<div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'
        yield from (_sheet(layer) for layer in found["layers"])


def _sheet(layer: Found) -> str:
    head = "".join(f'<th scope="col">{number}</th>' for number in range(1, layer["shape"][1] + 1))
    body = "".join(
        f'<tr><th scope="row">{number}</th>'
        + "".join(f'<td style="background:{COLOURS[each % len(COLOURS)]}">{each + 1}</td>' for each in row)
        + "</tr>"
        for number, row in enumerate(layer["sheet"], 1)
    )
    caption = escape(f"{layer['name']}: {named(layer)}")
    return (
        f'<figure class="scroll"><table class="sheet" aria-label="{caption}"><thead><tr><th></th>{head}</tr></thead>'
        f"<tbody>{body}</tbody></table><figcaption>{caption}</figcaption></figure>"
    )
