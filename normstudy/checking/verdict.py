"""Whether a network does what its argument says: the faults and remarks of its examination. Imports no torch."""

import math
from collections.abc import Mapping
from typing import Any

from normstudy.normalizations import NORMALIZATIONS

MOST_PARAMETERS = 8000
"""The study's network has fewer; more is remarked."""

Found = Mapping[str, Any]
KINDS = {
    "deviation": "divides by the root of the mean square and subtracts no mean, as RMS normalization",
    "mean": "subtracts a mean and divides by nothing",
    "power": "divides by something that is no standard deviation",
    "fixed": "uses fixed statistics, which no value of the batch changes",
}

UNMOVED = {
    "unmoved": "they stay as they were",
    "unmoved mean": "the mean stays as it was",
    "unmoved variance": "the variance stays as it was",
}


def judge(examined: Mapping[str, Found]) -> dict[str, dict[str, Any]]:
    """The same by `norm_arg`, each with `right`, `faults` and `remarks`.

    A fault is a mapping: the `layer`, what was `expected` and what was `found`. A remark is a sentence.
    """
    judged = {}
    for norm_arg, found in examined.items():
        faults = _faults(norm_arg, found)
        remarks = [] if "broken" in found else _remarks(norm_arg, found, examined)
        judged[norm_arg] = {**found, "right": not faults, "faults": faults, "remarks": remarks}
    return judged


def named(layer: Found) -> str:
    """What a layer was measured to be, in the field's words."""
    if layer["kind"] == "fixed":
        return "a single value" if layer["constant"] else "fixed statistics"
    known = [name for name in NORMALIZATIONS if name in layer["names"]]
    words = {"position": "per position", "group": f"group with {layer['groups']} groups"}
    name = words.get(known[0], known[0]) if known else f"none of these ({layer['extent']})"
    kind = {"mean and deviation": "", "deviation": "RMS, "}.get(layer["kind"], f"{layer['kind']}, ")
    return f"{kind}{name}"


def by_formula(norm_arg: str, layer: Found) -> int:
    """How many means, and as many standard deviations, a layer of this normalization has."""
    number, channels, height, width = layer["shape"]
    sizes = {"N": number, "C": channels, "G": layer["groups"], "H": height, "W": width}
    return math.prod(sizes[letter] for letter in NORMALIZATIONS[norm_arg].apart)


def gamma_and_beta(layer: Found) -> str:
    """The parameters of a layer: how many there are, and for each what."""
    if not layer["parameters"]:
        return "none"
    _, channels, height, width = layer["shape"]
    kinds = {1: "layer", channels * height * width: "element", channels: "channel"}
    sizes = [math.prod(shape) for shape in layer["parameters"].values()]
    per = list(dict.fromkeys(kinds.get(size, "other set") for size in sizes))
    return f"{' + '.join(f'{size:,}' for size in sizes)}, per {' and '.join(per)}"


def _faults(norm_arg: str, found: Found) -> list[dict[str, str]]:
    if "broken" in found:
        return [_fault("the network", "a network that can be run", found["broken"])]
    faults = []
    if names := found["without_gradient"]:
        faults.append(_fault(", ".join(names), "a gradient", "no gradient reaches it"))
    if found["probabilities"]:
        faults.append(_fault("the output", "logits or log-probabilities", "probabilities"))
    for penalty in ("l1", "l2"):
        if not found[penalty]:
            faults.append(_fault("the weights", f"a penalty {penalty.upper()} that moves them", "it moves none"))
    judged = [layer for layer in found["layers"] if layer["before"] and not (layer["constant"] or _of_length(layer))]
    if not judged:
        faults.append(_fault("the network", _expected(norm_arg), "no normalization behind a layer with weights"))
    shared_later = {layer["name"] for layer in found["evaluation"] if layer["kind"] != "fixed"}
    groups = any("group" in layer["names"] for layer in judged)
    for layer in judged:
        # As many groups as channels are groups, too, where other layers have true ones.
        right = norm_arg in layer["names"] or (norm_arg == "group" and groups and "instance" in layer["names"])
        if layer["kind"] == "fixed":
            faults.append(_fault(layer["name"], _expected(norm_arg), KINDS["fixed"]))
        elif not right:
            faults.append(_fault(layer["name"], _expected(norm_arg), named(layer)))
        elif layer["kind"] != "mean and deviation":
            faults.append(_fault(layer["name"], "(x − mean) / standard deviation", KINDS[layer["kind"]]))
        elif not layer["exact"]:
            what = "something else than the mean and the standard deviation"
            faults.append(_fault(layer["name"], "(x − mean) / standard deviation", what))
        elif layer["running"] in UNMOVED and layer["name"] not in shared_later:
            what = UNMOVED[layer["running"]]
            faults.append(_fault(layer["name"], "running statistics that follow the batches", what))
    return faults or _of_derivative(found) or _in_evaluation(norm_arg, found, judged)


def _of_derivative(found: Found) -> list[dict[str, str]]:
    if found["derivative"]:
        return []
    what = "other gradients, as where a mean or a standard deviation is taken out of them"
    return [_fault("the network", "gradients that are the derivative of what it computes", what)]


def _in_evaluation(norm_arg: str, found: Found, judged: list[Found]) -> list[dict[str, str]]:
    """What is wrong in evaluation mode, where the layers are right in training mode."""
    names = {layer["name"] for layer in judged}
    sharing = [layer for layer in found["evaluation"] if layer["name"] in names and layer["kind"] != "fixed"]
    if norm_arg == "batch":
        expected = "in evaluation mode, the running statistics"
        wrong = [
            _fault(layer["name"], expected, f"in evaluation mode, shared by {layer['extent']}") for layer in sharing
        ]
    else:
        expected = "in evaluation mode, the same as in training"
        now = [(layer["name"], layer["names"]) for layer in sharing]
        wrong = [
            _fault(layer["name"], expected, "something else")
            for layer in judged
            if (layer["name"], layer["names"]) not in now
        ]
    if not wrong and found["company"]:
        expected = "in evaluation mode, an answer that does not depend on the other images"
        wrong = [_fault("the network", expected, "it depends on them")]
    return wrong


def _remarks(norm_arg: str, found: Found, examined: Mapping[str, Found]) -> list[str]:
    remarks = []
    layers = found["layers"]
    if names := [layer["useless_bias"] for layer in layers if layer["useless_bias"]]:
        remarks.append(f"a bias before a normalization that takes it away again: {', '.join(names)}")
    if names := [layer["name"] for layer in layers if layer["constant"] or (layer["size"] == 1 and layer["before"])]:
        remarks.append(f"statistics over a single value, so that nothing of the input is left: {', '.join(names)}")
    if names := [layer["name"] for layer in layers if not layer["even"] and layer["names"]]:
        remarks.append(f"groups that do not divide the channels, so that some are larger: {', '.join(names)}")
    if names := [layer["name"] for layer in layers if "group" in layer["names"] and _scattered(layer)]:
        remarks.append(f"groups of channels that are no neighbours: {', '.join(names)}")
    if norm_arg == "group" and (names := [layer["name"] for layer in layers if "instance" in layer["names"]]):
        remarks.append(f"as many groups as channels, which is instance normalization: {', '.join(names)}")
    if names := [layer["name"] for layer in layers if not layer["after"]]:
        remarks.append(f"a normalization after the last layer with weights: {', '.join(names)}")
    if names := [layer["name"] for layer in layers if _of_length(layer)]:
        remarks.append(f"vectors that are brought to one length: {', '.join(names)}")
    if names := [layer["name"] for layer in layers if not layer["before"]]:
        remarks.append(f"a normalization of the images themselves: {', '.join(names)}")
    if names := [layer["name"] for layer in layers if layer["running"] == "biased"]:
        remarks.append(
            "a running variance that takes up the variance that training divides by, without n / (n − 1): "
            + ", ".join(names)
        )
    if names := [layer["name"] for layer in layers if layer["running"] == "far"]:
        what = "another mean or standard deviation than those of the batches before, or another gamma or beta"
        remarks.append(f"in evaluation mode, {what}: {', '.join(dict.fromkeys(names))}")
    if names := [name for name, times in _times(layers).items() if times > 1]:
        remarks.append(f"parameters that several normalization layers share: {', '.join(names)}")
    if names := [layer["name"] for layer in layers if "per element" in gamma_and_beta(layer)]:
        remarks.append(f"gamma and beta for each element instead of each channel: {', '.join(names)}")
    if found["chance"]:
        remarks.append("in evaluation mode the same images get other answers, as where dropout stays at work")
    if names := [name for name in found["not_penalized"] if name not in _times(layers)]:
        remarks.append(f"no penalty covers {', '.join(names)}")
    whole = {name: other for name, other in examined.items() if "broken" not in other}
    if len({other["parameters"] for other in whole.values()}) > 1:
        counts = ", ".join(f"{name} {other['parameters']:,}" for name, other in whole.items())
        remarks.append(f"the variants have other numbers of parameters: {counts}")
    numbers = {name: sum(layer["before"] for layer in other["layers"]) for name, other in whole.items()}
    if len(set(numbers.values())) > 1:
        counts = ", ".join(f"{name} {number}" for name, number in numbers.items())
        remarks.append(f"the variants have other numbers of normalization layers: {counts}")
    if found["parameters"] > MOST_PARAMETERS:
        remarks.append(f"{found['parameters']:,} parameters; the study's network has fewer than {MOST_PARAMETERS:,}")
    return remarks


def _of_length(layer: Found) -> bool:
    """Whether a layer divides vectors by their lengths and does no more, as a classifier by cosines needs it."""
    return bool(layer["kind"] == "deviation" and layer["shape"][2:] == [1, 1] and not layer["parameters"])


def _scattered(layer: Found) -> bool:
    """Whether channels of one set have others between them."""
    return bool(layer["sheet"][0] != sorted(layer["sheet"][0]))


def _times(layers: list[Found]) -> dict[str, int]:
    names = [name for layer in layers for name in layer["parameters"]]
    return {name: names.count(name) for name in names}


def _expected(norm_arg: str) -> str:
    return f"{norm_arg}: {NORMALIZATIONS[norm_arg].idea}"


def _fault(layer: str, expected: str, found: str) -> dict[str, str]:
    return {"layer": layer, "expected": expected, "found": found}
