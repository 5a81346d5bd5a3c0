"""Is the code base still built the way docs/architecture.md says?"""

from __future__ import annotations

import ast
import re
from pathlib import Path

import grimp
import pytest
from importlinter.cli import lint_imports

from chassis.migrate import SERVICES

ROOT = Path(__file__).resolve().parents[2]
ROLES = {"model", "commands", "queries", "api", "consumers"}
PYTHON = [
    path for folder in ("chassis", "events", "services", "gateway", "infra") for path in (ROOT / folder).rglob("*.py")
]


def _code(path: Path) -> str:
    """The source without docstrings and comments."""
    tree = ast.parse(path.read_text())
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and ast.get_docstring(
            node
        ):
            node.body = node.body[1:] or [ast.Pass()]
    return ast.unparse(tree)


def test_imports_keep_to_the_contracts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    assert lint_imports(config_filename=str(ROOT / ".importlinter")) == 0


def _topic(module: str) -> tuple[str, ...]:
    return tuple(module.split(".")[:3])


def test_a_topic_leaves_the_routes_and_handlers_of_another_alone() -> None:
    """Inside a service a topic may use another's commands, queries and models."""
    graph = grimp.build_graph("services", include_external_packages=False)
    wrong = []
    for module in graph.modules:
        parts = module.split(".")
        if len(parts) < 4 or parts[3] == "api":
            continue
        for imported in graph.find_modules_directly_imported_by(module):
            theirs = imported.split(".")
            if _topic(module) != _topic(imported) and len(theirs) > 3 and theirs[3] in ("api", "consumers"):
                wrong.append(f"{module} -> {imported}")
    assert wrong == []


@pytest.mark.parametrize("path", [p for p in PYTHON if p.name == "model.py"], ids=lambda p: str(p.relative_to(ROOT)))
def test_a_model_sees_no_session_http_or_broker(path: Path) -> None:
    assert not re.search(r"\b(Session|session\.|flask|request|Blueprint|broker|emit)\b", _code(path))


@pytest.mark.parametrize("path", [p for p in PYTHON if p.name == "commands.py"], ids=lambda p: str(p.relative_to(ROOT)))
def test_a_command_does_not_commit_or_know_http(path: Path) -> None:
    assert not re.search(r"\.(commit|rollback)\(|\bflask\b|\brequests?\b\.", _code(path))


@pytest.mark.parametrize(
    "path", [p for p in PYTHON if p.name in ("api.py", "consumers.py")], ids=lambda p: str(p.relative_to(ROOT))
)
def test_the_edges_hold_no_rules(path: Path) -> None:
    code = _code(path)
    assert not re.search(r"\btry:|\bselect\(|\.execute\(|\.scalars?\(", code)


@pytest.mark.parametrize(
    "path", [p for p in PYTHON if p.name == "consumers.py"], ids=lambda p: str(p.relative_to(ROOT))
)
def test_consumers_end_in_their_subscription(path: Path) -> None:
    last = ast.parse(path.read_text()).body[-1]
    assert "HANDLERS" in ast.unparse(last).split("=")[0]


def test_nothing_but_the_chassis_reads_the_clock_or_the_environment() -> None:
    wrong = []
    for path in PYTHON:
        if path.parts[-2] == "chassis" or "infra" in path.parts or "gateway" in path.parts:
            continue
        if re.search(r"datetime\.now\(|time\.time\(|os\.environ|uuid\.uuid|utcnow\(", _code(path)):
            wrong.append(str(path.relative_to(ROOT)))
    assert wrong == []


def test_nothing_assigns_a_state_but_a_move() -> None:
    wrong = []
    for path in (ROOT / "services").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Assign):
                for target in node.targets:
                    if isinstance(target, ast.Attribute) and target.attr == "state":
                        wrong.append(f"{path.relative_to(ROOT)}:{node.lineno}")
    assert wrong == []


def test_every_module_and_public_function_says_what_it_is_for() -> None:
    silent = []
    for path in PYTHON:
        if "migrations" in path.parts or not path.read_text().strip():
            continue
        tree = ast.parse(path.read_text())
        if not ast.get_docstring(tree):
            silent.append(f"{path.relative_to(ROOT)}")
        for node in tree.body:
            if (
                isinstance(node, ast.FunctionDef | ast.ClassDef)
                and not node.name.startswith("_")
                and not ast.get_docstring(node)
            ):
                if "StrEnum" in ast.unparse(node) or (path.name == "consumers.py" and node.name.startswith("on_")):
                    continue
                silent.append(f"{path.relative_to(ROOT)}: {node.name}")
    assert silent == []


def test_no_industry_is_named_in_code() -> None:
    """Names of industries appear only in market packs, journeys and docs."""
    wrong = []
    for service in SERVICES:
        for path in (ROOT / "services" / service).rglob("*.py"):
            if re.search(
                r"[\"'](steel|coil|autos|chemicals|pharma|bulk|heavy|mall|tourism|agriculture)[\"']", _code(path)
            ):
                wrong.append(str(path.relative_to(ROOT)))
    assert wrong == []


def test_nothing_is_left_for_later() -> None:
    marks = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")
    assert [str(path.relative_to(ROOT)) for path in PYTHON if marks.search(path.read_text())] == []


@pytest.mark.parametrize("path", PYTHON, ids=lambda p: str(p.relative_to(ROOT)))
def test_nothing_private_of_another_package_is_imported(path: Path) -> None:
    own = {"chassis", "events", "services", "gateway", "infra", "loadtests", "__future__"}
    imported = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.ImportFrom)]
    names = [f"{node.module}.{name.name}" for node in imported for name in node.names if node.module]
    assert [name for name in names if name.partition(".")[0] not in own and "._" in name] == []


@pytest.mark.parametrize("service", SERVICES)
def test_handlers_of_topics_are_joined_where_a_clash_is_seen(service: str) -> None:
    code = _code(ROOT / "services" / service / "__init__.py")
    assert not re.search(r"handlers=\{[^}]*\*\*", code), "use chassis.service.join_handlers"
