"""What a visitor sees when the desk cannot be opened."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from lib.ui import runtime
from tests.app.conftest import ROUTER, wait_for


def test_a_broken_setting_is_told_in_a_sentence_and_can_be_tried_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The sentence names the setting; the navigation is there; no page runs without a desk."""
    monkeypatch.setenv("CARBON_DESK_REPORTING_TIMEZONE", "Atlantis/Capital")
    runtime.start()
    wait_for(lambda: runtime.status() == "failed", "the refusal")
    page = AppTest.from_file(str(ROUTER), default_timeout=30).run()
    assert not page.exception
    assert "REPORTING_TIMEZONE" in page.error[0].value.replace("\\", "")
    assert [button.label for button in page.button] == ["Try again"]
    assert not page.title
    runtime.close()
    assert runtime.status() == "closed"
