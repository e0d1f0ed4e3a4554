"""The oracle is a second way: it shares nothing with the product but the language."""

from __future__ import annotations

import ast
import subprocess
import sys

from pipeline.infra.layout import PROJECT_ROOT

FOLDER = PROJECT_ROOT / "pipeline" / "oracle"


def test_it_imports_the_standard_library_yaml_and_itself() -> None:
    """Whatever stands in an import of any of its files."""
    found = {name for file in FOLDER.rglob("*.py") for name in _imported(ast.parse(file.read_text("utf-8")))}
    assert "pipeline.oracle.records" in found
    foreign = {
        name
        for name in found
        if name.split(".")[0] not in {*sys.stdlib_module_names, "yaml"}
        and not f"{name}.".startswith("pipeline.oracle.")
    }
    assert set() == foreign


def test_it_loads_no_other_module_of_the_product() -> None:
    """Nor does anything that it imports bring one in."""
    code = (
        "import sys, pipeline.oracle; "
        "print([name for name in sys.modules if name.split('.')[0] in ('pipeline', 'dags', 'tests') "
        "and name != 'pipeline' and not name.startswith('pipeline.oracle')])"
    )
    told = subprocess.run([sys.executable, "-c", code], cwd=PROJECT_ROOT, capture_output=True, check=True)
    assert b"[]" == told.stdout.strip()


def test_nothing_of_the_product_but_the_command_imports_it() -> None:
    """What the product took from the oracle, the oracle could not judge."""
    importing = {
        str(file.relative_to(PROJECT_ROOT))
        for folder in ("pipeline", "dags", "spark")
        for file in (PROJECT_ROOT / folder).rglob("*.py")
        if FOLDER not in file.parents
        and any(f"{name}.".startswith("pipeline.oracle.") for name in _imported(ast.parse(file.read_text())))
    }
    assert {"pipeline/cli/oracle.py"} == importing


def _imported(tree: ast.Module) -> set[str]:
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0
            names.add(str(node.module))
            if node.module == "pipeline":
                names |= {f"pipeline.{alias.name}" for alias in node.names}
    return names - {"pipeline"}
