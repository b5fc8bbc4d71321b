"""Which code a result was made by: what a module imports, and what each module computes, whatever it is written like.

A module is known by its syntax tree without docstrings, comments and layout, and wherever its file lies. So moving a
file, or mending a comment, makes no result out of date; changing what a function computes does.
"""

import ast
import functools
import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from normstudy.machine import model_files

if TYPE_CHECKING:
    import grimp

NAME = "normstudy"
PACKAGE = Path(__file__).parents[1]
RUNS = "normstudy.experiments.single"  # the module that, with all it imports, decides a run's numbers
TELLING = (__name__, "normstudy.normalizations")  # of what it imports, what only says names, and changes no number
KNOWN_BY = 12  # hexadecimal digits of a digest

SAME: dict[str, tuple[str, ...]] = {"b7b042fcfc38": ("e289f05eefe8",)}
"""Code → earlier code that gives the same numbers to the bit, wherever it knows the parameters.

That was seen by `python -m tests.same_numbers`, which makes runs of all published tables by both.
"""


def sources() -> str:
    """What the package's files are known by, to the byte: quick to tell, and where it is the same, so is all else."""
    files = sorted(PACKAGE.rglob("*.py"))
    return _digest(b"".join(hashlib.sha256(file.read_bytes()).digest() for file in files))


def code(modules: Iterable[str]) -> dict[str, str]:
    """Module → what it is known by, for these modules of the package and all that they import through one another."""
    graph = _imports()
    closure = {module for module in modules if module in graph.modules}
    closure |= {found for module in closure for found in graph.find_upstream_modules(module)}
    return {module: meaning(_file(module).read_text(encoding="utf-8")) for module in sorted(closure)}


def fingerprint(model: str = "") -> str:
    """What the code that decides a run's numbers is known by, in one word; with the file of another network, two."""
    return f"{_fingerprint()} {model_files.digest(model)[:KNOWN_BY]}" if model else _fingerprint()


def is_present(code: str | None, model: str = "") -> bool:
    """Whether a run that was made by `code`, a `fingerprint`, has the numbers that the present code would give."""
    present = fingerprint(model)
    made_by, _, network = (code or "").partition(" ")
    return code == present or (made_by in SAME.get(_fingerprint(), ()) and network == present.partition(" ")[2])


@functools.cache
def _fingerprint() -> str:
    made_by = code([RUNS])
    for name in TELLING:
        made_by.pop(name)
    return _digest(" ".join(sorted(made_by.values())).encode())


def imported(source: str) -> set[str]:
    """The names of the package's modules that Python code may import; some are names of what these define."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and _of_package(node.module):
            names |= {str(node.module), *(f"{node.module}.{alias.name}" for alias in node.names)}
        elif isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names if _of_package(alias.name)}
    return names - {NAME}


@functools.cache
def meaning(source: str) -> str:
    """What Python code is known by: its syntax tree, without docstrings and without the folders it imports from."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            node.body = [part for part in node.body if not _is_text(part)]
        elif isinstance(node, ast.ImportFrom) and _of_package(node.module):
            module = str(node.module)
            for alias in node.names:
                if not _file(f"{module}.{alias.name}").exists():  # a name that the module defines, not a module
                    alias.name = f"{module.rpartition('.')[2]}.{alias.name}"
            node.module = NAME
    return _digest(ast.dump(tree).encode())


def _is_text(statement: ast.stmt) -> bool:
    return (
        isinstance(statement, ast.Expr)
        and isinstance(statement.value, ast.Constant)
        and isinstance(statement.value.value, str)
    )


def _of_package(module: str | None) -> bool:
    return (module or "").partition(".")[0] == NAME


def _file(module: str) -> Path:
    inner = PACKAGE.joinpath(*module.split(".")[1:])
    return inner / "__init__.py" if inner.is_dir() else inner.with_suffix(".py")


@functools.cache
def _imports() -> "grimp.ImportGraph":
    import grimp  # only where the code has changed, since a command that finds all up to date need not wait for it

    return grimp.build_graph(NAME, exclude_type_checking_imports=True, cache_dir=None)


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:KNOWN_BY]
