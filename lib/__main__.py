"""`python -m lib COMMAND`: the desk without a browser. Exit code 2 and one line on bad input.

Each command imports what it needs when it runs, so that `sync` loads no pandas, plotly or
streamlit and `sandbox` nothing of the desk.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence

from .domain.errors import DeskError


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    if words[:1] == ["sandbox"]:
        from .sandbox.serve import main as serve  # noqa: PLC0415

        return serve(words[1:])
    chosen = _parser().parse_args(words)
    run: Callable[[argparse.Namespace], int] = chosen.run
    try:
        return run(chosen)
    except DeskError as problem:
        print(f"carbon desk: {problem}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("carbon desk: stopped; everything read so far is kept.", file=sys.stderr)
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m lib", description="Carbon Desk without a browser."
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    commands.add_parser(
        "sandbox",
        help="serve the three providers' APIs locally (see: python -m lib sandbox --help)",
        add_help=False,
    )
    sync = commands.add_parser("sync", help="bring the ledger up to date once")
    sync.add_argument("--account", metavar="NAME", action="append", help="only this account")
    sync.add_argument(
        "--full", action="store_true", help="read everything again, ignoring cached answers"
    )
    sync.set_defaults(run=_sync)
    worker = commands.add_parser(
        "worker", help="send confirmed orders, settle doubtful ones, keep the ledger fresh"
    )
    worker.set_defaults(run=_worker)
    return parser


def _sync(chosen: argparse.Namespace) -> int:
    from .desk import open_desk  # noqa: PLC0415

    with open_desk() as desk:
        if chosen.full:
            desk.forget_cached_answers()
        result = desk.sync(chosen.account, report=_tell)
        for account in result.accounts:
            changes = account.changes
            print(
                f"{account.account}: {account.orders_read} orders read, {changes.new} new, "
                f"{changes.changed} changed, {changes.unchanged} unchanged"
            )
            if account.problem:
                print(f"carbon desk: {account.account}: {account.problem}", file=sys.stderr)
        return 0 if result.complete else 1


def _tell(account: str, orders_read: int) -> None:
    print(f"{account}: {orders_read} orders …", file=sys.stderr, flush=True)


def _worker(_chosen: argparse.Namespace) -> int:
    from .desk import open_desk  # noqa: PLC0415

    with open_desk() as desk:
        print("The worker runs; stop it with Ctrl-C.", flush=True)
        desk.run()
    return 0


if __name__ == "__main__":
    sys.exit(main())
