"""The launcher: `streamlit run app.py`, from any directory.

It opens the desk once per process, answers `/healthz`, and points Streamlit at the router. The
router lies alone in its own folder, so that no page can ever run without it: beside a `pages/`
folder Streamlit would serve `/orders` directly until somebody opened `/`.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import streamlit as st
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

ROOT = Path(__file__).resolve().parent
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

from lib.ui import runtime, warm  # noqa: E402 (needs the path above)


async def healthz(_: Request) -> JSONResponse:
    """Whether the server answers, and whether the desk is open yet."""
    return JSONResponse({"status": "ok", "desk": runtime.status()})


@asynccontextmanager
async def lifespan(_: st.App) -> AsyncIterator[None]:
    """Load what the first visitor would wait for, open the desk meanwhile, close it at the end."""
    runtime.start()
    warm.load()
    # What start-up loaded lives as long as the process: keep the collector from walking it.
    gc.collect()
    gc.freeze()
    yield
    runtime.close()


app = st.App(
    ROOT / "lib" / "ui" / "router" / "main.py",
    lifespan=lifespan,
    routes=[Route("/healthz", healthz)],
)
