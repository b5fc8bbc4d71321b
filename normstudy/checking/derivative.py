"""Whether backward gives the derivative of what forward computes: it does not where statistics are taken out of it."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

STEP = 1e-7  # relative to each parameter's norm; in float64, rounding changes the slope by about 1e-9
TOLERANCE = 1e-5  # by which the slope and what backward says of it may differ, relative to the slope


def agrees(net: nn.Module, images: Tensor) -> bool:
    """Whether the cross-entropy changes as its gradient says, when every parameter moves a little along its own.

    Args:
        net: in training mode; it is changed.
        images: (N, 1, H, W).

    Returns:
        False where it does not; True also where the network cannot be computed in float64, so that nothing can be told.
    """
    net, given, labels = net.double(), images.double(), torch.arange(len(images))

    def loss() -> Tensor:
        torch.manual_seed(0)
        logits = net(given)
        if logits.dtype != torch.float64:
            raise TypeError("float32 would hide so small a change")
        return F.cross_entropy(logits, labels)

    parameters = [each for each in net.parameters() if each.requires_grad]
    try:
        gradients = torch.autograd.grad(loss(), parameters, allow_unused=True)
        moved = [(each, gradient) for each, gradient in zip(parameters, gradients, strict=True) if gradient is not None]
        before = [each.detach().clone() for each, _ in moved]

        @torch.no_grad()
        def after(step: float) -> float:
            for (parameter, gradient), origin in zip(moved, before, strict=True):
                parameter.copy_(origin + step * origin.norm() * gradient / gradient.norm().clamp(min=1e-300))
            return float(loss())

        behind, here, ahead = after(-STEP), after(0), after(STEP)
    except (RuntimeError, TypeError):  # an operation that takes no float64, or float32 beside it
        return True
    slope = (ahead - behind) / (2 * STEP)
    corner = abs(ahead - 2 * here + behind) / STEP  # where the loss has one, there is no single slope
    expected = sum(float(origin.norm() * gradient.norm()) for origin, (_, gradient) in zip(before, moved, strict=True))
    return abs(slope - expected) <= max(TOLERANCE * abs(slope), corner)
