"""Files with a network of somebody's own: `path/to/model.py:Net`. Loading one runs it."""

import hashlib
import importlib.util
import inspect
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from torch import nn

NAME = "Net"
"""What the class is called where a reference does not say."""


class ModelError(ValueError):
    """A model file cannot be used. The message is one line."""


def split(reference: str) -> tuple[Path, str]:
    """The file and the name of the class (or function) in it: `model.py:Net`; without a name it is `Net`."""
    file, colon, name = reference.rpartition(":")
    return (Path(file), name) if colon and name.isidentifier() else (Path(reference), NAME)


def absolute(reference: str) -> str:
    """The same reference from anywhere.

    Raises:
        ModelError: there is no such file.
    """
    file, name = split(reference)
    if not file.is_file():
        raise ModelError(f"{file} is not a file; a model is given as path/to/model.py:{NAME}")
    return f"{file.resolve()}:{name}"


def digest(reference: str) -> str:
    """What the file's content is known by."""
    file, _ = split(reference)
    return hashlib.sha256(file.read_bytes()).hexdigest() if file.is_file() else "missing"


def load(reference: str) -> Callable[..., Any]:
    """Run the file, and return what the reference names in it.

    Modules beside it can be imported by it. What it raises itself is the cause of the error.

    Raises:
        ModelError: there is no such file, it is no Python, it raises an exception, or it has no such name.
    """
    file, name = split(absolute(reference))
    known_as = f"model_{digest(str(file))[:12]}"
    spec = importlib.util.spec_from_file_location(known_as, file)
    if spec is None or spec.loader is None:
        raise ModelError(f"{file} is not a Python file; its name must end with .py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[known_as] = module  # where classes look up their own module
    sys.path.insert(0, str(file.parent))
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        raise ModelError(f"{file} {raised(error)}") from error
    finally:
        sys.path.remove(str(file.parent))
    found: Any = getattr(module, name, None)
    if not callable(found):
        own = [each for each, value in vars(module).items() if inspect.isclass(value) and value.__module__ == known_as]
        hint = f"it has {', '.join(own)}: name one as {file.name}:{own[-1]}" if own else "it has no class"
        raise ModelError(f"{file} has no {name} that can be called; {hint}")
    return cast(Callable[..., Any], found)


def construct(make: Callable[..., Any], norm_arg: str, others: Mapping[str, Any]) -> Any:
    """What `make` returns for a normalization, which is its argument `norm_arg`, or else its first one.

    Of `others`, those are given that it takes.

    Raises:
        ModelError: it takes no argument or needs others, it makes no network, or it raises an exception, which is the
            cause of the error.
    """
    name = getattr(make, "__name__", str(make))
    taken = signature(make)
    named = list(taken)
    if not named:
        raise ModelError(f"{name} takes no argument; it must be {name}(norm_arg)")
    first = "norm_arg" if "norm_arg" in named else named[0]
    arguments = {first: norm_arg} | {each: value for each, value in others.items() if each in named and each != first}
    empty = inspect.Parameter.empty
    if needed := [each for each in named if taken[each].default is empty and each not in arguments]:
        raise ModelError(f"{name} needs {', '.join(needed)} too; it must be callable as {name}({first})")
    try:
        net = make(**arguments)
    except Exception as error:
        raise ModelError(f"{name}({norm_arg!r}) {raised(error)}") from error
    if not hasattr(net, "named_parameters"):
        raise ModelError(f"{name}({norm_arg!r}) is a {type(net).__name__}; it must be a torch.nn.Module")
    return net


def network(reference: str, parameters: Mapping[str, Any], defaults: Mapping[str, Any]) -> "nn.Module":
    """The network that a model file makes of a run's parameters, of which `defaults` names those of a network.

    Raises:
        ModelError: it makes none, or takes no parameter of which another value than the default is asked for.
    """
    make = load(reference)
    asked = {name: parameters[name] for name in defaults if name in parameters}
    taken = signature(make)
    for name, value in asked.items():
        if name not in taken and name != "norm_arg" and value != defaults[name]:
            raise ModelError(f"{reference} takes no {name}, which is {value}; without it, it must be {defaults[name]}")
    net = construct(make, str(asked.pop("norm_arg")), asked)
    return with_all_parameters(net)


def within(root: Path, reference: str) -> str:
    """The same reference as from a folder, if the file lies in it; the whole path if it does not."""
    file, name = split(absolute(reference))
    inside = file.relative_to(root).as_posix() if file.is_relative_to(root) else str(file)
    return f"{inside}:{name}"


def signature(make: Callable[..., Any]) -> Mapping[str, inspect.Parameter]:
    """The arguments that have names."""
    try:
        arguments = inspect.signature(make).parameters
    except (TypeError, ValueError) as error:
        raise ModelError(f"{getattr(make, '__name__', make)} does not say which arguments it takes") from error
    kinds = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    return {name: argument for name, argument in arguments.items() if argument.kind in kinds}


def with_all_parameters(net: "nn.Module") -> "nn.Module":
    """The same network, whose lazy layers have seen an image if it has such."""
    from torch import nn, no_grad, zeros  # only here, since importing torch takes longer than all else

    if any(isinstance(parameter, nn.UninitializedParameter) for parameter in net.parameters()):
        training = net.training
        with no_grad():
            net.eval()(zeros(2, 1, 28, 28))
        net.train(training)
    return net


def raised(error: BaseException) -> str:
    """What an exception says, in one line."""
    if isinstance(error, SyntaxError):
        return f"is not Python: {error.msg}" + (f" (line {error.lineno})" if error.lineno else "")
    if isinstance(error, ModuleNotFoundError):
        return f"needs the package {error.name}, which is not installed"
    said = " ".join(str(error).split())
    return f"raises {type(error).__name__}: {said[:300]}" if said else f"raises {type(error).__name__}"
