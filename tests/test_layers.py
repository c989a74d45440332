"""The arrows between the rooms go down only, and some libraries have one owner each."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "livestream_nb"

BASE = {"errors", "checks", "clock"}
KNOWS = {
    "errors": set(),
    "checks": {"errors"},
    "clock": {"errors", "checks"},
    "worker": set(),
    "protocol": BASE,
    "policy": BASE | {"protocol"},
    "connection": BASE | {"protocol", "policy", "worker"},
    "hits": BASE | {"protocol"},
    "masking": BASE | {"hits"},
    "simulator": BASE | {"protocol"},
    "recording": BASE | {"protocol", "connection", "hits", "worker"},
    "plan": BASE | {"protocol", "policy", "connection", "hits", "masking", "recording"},
    "ingest": BASE | {"connection", "hits", "masking", "plan", "recording"},
    "session": BASE | {"protocol", "policy", "plan", "worker", "connection", "hits", "ingest"},
    "status": BASE | {"protocol", "connection", "hits", "recording", "session"},
    "waiting": BASE | {"protocol", "connection", "session", "status"},
    "options": BASE | {"protocol", "policy", "connection"},
    "batches": BASE | {"connection", "session", "status"},
    "measures": {"errors", "checks"},
    "gaps": {"measures"},
    "analysis": {"errors", "checks"},
    "answers": BASE | {"hits", "session", "measures", "gaps", "batches"},
    "charts": BASE | {"protocol", "measures"},
    "views": BASE | {"measures"},
    "report": {"charts"},
    "reader": BASE
    | {"protocol", "policy", "connection", "hits", "session", "status"}
    | {"answers", "views", "waiting", "options", "plan", "masking"},
    "history": BASE | {"connection", "hits", "recording", "measures", "gaps"},
    "recorded": BASE | {"history", "recording", "status", "views"},
    "dashboard": BASE | {"measures", "charts", "reader", "status", "notebook"},
    "simulated": BASE | {"simulator", "reader"},
    "notebook": set(),
    "hit_files": BASE | {"hits", "recording", "recorded"},
    "embedded": {"hit_files", "recorded"}
    | BASE
    | {"protocol", "hits", "simulator", "simulated", "notebook"},
    "demo": BASE | {"reader", "embedded"},
    "lab": BASE | {"protocol", "policy", "connection", "simulator", "measures", "gaps", "views"},
    "cli": BASE
    | {"protocol", "hits", "simulator", "reader", "status", "demo", "embedded", "views"}
    | {"lab"},
    "__init__": BASE
    | {"policy", "connection", "hits", "reader", "embedded", "recorded", "hit_files", "lab"},
}
"""What each room may import of the package, besides itself."""

OPENS = {
    ("reader", "dashboard"),
    ("recorded", "dashboard"),
    *(("views", "charts"), ("views", "report"), ("lab", "charts")),
}
"""Rooms above are opened when something is to be shown; headless use loads no widget or chart."""

OWNERS = {
    "httpx": {"connection/transport.py"},
    "time": {"clock.py"},
    "random": {"session.py", "simulator", "lab"},
    "threading": {"worker.py", "session.py", "reader.py", "recorded.py", "waiting.py",
                  "batches.py", "hits/buffer.py", "hits/intake.py", "recording/spool.py",
                  "connection/claim.py", "simulator", "charts/renderer.py", "dashboard"},
    "ipywidgets": {"dashboard"},
    "anywidget": {"dashboard"},
    "altair": {"charts", "report.py", "views.py", "lab/comparison.py",
               "cli/comparison.py"},
    "h11": {"simulator"},
    "filelock": {"connection/state.py", "recording"},
    "zstandard": {"recording", "hit_files.py"},
    "typer": {"cli"},
    "loky": {"lab/workers.py"},
}  # fmt: skip

MODULES = sorted(PACKAGE.rglob("*.py"))


def imports(path: Path) -> list[tuple[str, bool]]:
    """Every imported module of a file, and whether it is imported late, or for types only."""
    tree = ast.parse(path.read_text("utf-8"))
    late = {id(node) for part in ast.walk(tree) if is_late(part) for node in ast.walk(part)}
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [(alias.name, id(node) in late) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            names = [f"{node.module}.{alias.name}" for alias in node.names]
            found += [(name, id(node) in late) for name in names]
    return found


def is_late(part: ast.AST) -> bool:
    if isinstance(part, ast.If):
        return isinstance(part.test, ast.Name) and part.test.id == "TYPE_CHECKING"
    return isinstance(part, ast.FunctionDef | ast.AsyncFunctionDef)


def room(module: str) -> str:
    return module.removeprefix("livestream_nb.").split(".")[0]


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_arrows_go_down(path: Path) -> None:
    """No module imports a room that its own room does not know."""
    home = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
    for module, late in imports(path):
        if not module.startswith("livestream_nb"):
            continue
        other = room(module) if module != "livestream_nb.__version__" else home
        allowed = other == home or other in KNOWS[home]
        assert allowed or (late and (home, other) in OPENS), f"{home} imports {module}"


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_libraries_have_owners(path: Path) -> None:
    """Time, chance, threads, HTTP and widgets are touched by the rooms that own them."""
    name = path.relative_to(PACKAGE).as_posix()
    for module, _ in imports(path):
        owners = OWNERS.get(module.split(".")[0])
        if owners is not None:
            assert any(name == owner or name.startswith(f"{owner}/") for owner in owners), (
                f"{name} imports {module}"
            )


def test_headless_import_loads_no_widget() -> None:
    """Importing the package loads neither ipywidgets nor anywidget nor altair, nor its charts."""
    loaded = loaded_by("import livestream_nb")
    assert {"livestream_nb.reader", "livestream_nb.views"} <= loaded
    assert not {"ipywidgets", "anywidget", "altair", "vl_convert", "IPython"} & loaded
    assert not {f"livestream_nb.{name}" for name in ("charts", "dashboard", "report")} & loaded


def test_a_live_view_loads_no_altair(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Once its specification is kept in the cache folder, a live view is made without altair."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    show = "from livestream_nb import Reader; Reader('demo', token='made-up').dashboard()"
    assert "altair" in loaded_by(show)
    loaded = loaded_by(show)
    assert {"livestream_nb.dashboard.live", "anywidget"} <= loaded
    assert "altair" not in loaded


def loaded_by(program: str) -> set[str]:
    """Run a program in a process of its own; return the modules that it has loaded."""
    told = f"import sys\n{program}\nprint(*sys.modules)"
    run = subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, check=True)
    return set(run.stdout.split())
