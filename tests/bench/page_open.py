"""How quickly pages open, and what the tuned server gains: `python -m tests.bench.page_open`.

A page's time runs from the navigation to its drawn content, in a real Chromium with a warm cache.
It is told as a ratio to an empty Streamlit page and to one with a single plotly chart of 200 bars,
opened in turn with it under the same server settings: seconds of one machine say little elsewhere.
"""

from __future__ import annotations

import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from tests.fixtures_app import FLAGS, ROOT, free_port, serve_app
from tests.tools.needs import require

ROUNDS = 5
CLICKS = 40

EMPTY = "import streamlit as st\nst.title('empty')\n"
CHART = """
import plotly.graph_objects as go
import streamlit as st
st.title('chart')
st.plotly_chart(go.Figure(go.Bar(x=list(range(200)), y=[x % 17 for x in range(200)])))
"""
COUNTER = """
import pandas, plotly.graph_objects
import streamlit as st
st.button('count', on_click=lambda: st.session_state.update(n=st.session_state.get('n', 0) + 1))
st.text(f"counted {st.session_state.get('n', 0)}")
"""
#: A launcher as app.py's: warm imports, frozen heap.
TUNED = """
import gc
from contextlib import asynccontextmanager
from pathlib import Path
import streamlit as st

@asynccontextmanager
async def lifespan(_):
    import pandas, plotly.graph_objects
    gc.collect()
    gc.freeze()
    yield

app = st.App(Path(__file__).parent / 'counter.py', lifespan=lifespan)
"""

#: Page -> what is there once its content is drawn.
PAGES = {
    "/": ".js-plotly-plot .main-svg",
    "/quotes": "text=Get quotes",
    "/orders": "[data-testid=stDataFrame]",
    "/deliveries": ".js-plotly-plot .main-svg",
    "/impact": ".js-plotly-plot .main-svg",
    "/explore": ".js-plotly-plot .main-svg",
    "/connections": "text=Test connection",
}


def main() -> None:
    """Print both tables."""
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=require("chromium"), args=FLAGS)
        _page_open(browser, Path(folder))
        _reruns(browser, Path(folder))
        browser.close()


def _page_open(browser: Browser, folder: Path) -> None:
    with (
        serve_app(folder) as app,
        _script(folder, "empty", EMPTY) as empty,
        _script(folder, "chart", CHART) as chart,
    ):
        app.wait_for_history()
        targets = {
            "empty Streamlit page": (empty, "text=empty"),
            "one plotly chart": (chart, ".js-plotly-plot .main-svg"),
            **{page: (app.url + page, sign) for page, sign in PAGES.items()},
        }
        times = _measure(browser, targets)
    nothing, picture = times["empty Streamlit page"], times["one plotly chart"]
    print(f"\n{'page':24} {'ms':>6} {'x empty':>8} {'x one chart':>12}")
    for name, median in times.items():
        print(f"{name:24} {median:6.0f} {median / nothing:8.2f} {median / picture:12.2f}")


def _measure(browser: Browser, targets: dict[str, tuple[str, str]]) -> dict[str, float]:
    """Medians in milliseconds; the targets take turns, so that load on the machine hits all."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    times: dict[str, list[float]] = {name: [] for name in targets}
    for _ in range(ROUNDS + 1):
        for name, (url, sign) in targets.items():
            times[name].append(_open(context, url, sign))
    context.close()
    # The first round filled the caches.
    return {name: statistics.median(found[1:]) for name, found in times.items()}


def _open(context: BrowserContext, url: str, sign: str) -> float:
    page = context.new_page()
    begun = time.perf_counter()
    page.goto(url, wait_until="commit")
    page.locator(sign).first.wait_for(state="visible", timeout=120_000)
    took = (time.perf_counter() - begun) * 1000
    page.close()
    return took


def _reruns(browser: Browser, folder: Path) -> None:
    """Reruns per second of one visitor, with Streamlit's own settings and with ours."""
    (folder / "counter.py").write_text(COUNTER, encoding="utf-8")
    stock_settings = ("--runner.postScriptGC", "true")
    with (
        _script(folder, "counter", COUNTER, *stock_settings) as stock,
        _script(folder, "tuned", TUNED) as tuned,
    ):
        page = browser.new_page()
        slow, quick = _clicks_per_second(page, stock), _clicks_per_second(page, tuned)
    print(f"\nreruns/s, one visitor: stock {slow:.1f}, tuned {quick:.1f}, x {quick / slow:.1f}")


_CLICK_AND_WAIT = """
async clicks => {
  const button = document.querySelector('[data-testid=stButton] button');
  const shown = n => document.body.innerText.includes(`counted ${n}`);
  const start = Number(document.body.innerText.match(/counted (\\d+)/)[1]);
  const begun = performance.now();
  for (let n = start + 1; n <= start + clicks; n++) {
    button.click();
    while (!shown(n)) await new Promise(done => setTimeout(done, 2));
  }
  return performance.now() - begun;
}
"""


def _clicks_per_second(page: Page, url: str) -> float:
    page.goto(url)
    page.get_by_text("counted 0").wait_for()
    page.get_by_role("button", name="count").wait_for()
    page.evaluate(_CLICK_AND_WAIT, 5)
    return CLICKS / (page.evaluate(_CLICK_AND_WAIT, CLICKS) / 1000)


@contextmanager
def _script(folder: Path, name: str, text: str, *options: str) -> Iterator[str]:
    """A Streamlit script under the project's server settings; yields its address."""
    (folder / ".streamlit").mkdir(exist_ok=True)
    shutil.copy(ROOT / ".streamlit" / "config.toml", folder / ".streamlit")
    path = folder / f"{name}.py"
    path.write_text(text, encoding="utf-8")
    port = free_port()
    command = [sys.executable, "-m", "streamlit", "run", str(path), "--server.headless", "true"]
    command += ["--server.port", str(port), *options]
    with (folder / f"{name}.log").open("w") as log:
        process = subprocess.Popen(command, cwd=folder, stdout=log, stderr=subprocess.STDOUT)
    try:
        url = f"http://127.0.0.1:{port}"
        _wait_until_healthy(url)
        yield url
    finally:
        process.terminate()
        process.wait(timeout=30)


def _wait_until_healthy(url: str) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            if httpx.get(f"{url}/_stcore/health", timeout=5, trust_env=False).text == "ok":
                return
        except httpx.TransportError:
            time.sleep(0.1)
    raise SystemExit(f"no server answered at {url} within 60 s")


if __name__ == "__main__":
    main()
