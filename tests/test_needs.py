"""A test that cannot be made says so: it is skipped, but in continuous integration it fails."""

import pytest

from tests.needs import need


def test_what_is_missing_is_skipped(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(pytest.skip.Exception, match=r"^Chromium is not installed$"):
        need("Chromium", None)


def test_what_is_missing_fails_in_continuous_integration(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match=r"^Chromium is not installed$"):
        need("Chromium", None)


def test_what_is_there_is_used(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("CI", "true")
    need("Chromium", "/usr/bin/chromium")
