"""The sandbox serves programs that are not ours: Node's own HTTP client reads all three APIs."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

from tests.conftest import Sandbox
from tests.tools.needs import require


def test_node_reads_the_whole_history(demo_sandbox: Sandbox) -> None:
    script = Path(__file__).with_name("count_orders.mjs")
    done = subprocess.run(
        [require("node"), script, demo_sandbox.url],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    truth = demo_sandbox.ledger()
    assert json.loads(done.stdout) == {
        "cnaught": truth["cnaught-1"]["orders"],
        "lune": truth["lune-1"]["orders"],
        "isometric": truth["isometric-buyer"]["orders"],
    }
