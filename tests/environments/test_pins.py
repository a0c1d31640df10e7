"""The environments follow from the lock, and hold what the rules import."""

from __future__ import annotations

import ast
import importlib.util
import re
import shutil
import sys
import tomllib
from itertools import chain
from pathlib import Path
from types import ModuleType

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from conftest import ROOT
from morphosphere.graph import code

# What a package needs is read from the packages that the lock names for this Python.
needs_its_python = pytest.mark.skipif(
    sys.version_info[:2] != (3, 11) or sys.platform != "linux",
    reason="environments are written with Python 3.11 on Linux",
)


def _update_script(root: Path = ROOT) -> ModuleType:
    spec = importlib.util.spec_from_file_location("update", root / "envs" / "update.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


UPDATE = _update_script()
NAMES = list(UPDATE.ENVIRONMENTS)


def _pip_section(name: str) -> list[Requirement]:
    environment = yaml.safe_load((ROOT / "envs" / f"{name}.yaml").read_text())
    (section,) = (entry["pip"] for entry in environment["dependencies"] if isinstance(entry, dict))
    return [Requirement(line) for line in section]


def test_no_environment_lacks_its_file_and_no_file_drops_the_pins() -> None:
    # Snakemake prefers a .pin.txt beside the YAML, and leaves out the YAML's pip section for it.
    assert {path.name for path in (ROOT / "envs").iterdir() if path.is_file()} == {
        "update.py",
        *(f"{name}.yaml" for name in NAMES),
    }


@needs_its_python
@pytest.mark.parametrize("name", NAMES)
def test_environments_agree_with_the_lock(name: str) -> None:
    text = (ROOT / "envs" / f"{name}.yaml").read_text()
    assert text == UPDATE.environment(name), f"{name}.yaml is stale: run `make lock`"


@pytest.mark.parametrize("name", NAMES)
def test_every_package_is_pinned_to_the_lock(name: str) -> None:
    pins = {package: str(pin.specifier) for package, pin in UPDATE.pins().items()}
    for package in _pip_section(name):
        assert str(package.specifier) == pins[canonicalize_name(package.name)]


def test_one_channel_is_asked() -> None:
    # Two real channels would need an order of priority; with one there is nothing to mix.
    for name in NAMES:
        environment = yaml.safe_load((ROOT / "envs" / f"{name}.yaml").read_text())
        assert environment["channels"] == ["conda-forge", "nodefaults"]


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """A folder with the lock and the script, to change the lock in."""
    (tmp_path / "envs").mkdir()
    shutil.copy2(ROOT / "envs" / "update.py", tmp_path / "envs")
    shutil.copy2(ROOT / "requirements.lock", tmp_path)
    return tmp_path


@needs_its_python
@pytest.mark.parametrize(
    ("line", "instead", "complaint"),
    [
        (r"^pyerfa==.*\n", "", "pyerfa is not in requirements.lock"),
        (r"^pyerfa==.*\n", "pyerfa==2.0.0\n", "astropy needs pyerfa"),
        (r"^pyerfa==.*\n", "pyerfa==99.0\n", "pyerfa==99.0 is not installed here"),
    ],
)
def test_a_lock_that_cannot_be_followed_is_refused(
    copied: Path, line: str, instead: str, complaint: str
) -> None:
    lock = copied / "requirements.lock"
    lock.write_text(re.sub(line, instead, lock.read_text(), flags=re.MULTILINE))
    with pytest.raises(SystemExit, match=complaint):
        _update_script(copied).environment("download")


def test_lock_holds_every_dependency_within_its_bounds() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    pins = UPDATE.pins()
    asked = [*project["dependencies"], *chain(*project["optional-dependencies"].values())]
    for requirement in map(Requirement, asked):
        pin = pins.get(canonicalize_name(requirement.name))
        assert pin, f"{requirement.name} is not in requirements.lock: run `make lock`"
        assert requirement.specifier.contains(UPDATE.version(pin)), pin


# What a package is called where it is imported, if not by its name.
_IMPORTED_AS = {
    "PIL": "pillow",
    "yaml": "pyyaml",
    "faiss": "faiss-cpu",
    "sklearn": "scikit-learn",
    "umap": "umap-learn",
    "lightning_fabric": "lightning",  # a part of it, in a package of its own
}


def _jobs() -> list[tuple[str, str, str]]:
    """Name, environment and stage of every rule that runs one."""
    jobs = []
    for file in sorted((ROOT / "workflow" / "rules").glob("*.smk")):
        for rule in re.split(r"^(?:rule|checkpoint) ", file.read_text(), flags=re.MULTILINE)[1:]:
            stage = re.search(r"-m morphosphere\.([\w.]+)", rule)
            if stage:
                environment = re.search(r'conda:\s+"\.\./\.\./envs/(\w+)\.yaml"', rule)
                jobs.append((rule.split(":")[0], environment and environment[1], stage[1]))
    return jobs


def _derived() -> list[tuple[str, str]]:
    """Rules that take all that they do not say from another one, and that one."""
    texts = [file.read_text() for file in sorted((ROOT / "workflow" / "rules").glob("*.smk"))]
    pairs = [pair for text in texts for pair in re.findall(r"use rule (\w+) as (\w+) with", text)]
    return [(rule, base) for base, rule in pairs]


def test_jobs_are_found() -> None:
    assert ("join_training", "join") in _derived()
    assert {"extract", "render", "collect", "join", "learn", "hips"} <= {job[0] for job in _jobs()}


def test_the_documentation_says_which_environment_serves_which_rule() -> None:
    text = (ROOT / "docs" / "environments.md").read_text()
    told = {
        rule: environment
        for environment, rules in re.findall(r"\| `envs/(\w+)\.yaml` \| ([\w, ]+) \|", text)
        for rule in rules.split(", ")
    }
    for rule, base in _derived():
        assert told.pop(rule) == told[base], rule
    assert told == {rule: environment for rule, environment, _ in _jobs()}


#: What a rule uses only where its user has it: PyTorch, to render on a GPU.
_OPTIONAL = {"render": {"torch"}}


@pytest.mark.parametrize(("rule", "environment", "stage"), _jobs(), ids=lambda value: str(value))
def test_environments_hold_what_their_rules_import(
    rule: str, environment: str | None, stage: str
) -> None:
    assert environment, f"rule {rule} names no environment"
    files = [file for file in code(ROOT / "src", stage) if file.endswith(".py")]
    if not any("mpi=True" in Path(file).read_text() for file in files):
        # The parts of MPI are imported by stages that ranks share.
        files = [file for file in files if Path(file).name != "parallel.py"]
    imported = set()
    for file in files:
        for node in ast.walk(ast.parse(Path(file).read_text())):
            if isinstance(node, ast.Import):
                imported |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                imported.add(node.module.split(".")[0])
    outside = (
        imported - set(sys.stdlib_module_names) - {"morphosphere"} - _OPTIONAL.get(rule, set())
    )
    packages = set(UPDATE.ENVIRONMENTS[environment].split())
    assert {_IMPORTED_AS.get(name, name) for name in outside} <= packages
