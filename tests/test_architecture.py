"""The shape of the code, kept by tests: who imports whom, and which words we never use."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

#: Where our own words reach people.
SPOKEN = [
    ROOT / "README.md",
    *sorted((ROOT / "pages").glob("*.py")),
    *sorted((ROOT / "lib" / "ui").rglob("*.py")),
    *sorted((ROOT / "lib" / "charts").rglob("*.py")),
    *sorted((ROOT / "lib" / "domain").rglob("*.py")),
    *sorted((ROOT / "lib" / "services").rglob("*.py")),
    ROOT / "lib" / "__main__.py",
    *sorted((ROOT / "docs").rglob("*.md")),
]

#: A carbon accountant would object to these; "offset" only where it is a verb.
NEVER_SAID = re.compile(
    r"""\b(
        net | neutral(ity)? | neutrali[sz]e\w* | compensat\w+ | cancel(s|led|ling)?\ out
      | carbon[- ]free | zero | climate[- ]positive
      | offsetting | offsets?\ (your|our|the|their|its|my|a|an|all)\b | (to|can|will|we|you)\ offset
    )\b""",
    re.IGNORECASE | re.VERBOSE,
)


def _modules() -> list[Path]:
    return [ROOT / "app.py", *(ROOT / "pages").glob("*.py"), *(ROOT / "lib").rglob("*.py")]


def _imports(path: Path) -> set[str]:
    """Every module that a file imports, by its full name; relative ones keep their dots."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            module = "." * node.level + (node.module or "")
            found.update({module, *(f"{module}.{alias.name}" for alias in node.names)})
    return found


def _texts(path: Path) -> list[tuple[int, str]]:
    """(line, text) of what a file says: its prose, or a module's strings that are no docstring."""
    if path.suffix == ".md":
        return list(enumerate(path.read_text(encoding="utf-8").splitlines(), start=1))
    tree = ast.parse(path.read_text(encoding="utf-8"))
    docstrings = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    return [
        (node.lineno, node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and id(node) not in docstrings
        # Names of columns, keys and files are no words for people.
        and re.search(r"\s", node.value)
    ]


def test_imports_point_one_way() -> None:
    """The contracts of pyproject.toml hold: pages -> ui -> desk -> services -> ... -> domain."""
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_plotly_express_is_never_imported() -> None:
    """It costs 70 ms per rerun where graph_objects costs 1.5 ms."""
    guilty = [
        path.relative_to(ROOT)
        for path in _modules()
        if any(name.startswith("plotly.express") for name in _imports(path))
    ]
    assert guilty == []


def test_imports_inside_lib_are_relative() -> None:
    """Lets `lib` be installed and imported from a notebook whatever stands in front of it."""
    guilty = [
        (path.relative_to(ROOT), name)
        for path in (ROOT / "lib").rglob("*.py")
        # The router is run by Streamlit as a script, which knows no package.
        if path.parent.name != "router"
        for name in _imports(path)
        if name == "lib" or name.startswith("lib.")
    ]
    assert guilty == []


@pytest.mark.parametrize(
    ("pattern", "why"),
    [
        (r"unsafe_allow_html", "text of providers would run in the browser"),
        (r"verify\s*=\s*False", "TLS is always verified"),
        (r"follow_redirects\s*=\s*True", "a redirect could carry a credential away"),
        (r"\b(TODO|FIXME|XXX)\b", "unfinished work belongs in the tracker"),
        (r"except Exception:\s*\n\s*pass\b", "an error is never swallowed"),
    ],
)
def test_code_never_contains(pattern: str, why: str) -> None:
    guilty = [
        path.relative_to(ROOT)
        for path in _modules()
        if re.search(pattern, path.read_text(encoding="utf-8"))
    ]
    assert guilty == [], why


def test_words_we_never_use() -> None:
    guilty = [
        f"{path.relative_to(ROOT)}:{line}: {found.group()!r} in {text.strip()[:80]!r}"
        for path in SPOKEN
        for line, text in _texts(path)
        if (found := NEVER_SAID.search(text))
    ]
    assert guilty == []


@pytest.mark.parametrize("sentence", ["offset your flight", "net zero", "we compensate", "neutral"])
def test_the_words_are_recognised(sentence: str) -> None:
    """The test above can fail."""
    assert NEVER_SAID.search(sentence)
