"""The sandbox as a server: control plane, faults, limits, history, catalogue, command line."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import time
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.responses import PlainTextResponse

from lib.sandbox import catalogue
from lib.sandbox.limits import RateLimits
from lib.sandbox.options import BadOption, Options
from lib.sandbox.serve import RunningSandbox, main
from tests.conftest import CLOCK, Sandbox, SandboxFactory

KEY = {"Authorization": "Bearer sandbox-cnaught-key"}
ORDERS = "/cnaught/v1/orders"


def order(sandbox: Sandbox, **body: Any) -> httpx.Response:
    body = body or {"amount_kg": 10}
    return sandbox.http.post(ORDERS, json=body, headers=KEY, timeout=10)


# --- Routes


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/nothing",
        "/cnaught/v1",
        "/cnaught/v1/nothing",
        "/cnaught/v1/orders/",
        "/lune/v1/nothing",
        "/isometric/registry/v0/nothing",
        "/_sandbox/nothing",
        "/pages/nothing",
    ],
)
def test_an_unrouted_path_says_so(sandbox: Sandbox, path: str) -> None:
    reply = sandbox.http.get(path, headers=KEY)
    assert (reply.status_code, reply.headers.get("X-Sandbox-Route")) == (404, "none")


@pytest.mark.parametrize("path", [f"{ORDERS}/unknown", "/pages/cnaught/orders/unknown"])
def test_an_unknown_id_on_a_known_path_does_not(sandbox: Sandbox, path: str) -> None:
    reply = sandbox.http.get(path, headers=KEY)
    assert reply.status_code == 404
    assert "X-Sandbox-Route" not in reply.headers


@pytest.mark.parametrize("root", ["/cnaught/v1", "/lune/v1", "/isometric/registry/v0"])
def test_every_api_describes_itself(sandbox: Sandbox, root: str) -> None:
    described = sandbox.http.get(f"{root}/openapi.json").json()
    assert described["openapi"].startswith("3.1")
    assert described["paths"]


# --- Clock and health


def test_health_answers_while_somebody_holds_the_world(sandbox: Sandbox) -> None:
    with sandbox.world.transaction():
        reply = sandbox.control.get("/health", timeout=2)
    assert reply.json() == {
        "status": "ok",
        "history": "none",
        "history_steps": 0,
        "history_steps_done": 0,
    }


def test_the_clock_starts_where_it_was_told_and_moves_on_request(sandbox: Sandbox) -> None:
    def now() -> datetime:
        return datetime.fromisoformat(sandbox.control.get("/clock").json()["now"])

    assert timedelta(0) <= now() - CLOCK < timedelta(minutes=5)
    before = now()
    sandbox.advance(86_400)
    assert now() - before >= timedelta(days=1)


@pytest.mark.parametrize("body", [{}, {"advance_s": -1}, {"advance_s": "1d"}, {"advance": 3}])
def test_a_clock_that_cannot_be_moved_so_is_refused(sandbox: Sandbox, body: Any) -> None:
    assert sandbox.control.post("/clock", json=body).status_code == 422


# --- Faults


def test_drop_before_does_nothing(sandbox: Sandbox) -> None:
    sandbox.faults("drop_before", ORDERS, method="POST")
    with pytest.raises(httpx.TransportError):
        order(sandbox)
    assert sandbox.ledger()["cnaught-1"]["orders"] == 0
    assert order(sandbox).status_code == 201


def test_drop_after_has_done_it(sandbox: Sandbox) -> None:
    sandbox.faults("drop_after", ORDERS, method="POST")
    with pytest.raises(httpx.TransportError):
        order(sandbox)
    assert sandbox.ledger()["cnaught-1"]["orders"] == 1


def test_truncate_announces_more_than_it_sends(sandbox: Sandbox) -> None:
    sandbox.faults("truncate", ORDERS)
    with pytest.raises(httpx.RemoteProtocolError, match="without sending complete"):
        order(sandbox)
    assert sandbox.ledger()["cnaught-1"]["orders"] == 1


def test_malformed_is_a_success_that_cannot_be_read(sandbox: Sandbox) -> None:
    sandbox.faults("malformed", ORDERS)
    reply = order(sandbox)
    assert reply.status_code == 201
    with pytest.raises(json.JSONDecodeError):
        reply.json()


def test_html_is_a_page_instead_of_the_reply(sandbox: Sandbox) -> None:
    sandbox.faults("html", ORDERS)
    reply = order(sandbox)
    assert (reply.status_code, reply.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert sandbox.ledger()["cnaught-1"]["orders"] == 1


def test_body_lies_where_it_was_told_to(sandbox: Sandbox) -> None:
    sandbox.faults(
        "body", ORDERS, patch={"amount_kg": 11.25, "description": None, "extra": {"a": 1}}
    )
    reply = order(sandbox, amount_kg=10, description="true").json()
    assert (reply["amount_kg"], reply["description"], reply["extra"]) == (11.25, None, {"a": 1})
    assert sandbox.ledger()["cnaught-1"]["ordered_g"] == 10_000


def test_status_does_nothing_and_may_name_a_wait(sandbox: Sandbox) -> None:
    sandbox.faults("status", ORDERS, status=503, retry_after=7)
    reply = order(sandbox)
    assert (reply.status_code, reply.headers["Retry-After"]) == (503, "7")
    assert sandbox.ledger()["cnaught-1"]["orders"] == 0


@pytest.mark.parametrize(("when", "orders"), [("before", 0), ("after", 1)])
def test_a_delay_lies_before_or_after_the_deed(sandbox: Sandbox, when: str, orders: int) -> None:
    sandbox.faults("delay", ORDERS, seconds=1.5, when=when)
    with pytest.raises(httpx.ReadTimeout):
        sandbox.http.post(ORDERS, json={"amount_kg": 1}, headers=KEY, timeout=0.5)
    assert sandbox.ledger()["cnaught-1"]["orders"] == orders


def test_a_delayed_reply_arrives_in_the_end(sandbox: Sandbox) -> None:
    sandbox.faults("delay", ORDERS, seconds=0.2, when="after")
    begun = time.monotonic()
    assert order(sandbox).status_code == 201
    assert time.monotonic() - begun >= 0.2


def test_faults_strike_by_method_and_path_as_often_as_told(sandbox: Sandbox) -> None:
    sandbox.faults("status", "/cnaught/v1/ord*", method="post", times=2, status=500)
    statuses = [order(sandbox).status_code for _ in range(3)]
    assert statuses == [500, 500, 201]
    sandbox.faults("status", "/lune/*", times=None)
    assert order(sandbox).status_code == 201
    assert sandbox.control.get("/faults").json()["faults"][0]["path"] == "/lune/*"
    sandbox.clear_faults()
    assert sandbox.control.get("/faults").json() == {"faults": []}


@pytest.mark.parametrize(
    "fault",
    [
        {},
        {"kind": "explode"},
        {"kind": "status", "status": 200},
        {"kind": "body"},
        {"kind": "html", "times": 0},
    ],
)
def test_a_fault_that_is_none_is_refused(sandbox: Sandbox, fault: Any) -> None:
    assert sandbox.control.post("/faults", json=fault).status_code == 422


# --- Limits and latency


def test_lune_limits_in_its_own_words(sandbox_factory: SandboxFactory) -> None:
    sandbox = sandbox_factory()
    with sandbox.client("/lune/v1", Authorization="Bearer sandbox-lune-key") as client:
        replies = [client.get("/bundles") for _ in range(60)]
    refused = [reply for reply in replies if reply.status_code == 429]
    assert replies[14].status_code == 200
    assert refused[0].text == "Too Many Requests"


async def _many(count: int, **headers: str) -> list[httpx.Response]:
    """Requests to the limiting layer alone, which no server under load can hold back."""
    transport = httpx.ASGITransport(RateLimits(PlainTextResponse("done")))
    async with httpx.AsyncClient(transport=transport, base_url="http://here") as client:
        return [await client.get(ORDERS, headers=headers) for _ in range(count)] + [
            await client.post(ORDERS, headers=headers),
            await client.get(ORDERS, headers={"Authorization": "Bearer other"}),
        ]


def test_cnaught_limits_reads_and_writes_of_each_key_apart() -> None:
    *reads, write, of_another = asyncio.run(_many(400, **KEY))
    assert {reply.status_code for reply in reads[:100]} == {200}
    refused = next(reply for reply in reads if reply.status_code == 429)
    assert int(refused.headers["Retry-After"]) >= 1
    assert refused.headers["content-type"] == "application/problem+json"
    assert refused.json() == {"type": "about:blank", "title": "Too Many Requests", "status": 429}
    assert (write.status_code, of_another.status_code) == (200, 200)


def test_latency_holds_every_answer_back(sandbox_factory: SandboxFactory) -> None:
    sandbox = sandbox_factory(latency_ms=150)
    begun = time.monotonic()
    sandbox.http.get("/cnaught/v1/portfolios", headers=KEY)
    assert time.monotonic() - begun >= 0.15


# --- Ledger


def test_the_ledger_tells_the_truth_and_effects_come_in_pages(sandbox: Sandbox) -> None:
    made = [order(sandbox, amount_kg=kg, metadata=f"ref-{kg}").json()["id"] for kg in (10, 20.5, 3)]
    sandbox.http.post(f"{ORDERS}/{made[0]}/cancel", headers=KEY)
    sandbox.advance(60)
    mine = sandbox.ledger()["cnaught-1"]
    assert (mine["orders"], mine["ordered_g"], mine["retired_g"]) == (2, 23_500, 23_500)
    assert mine["money"] == {"USD": "0.47"}

    first = sandbox.control.get("/ledger/effects", params={"limit": 3}).json()
    rest = sandbox.control.get("/ledger/effects", params={"after": first["next"]}).json()
    effects = first["effects"] + rest["effects"]
    assert [(e["kind"], e["grams"], e["reference"]) for e in effects] == [
        ("order", 10_000, "ref-10"),
        ("order", 20_500, "ref-20.5"),
        ("order", 3_000, "ref-3"),
        ("cancellation", 10_000, "ref-10"),
    ]
    assert effects[1]["money"] == {"USD": "0.41"}
    assert rest["next"] is None


# --- History


def dump(sandbox: Sandbox) -> str:
    """Everything the CNaught API and the ground truth say, without the server's own address."""
    pages: list[str] = []
    with sandbox.client("/cnaught/v1", **KEY) as client:
        cursor: dict[str, str] = {}
        while True:
            page = client.get("/orders", params={"limit": "100"} | cursor)
            pages.append(page.text)
            found = page.json()["data"]
            if len(found) < 100:
                break
            cursor = {"starting_after": found[-1]["id"]}
        pages += [client.get(path).text for path in ("/subaccounts", "/impact/data", "/portfolios")]
    pages.append(json.dumps(sandbox.ledger()))
    return "\n".join(pages).replace(sandbox.url, "")


def test_the_same_seed_and_clock_give_the_same_history(
    demo_sandbox: Sandbox, sandbox_factory: SandboxFactory
) -> None:
    again = sandbox_factory(history="demo", rate_limits="off")
    other = sandbox_factory(history="demo", rate_limits="off", seed=2)
    assert dump(again) == dump(demo_sandbox)
    assert dump(other) != dump(demo_sandbox)


def test_the_demo_is_three_believable_years(demo_sandbox: Sandbox) -> None:
    client = demo_sandbox.client("/cnaught/v1", **KEY)
    newest = client.get("/orders", params={"limit": 100}).json()["data"]
    older = client.get("/orders", params={"limit": 100, "starting_after": newest[-1]["id"]}).json()[
        "data"
    ]
    orders = newest + older
    states = [order["state"] for order in orders]
    amounts = [Decimal(str(order["amount_kg"])) for order in orders]
    assert 150 <= len(orders) <= 175
    assert (states.count("cancelled"), states.count("placed")) == (5, 5)
    assert (min(amounts) < 10, max(amounts)) == (True, 60_000)
    assert orders[-1]["created_on"] < "2023-12-15"
    serials = {
        serial["serial_number_range"]
        for order in orders
        for allocation in order["project_allocations"]
        for serial in allocation["retirements"]
    }
    assert None in serials
    for start in ("9412-", "GS1-", "ACR-", "CAR-1-", "PURO_", "FML/"):
        assert any(serial and serial.startswith(start) for serial in serials), start
    names = [s["name"] for s in client.get("/subaccounts").json()["data"]]
    assert sorted(names) == ["Halden Air", "Halden Iberia", "Halden Nordics"]
    assert set(demo_sandbox.ledger()) == {
        "cnaught-1",
        "cnaught-2",
        "lune-1",
        "lune-2",
        "isometric-buyer",
        "isometric-supplier",
    }


def test_a_number_of_orders_is_that_number(sandbox_factory: SandboxFactory) -> None:
    sandbox = sandbox_factory(history=130, rate_limits="off")
    assert sandbox.ledger()["cnaught-1"]["orders"] == 130
    assert sandbox.control.get("/health").json()["history"] == "ready"


def test_a_database_goes_on_where_it_stopped(tmp_path: Path) -> None:
    options = Options(
        port=0, history=120, clock=CLOCK, seed=3, database=f"sqlite:///{tmp_path / 'kept.db'}"
    )
    with RunningSandbox(options) as running:
        running.filling.stop()
        done = running.filling.report()["history_steps_done"]
    with RunningSandbox(options) as running:
        running.filling.wait(60)
        assert running.filling.report()["history"] == "ready"
        resumed = Sandbox(running)
        order(resumed)
        assert resumed.ledger()["cnaught-1"]["orders"] == 121
    assert done < 6
    with RunningSandbox(options) as running:
        assert Sandbox(running).ledger()["cnaught-1"]["orders"] == 121
    with pytest.raises(BadOption, match="already holds history 120 of seed 3"):
        RunningSandbox(Options(port=0, history=120, seed=4, database=options.database)).__enter__()


def test_history_that_stopped_half_way_ends_up_the_same(tmp_path: Path) -> None:
    def options(name: str) -> Options:
        return Options(
            port=0,
            history=220,
            clock=CLOCK,
            rate_limits="off",
            database=f"sqlite:///{tmp_path / name}.db",
        )

    with RunningSandbox(options("broken")) as running:
        running.filling.stop()
    with RunningSandbox(options("broken")) as broken, RunningSandbox(options("whole")) as whole:
        broken.filling.wait(60)
        whole.filling.wait(60)
        assert dump(Sandbox(broken)) == dump(Sandbox(whole))


# --- Catalogue


def test_a_catalogue_of_ones_own_replaces_only_its_sections(
    sandbox_factory: SandboxFactory, tmp_path: Path
) -> None:
    own = catalogue.load()["cnaught"]
    own["portfolios"][0]["api_price_per_kg_usd_cents"] = 3
    file = tmp_path / "own.json"
    file.write_text(json.dumps({"cnaught": own}, default=float), encoding="utf-8")
    sandbox = sandbox_factory(catalogue=file)
    assert order(sandbox).json()["price_usd_cents"] == 30


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "is not valid JSON"),
        ("[]", "must be a JSON object"),
        ('{"other": {}}', "must be a JSON object"),
        ('{"cnaught": {"accounts": []}}', "cnaught: accounts"),
    ],
)
def test_a_broken_catalogue_is_refused_with_the_place(
    tmp_path: Path, text: str, words: str
) -> None:
    file = tmp_path / "broken.json"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(BadOption, match=words):
        catalogue.load(file)


def test_a_wrong_price_is_named_by_its_path(tmp_path: Path) -> None:
    own = catalogue.load()["cnaught"]
    own["portfolios"][1]["api_price_per_kg_usd_cents"] = -1
    file = tmp_path / "wrong.json"
    file.write_text(json.dumps({"cnaught": own}, default=float), encoding="utf-8")
    with pytest.raises(BadOption, match=r"cnaught: portfolios\.1\.api_price_per_kg_usd_cents"):
        catalogue.load(file)


# --- Command line


def run(*arguments: str) -> subprocess.Popen[str]:
    code = "import sys; from lib.sandbox.serve import main; sys.exit(main(sys.argv[1:]))"
    return subprocess.Popen(
        [sys.executable, "-c", code, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
    )


@pytest.mark.parametrize("how", ["SIGTERM", "SIGINT", "stdin"])
def test_it_prints_its_url_and_stops_when_told(how: str) -> None:
    process = run("--port", "0", "--history", "none", "--exit-with-parent")
    assert process.stdout is not None
    assert process.stdin is not None
    url = process.stdout.readline().split()[-1]
    assert httpx.get(f"{url}/_sandbox/health").json()["status"] == "ok"
    if how == "stdin":
        process.stdin.close()
    else:
        os.kill(process.pid, getattr(signal, how))
    assert process.wait(timeout=20) == 0
    assert process.stdout.read() == ""


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--clock", "yesterday"], "'yesterday' is not a moment"),
        (["--history", "some"], "neither demo, none nor a number"),
        (["--history", "0"], "neither demo, none nor a number"),
        (["--port", "-1"], "'-1' is not a whole number"),
        (["--port", "99999"], "cannot be used"),
        (["--catalogue", "/nowhere.json"], "cannot be read"),
        (["--database", "sqlite:////nowhere/at/all.db"], "database cannot be opened"),
        (["--database", "nonsense"], "database cannot be opened"),
        (["--what"], "--what"),
    ],
)
def test_bad_options_are_one_sentence_and_code_2(
    arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    try:
        code = main([*arguments])
    except SystemExit as left:
        code = int(str(left.code))
    said = capsys.readouterr()
    assert code == 2
    assert words in said.err
    assert said.err.count("\n") == 1
    assert said.out == ""


def test_a_port_in_use_is_said_so(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        assert main(["--port", port]) == 2
    assert f"Port {port} on 127.0.0.1 cannot be used" in capsys.readouterr().err


def test_help_explains_every_option(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        main(["--help"])
    assert left.value.code == 0
    text = capsys.readouterr().out
    names = {field.name for field in fields(Options)} | {"exit_with_parent"}
    for name in names:
        assert f"--{name.replace('_', '-')}" in text


def test_the_control_plane_answers_this_machine_only(sandbox_factory: SandboxFactory) -> None:
    own = _address_of_this_machine()
    if own is None:
        own = "127.0.0.1"
    sandbox = sandbox_factory(host="0.0.0.0")
    port = sandbox.url.rsplit(":", 1)[1]
    status = httpx.get(f"http://{own}:{port}/_sandbox/health").status_code
    assert status == (200 if own.startswith("127.") else 403)
    assert httpx.get(f"http://{own}:{port}{ORDERS}", headers=KEY).status_code == 200


def _address_of_this_machine() -> str | None:
    """An address that is not loopback, found without sending anything."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            return None
        return str(probe.getsockname()[0])


def test_now_is_where_a_clock_starts_that_was_not_set(sandbox_factory: SandboxFactory) -> None:
    sandbox = sandbox_factory(clock=None)
    now = datetime.fromisoformat(sandbox.control.get("/clock").json()["now"])
    assert abs(now - datetime.now(UTC)) < timedelta(minutes=1)
