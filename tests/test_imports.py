"""The rules of the house, proven in fresh interpreters and from the source."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

FLOORS = (
    {"environment", "errors", "pocket"},
    {"catalog", "sources", "imaging", "settings"},
    {"project", "encoders"},
    {"export", "clustering", "annotation", "naming", "search", "twins"},
    {"embedding"},
    {"jobs"},
)
"""Of core, the lowest first. An import leads to the same subject or to a lower floor."""
BESIDE = {
    ("catalog", "settings"),
    ("sources", "imaging"),
    ("sources", "settings"),
    ("demo", "pocket"),
    ("export", "clustering"),
    ("export", "annotation"),
    ("annotation", "clustering"),
    ("naming", "clustering"),
    ("pocket", "errors"),
    ("twins", "clustering"),
}
"""Subjects of one floor of which the first may use the second."""
LOOSE = {"demo"}
"""Subjects on no floor: they stand on top, and nothing in core may use them."""


def loaded_by(code: str) -> set[str]:
    """The top-level modules loaded once `code` has run in a fresh interpreter."""
    program = f"import sys\n{code}\nprint(' '.join({{m.split('.')[0] for m in sys.modules}}))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def subject_of(module: str) -> str:
    return module.split(".")[1]


def modules(package: str) -> list[str]:
    files = sorted((ROOT / package).rglob("*.py"))
    return [".".join(f.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__") for f in files]


def imports_of(module: str) -> set[str]:
    """The modules of core that a module imports, wherever in it."""
    path = ROOT / Path(*module.split("."))
    source = (path.with_suffix(".py") if path.with_suffix(".py").exists() else path / "__init__.py").read_text()
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and node.module:
            names = [f"{node.module}.{alias.name}" for alias in node.names]
            found |= {name for name in names if name.startswith(("core.", "tui."))}
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names if alias.name.startswith(("core.", "tui."))}
    return found


def test_the_engine_never_loads_a_terminal_library():
    everything = "\n".join(f"import {m}" for m in modules("core") if not m.endswith("__main__"))
    assert not loaded_by(everything) & {"textual", "rich", "click", "tui"}


def test_the_command_starts_without_the_heavy_libraries():
    heavy = {
        "torch",
        "sklearn",
        "PIL",
        "open_clip",
        "timm",
        "scipy",
        "numba",
        "pyarrow",
        "httpx2",
        "httpcore2",
        "botocore",
    }
    assert not loaded_by("import tui.__main__, tui.cli, tui.stages, tui.inform, tui.follow") & heavy


def test_a_client_of_the_worker_needs_none_of_what_the_work_needs():
    heavy = {"torch", "sklearn", "PIL", "open_clip", "timm", "scipy", "httpx2", "httpcore2", "botocore"}
    assert not loaded_by("import core.jobs.client, core.jobs.worker") & heavy


@pytest.mark.parametrize("module", [m for m in modules("core") if m.count(".") >= 1])
def test_imports_run_down_the_floors(module):
    floor = {subject: number for number, subjects in enumerate(FLOORS) for subject in subjects}
    mine = subject_of(module)
    for imported in imports_of(module):
        assert imported.startswith("core."), f"{module} imports {imported}"
        other = subject_of(imported)
        if other == mine or (mine, other) in BESIDE:
            continue
        assert other not in LOOSE, f"{module} imports {imported}"
        assert mine in LOOSE or floor[other] < floor[mine], f"{module} imports {imported}, which is no lower floor"
