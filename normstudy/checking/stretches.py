"""The stretches of arithmetic of a forward pass, between convolutions, linear layers, nonlinearities and pooling."""

from dataclasses import dataclass, field

from torch import Tensor

from normstudy.checking.trace import Step, Trace, storage

READY_MADE = {
    *("native_batch_norm", "_native_batch_norm_legit", "_native_batch_norm_legit_no_training", "cudnn_batch_norm"),
    *("_native_batch_norm_legit_functional", "_batch_norm_with_update", "batch_norm", "native_group_norm"),
    *("native_layer_norm", "_fused_rms_norm"),
}
"""Operations that are a normalization. All operations go by PyTorch's names for them."""

REDUCTIONS = {
    *("mean", "sum", "var", "std", "var_mean", "std_mean", "norm", "linalg_vector_norm", "nansum", "nanmean"),
    *("amax", "amin", "max", "min", "median", "aminmax"),
}
AFFINE = {"add", "sub", "rsub", "mul", "div", "addcmul", "addcdiv", "neg"}
VIEWS = {
    *("view", "_unsafe_view", "reshape", "permute", "transpose", "t", "expand", "unsqueeze", "squeeze", "unflatten"),
    *("flatten", "clone", "contiguous", "_to_copy", "detach", "alias", "as_strided", "lift_fresh", "movedim"),
}
JOINS = {"cat", "stack"}
PARTS = {
    *("slice", "select", "split", "split_with_sizes", "chunk", "unbind", *JOINS, "copy", "repeat", "index"),
    *("zeros_like", "ones_like", "empty_like", "full_like", "new_zeros", "new_empty", "new_full", "index_put", "fill"),
    *("slice_scatter", "select_scatter", "zero"),
}
ELEMENTWISE = {"reciprocal", "pow", "square", "sqrt", "rsqrt", "abs", "lerp"}
ARITHMETIC = READY_MADE | REDUCTIONS | AFFINE | VIEWS | PARTS | ELEMENTWISE


@dataclass
class Stretch:
    """Arithmetic on what one operation (or the network's input) gives.

    Attributes:
        entry: that tensor.
        begin: the number of its operation; −1 for the network's input.
        parents: the stretches that the operation took its inputs from.
        steps: the numbers of the operations of the stretch.
    """

    entry: Tensor
    begin: int
    parents: frozenset[int] = frozenset()
    steps: list[int] = field(default_factory=list)


def divide(trace: Trace) -> tuple[list[Stretch], set[int]]:
    """The stretches of a trace, and the numbers of the operations that depend on no image.

    Statistics may go through any operation and come back: what is smaller than a stretch's entry and made of it alone.
    """
    stretches = [Stretch(trace.given, -1)]
    of: dict[int, int] = {storage(trace.given): 0}
    constants: set[int] = set()

    def comes_from(later: int, earlier: int) -> bool:
        parents = stretches[later].parents
        return bool(parents) and all(each == earlier or comes_from(each, earlier) for each in parents)

    def goes_on(step: Step) -> int | None:
        inputs = [(tensor, of[storage(tensor)]) for tensor in step.inputs if storage(tensor) in of]
        first = min(stretch for _, stretch in inputs)
        size = stretches[first].entry.numel()
        others = {stretch for _, stretch in inputs} - {first}
        small = all(stretch == first or tensor.numel() < size for tensor, stretch in inputs)
        joins = step.name in ARITHMETIC and small and all(comes_from(each, first) for each in others)
        return first if joins else None

    for number, step in enumerate(trace.steps):
        taken = {of[storage(tensor)] for tensor in step.inputs if storage(tensor) in of}
        if not taken:
            constants.add(number)
        elif step.outputs:
            stretch = goes_on(step)
            if stretch is None:
                stretch = len(stretches)
                stretches.append(Stretch(step.outputs[0], number, frozenset(taken)))
            else:
                stretches[stretch].steps.append(number)
            of.update((storage(tensor), stretch) for tensor in step.outputs)
    return stretches, constants
