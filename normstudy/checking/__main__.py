"""`python -m normstudy.checking ANSWER TASK REFERENCE …`: what `process` runs. The answer goes to a file, in JSON."""

import json
import sys
import traceback
import warnings
from pathlib import Path
from typing import Any

from normstudy.machine import model_files
from normstudy.machine.model_files import ModelError


def main(answer: str, task: str, reference: str, *others: str) -> None:
    """Do a task, and write its answer or its error."""
    warnings.simplefilter("ignore")
    said: dict[str, Any]
    try:
        said = _examine(reference) if task == "examine" else _try(reference, *others)
    except BaseException as error:
        known = isinstance(error, ModelError)
        line = str(error) if known else f"{reference} {model_files.raised(error)}"
        said = {"error": line, "traceback": "".join(traceback.format_exception(error))}
    Path(answer).write_text(json.dumps(said), encoding="utf-8")


def _examine(reference: str) -> dict[str, Any]:
    make = model_files.load(reference) if reference else None
    import torch  # only now, since a file that cannot be loaded need not wait for it

    from normstudy.checking.examination import examine
    from normstudy.model import Net

    torch.set_num_threads(1)
    return examine(make or Net)


def _try(reference: str, runs: str) -> dict[str, Any]:
    from normstudy import training
    from normstudy.checking import examination

    looked_at: set[str] = set()
    for parameters in {json.dumps(run): run for run in json.loads(runs)}.values():
        norm_arg, net = parameters["norm_arg"], training.build(parameters | {"model": reference})
        examination.try_out(net, reference, norm_arg, look=norm_arg not in looked_at)
        looked_at.add(norm_arg)
    return {}


main(*sys.argv[1:])
