"""An attempt at a notebook is judged by what it left."""

import json
from pathlib import Path
from unittest.mock import Mock

from normstudy.pipeline import attempts
from normstudy.pipeline.attempts import State
from tests.toy import find


def test_a_notebook_that_looks_complete_but_has_cells_that_never_ran_is_a_failure(done: Path):
    run = find(done, "batch")
    aside = run.folder.parent / ".batch.test"
    aside.mkdir()
    (aside / "batch.ipynb").write_text(
        json.dumps({"cells": [{"cell_type": "code", "source": "1", "execution_count": None}]})
    )
    ended = Mock(exit_code=lambda: 0)
    state, why = attempts.look(attempts.Attempt(run, ended, aside, 0), None)
    assert (state, why) == (State.FAILED, "stopped before its last cell: its kernel died")
    assert aside.is_dir(), "looking moves nothing"
