"""The arithmetic of the page's scripts, without a page: Node runs the tests that are written in their language."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from normstudy.normalizations import NORMALIZATIONS
from tests.commands import ROOT
from tests.needs import need


@pytest.mark.parametrize("tests", sorted(Path(__file__).parent.glob("*.test.mjs")), ids=lambda path: path.stem)
def test_it_is_as_worked_by_hand(tests: Path):
    need("Node", shutil.which("node"))
    known = {
        name: {what: getattr(each, what) for what in ("title", "count", "apart", "size", "idea", "centred")}
        for name, each in NORMALIZATIONS.items()
        if each.count
    }
    environment = os.environ | {"NORMALIZATIONS": json.dumps(known)}
    ran = subprocess.run(
        ["node", "--test", tests], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stdout
