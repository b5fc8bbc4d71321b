"""What the page's interactive figures read: trained networks, an activation and test images, as small JavaScript files.

The files are classic scripts that assign one global each: a page that is opened from disk may load nothing else.
"""

import base64
import json
import math
import zlib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from normstudy.analysis.trained_layers import observe
from normstudy.data import Dataset, load, to_input
from normstudy.display import plain_layers
from normstudy.normalizations import NORMALIZATIONS
from normstudy.training import evaluate

MEASURED = 10_000  # training images whose place in their frame is measured
FAINT, STRONG = 32, 128  # of 255: from where on a pixel belongs to what is drawn, and to its strokes
NEAR = (1, 7, 8)  # of 8×8 pixels in a row: how far back the neighbours are that come before a pixel
UNREAD = {"dataset", "easy", "device", "threads", "model", "baseline", "output"}  # parameters that a page does not read
KEPT = {"weight": "gamma", "bias": "beta", "running_mean": "means", "running_var": "variances"}
ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth")


def write_explorer_data(
    path: Path, example: Tensor, net: nn.Module, norm_arg: str, dataset: Dataset, layer: int = 1
) -> None:
    """Write `explorerData`: all normalizations, the example, and what a layer of a trained network receives and keeps.

    Args:
        path: the file to write, such as `explorer-data.js`.
        example: the batch that is worked through, (N, C, H, W).
        net: the trained network, in any mode.
        norm_arg: its normalization.
        dataset: what it was trained on; the first test image of each of the first four classes is shown.
        layer: which of its normalization layers, counted from 0; the last where there are fewer.
    """
    labels = dataset.test_labels.tolist()
    classes = sorted(set(labels))[:4]
    chosen = [labels.index(label) for label in classes]
    layers = observe(net, to_input(dataset.test_images[chosen], dataset), training=False)
    layer = min(layer, len(layers) - 1)
    seen = layers[layer]
    excerpt = middle(seen.given[:, :8], 4)  # (N, 8, 4, 4)
    kept = {KEPT[name]: tensor for name, tensor in seen.module.state_dict().items() if name in KEPT}  # each (C,)
    named = ", ".join(dataset.classes[label] for label in classes)
    _assign(
        path,
        "explorerData",
        {
            "normalizations": {
                name: {
                    what: getattr(each, what)
                    for what in ("title", "count", "apart", "size", "idea", "colour", "centred")
                }
                for name, each in NORMALIZATIONS.items()
                if each.count
            },
            "example": {"shape": list(example.shape), "values": _rounded(example)},
            "source": (
                f"These values come from the {norm_arg} network, trained on {dataset.name}: what its {ORDINALS[layer]} "
                f"normalization layer receives for four test images ({named}), in the middle of its first channels."
            ),
            "activation": {
                "shape": list(excerpt.shape),
                "values": _rounded(excerpt),
                **{name: _rounded(tensor.detach()[: excerpt.shape[1]]) for name, tensor in kept.items()},
            },
        },
    )


def write_drawing_data(path: Path, nets: Mapping[str, nn.Module], dataset: Dataset, mistakes: Sequence[int]) -> None:
    """Write `drawingData`: whole networks that the page runs, and the test images that a reader can pick.

    Args:
        path: the file to write, such as `drawing-data.js`.
        nets: variant → its trained network.
        dataset: what they were trained on.
        mistakes: the numbers of the test images to offer.

    Raises:
        ValueError: a network has a layer that the page cannot run.
    """
    images = dataset.test_images[list(mistakes)]  # (M, 28, 28) uint8
    labels = dataset.test_labels[list(mistakes)]
    predictions = {name: evaluate(net, images, labels, dataset).logits.argmax(dim=1) for name, net in nets.items()}
    _assign(
        path,
        "drawingData",
        {
            "dataset": dataset.name,
            "classes": dataset.classes,
            "mean": dataset.mean,
            "std": dataset.std,
            "placement": placement(dataset.train_images[:MEASURED]),
            "networks": {name: plain_layers.describe(net) for name, net in nets.items()},
            "mistakes": [
                {
                    "index": int(index),
                    "label": int(dataset.test_labels[index]),
                    "predictions": {name: int(values[number]) for name, values in predictions.items()},
                    "pixels": base64.b64encode(images[number].cpu().numpy().tobytes()).decode(),
                }
                for number, index in enumerate(mistakes)
            ],
        },
    )


def left_out(nets: Iterable[nn.Module]) -> str:
    """Why the page cannot run these networks, in a sentence; empty where it can."""
    try:
        for net in nets:
            plain_layers.describe(net)
    except ValueError as error:
        why = " ".join(str(error).split())
        return f"Nothing can be drawn here, since the networks hold what the page's arithmetic does not know: {why}."
    return ""


def write_training_data(path: Path, variants: Mapping[str, Mapping[str, Any]]) -> None:
    """Write `trainingData`: the built-in digits as they are, 8×8 pixels, and the parameters to begin with.

    Args:
        path: the file to write, such as `training-data.js`.
        variants: variant → its parameters on the dataset `digits`.
    """
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split

    digits = load("digits")
    small, labels = load_digits(return_X_y=True)  # (1797, 64), whole numbers from 0 to 16
    parts = train_test_split(
        range(len(labels)), test_size=len(digits.test_labels), stratify=labels, random_state=0
    )  # as in `data.load`
    order = [index for part in parts for index in part]
    # The pixels of one place are alike, and get a code of their own; they come in the order of the sum of their
    # neighbours that came before, so that those that are probably alike lie together.
    places = small[order].T.astype(np.uint8)
    near = [sum((places[i - back] for back in NEAR if back <= i), np.zeros(len(order), np.uint8)) for i in range(64)]
    packing = zlib.compressobj(9, strategy=zlib.Z_RLE)
    packed = [
        packing.compress(place[np.argsort(known, kind="stable")].tobytes()) + packing.flush(zlib.Z_PARTIAL_FLUSH)
        for place, known in zip(places, near, strict=True)
    ]
    _assign(
        path,
        "trainingData",
        {
            "images": base64.b64encode(b"".join(packed) + packing.flush()).decode(),
            "labels": "".join(map(str, labels[order])),
            "training": len(digits.train_labels),
            "mean": digits.mean,
            "std": digits.std,
            "colours": {name: each.colour for name, each in NORMALIZATIONS.items()},
            "variants": {
                name: {key: value for key, value in values.items() if key not in UNREAD}
                for name, values in variants.items()
            },
        },
    )


def placement(images: Tensor) -> dict[str, Any]:
    """How images lie in their frame, so that a drawing can be put there in the same way.

    MNIST has its digits in 20 of 28 pixels, their centre of mass in the middle (LeCun et al., 1998); the digits of
    scikit-learn and the clothes of Fashion-MNIST (Xiao et al., 2017, arXiv:1708.07747) fill the frame.

    Args:
        images: (N, H, H) uint8, light on black; empty ones do not count.

    Returns:
        `side`: the longer side of the box around what is drawn, in pixels, the median; `centre`: what lies more
        steadily in one place, the centre of "mass" or that of the "outline", which is the box; `stroke`: how wide
        lines are, in pixels.
    """
    images = images[images.amax(dim=(1, 2)) >= FAINT]
    place = torch.arange(images.shape[-1], device=images.device) + 0.5
    lit = torch.stack([(images >= FAINT).any(dim=2), (images >= FAINT).any(dim=1)], dim=1).int()  # (N, 2, H)
    first, end = lit.argmax(dim=2), lit.shape[2] - lit.flip(2).argmax(dim=2)  # (N, 2): rows, columns
    weights = torch.stack([images.sum(dim=2), images.sum(dim=1)], dim=1).float()  # (N, 2, H)
    outline, mass = (first + end) / 2, (weights * place).sum(dim=2) / weights.sum(dim=2)
    # The perimeter in pixels is longer than the true one, by 4/π for lines of all directions alike; a line has twice
    # its length as perimeter, and its length times its width as area.
    dark = F.pad(images >= STRONG, (1, 1, 1, 1)).int()
    perimeter = math.pi / 4 * float(dark.diff(dim=1).abs().sum() + dark.diff(dim=2).abs().sum())
    return {
        "side": int((end - first).amax(dim=1).median()),
        "centre": "mass" if mass.var(dim=0).sum() < outline.var(dim=0).sum() else "outline",
        "stroke": round(2 * float(dark.sum()) / perimeter, 2),
    }


def middle(activation: Tensor, side: int) -> Tensor:
    """The middle rows and columns of an activation (N, C, H, W), at most `side` of each."""
    top, left = (max(0, (length - side) // 2) for length in activation.shape[2:])
    return activation[:, :, top : top + side, left : left + side]


def _rounded(tensor: Tensor) -> list[float]:
    return [round(float(value), 4) for value in np.asarray(tensor.cpu()).ravel()]


def _assign(path: Path, name: str, content: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    written = json.dumps(content, allow_nan=False, separators=(",", ":"))
    path.write_text(f"globalThis.{name} = {written};\n", encoding="utf-8")
