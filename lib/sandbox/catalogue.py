"""The catalogue: portfolios, bundles, projects, prices and emission factors, as JSON.

The built-in one lies beside this file; anyone can write another. Each provider package checks its
own section, so a mistake is refused at start with the path of the wrong value.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from . import wire
from .options import BadOption
from .providers import PROVIDERS

_BUILT_IN = Path(__file__).with_name("catalogue.json")


def load(path: Path | None = None) -> dict[str, Any]:
    """The catalogue in `path`, its missing sections taken from the built-in one.

    Raises BadOption with the path of the first wrong value.
    """
    catalogue: dict[str, Any] = _read(_BUILT_IN)
    if path is not None:
        own = _read(path)
        if not isinstance(own, dict) or not own.keys() <= PROVIDERS.keys():
            names = ", ".join(PROVIDERS)
            raise BadOption(f"The catalogue {path} must be a JSON object with keys of: {names}.")
        catalogue |= own
    for name, provider in PROVIDERS.items():
        try:
            provider.check_catalogue(catalogue[name])
        except ValueError as problem:
            raise BadOption(f"The catalogue cannot be used: {name}: {problem}") from problem
    return catalogue


def _read(path: Path) -> Any:
    try:
        return wire.loads(path.read_text(encoding="utf-8"))
    except OSError as problem:
        raise BadOption(f"The catalogue {path} cannot be read: {problem.strerror}.") from problem
    except ValueError as problem:
        raise BadOption(f"The catalogue {path} is not valid JSON: {problem}.") from problem
