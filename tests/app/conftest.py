"""The pages on a real desk: its own sandbox, its worker and its keeper, in this process."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from lib.desk import Desk
from lib.ui import frame, runtime

ROOT = Path(__file__).resolve().parents[2]
ROUTER = ROOT / "lib" / "ui" / "router" / "main.py"

OpenPage = Callable[..., AppTest]


def wait_for(condition: Callable[[], bool], what: str, patience_s: float = 90) -> None:
    """Return when it is so; fail with a sentence otherwise."""
    deadline = time.monotonic() + patience_s
    while not condition():
        assert time.monotonic() < deadline, f"{what} did not happen within {patience_s} s"
        time.sleep(0.1)


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """The process's desk on an embedded sandbox whose history has been read in full."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CARBON_DESK_DATA_DIR", str(tmp_path_factory.mktemp("desk")))
        runtime.start()
        found = runtime.desk(timeout=90)
        wait_for(lambda: not found._sandbox_is_filling(), "the sandbox's history")
        found.sync()
        wait_for(lambda: not frame.is_filling(), "the first reading")
        yield found
        runtime.close()


@pytest.fixture
def open_page(desk: Desk) -> OpenPage:
    """Go through the router to a page; a page that failed or told an error fails the test."""

    def visit(name: str, *, may_fail: bool = False, **query: str) -> AppTest:
        page = AppTest.from_file(str(ROUTER), default_timeout=60)
        page.switch_page(str(ROOT / "pages" / f"{name}.py"))
        for key, value in query.items():
            page.query_params[key] = value
        page.run()
        assert not page.exception
        if not may_fail:
            assert [error.value for error in page.error] == []
        return page

    return visit
