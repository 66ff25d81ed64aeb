"""The house tests itself: floors, lengths, docstrings, names, settings, the lock file, packaging, links.

Everything here reads files; nothing needs a service. An exception to a rule stands in this file with its reason.
"""

from __future__ import annotations

import ast
import importlib
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
FLOORS = ("gateway", "schema", "auth", "storage", "tenants")
TOP_LEVEL = {
    *FLOORS,
    *("tests", "docs", "pyproject.toml", "compose.yaml", "requirements.lock", "Makefile", "run.py"),
    *("README.md", "LICENSE", "CHANGELOG.md", "CONTRIBUTING.md"),
}
MAX_FILE_LINES = 400
MAX_FUNCTION_LINES = 70
FORBIDDEN_FILES = {"utils", "util", "helpers", "helper", "common", "core", "misc"}
READS_ENVIRONMENT = {
    "gateway/settings.py": "it is the one reader",
}
NAMES_ALLOWED = {  # (path prefix, word): why this is another idea than the glossary's
    ("tenants/embedded/", "user"): "the operating system's user, under which the bundled Postgres runs",
}
SQL_FROM_TEXT = {
    "storage/devstore/index.py": "the names of two tables of the development store's own index, which is SQLite",
    "tenants/embedded/cluster.py": "single-user mode has no parameters; the value is a password made there, URL-safe",
    "tenants/reader.py": "SET ROLE has no parameters; the name is checked against a pattern without quotes first",
}
SQL_START = re.compile(r"\s*(SELECT|INSERT INTO|UPDATE|DELETE FROM|CREATE|ALTER|DROP|GRANT|REVOKE|SET|WITH|COPY)\s")
SQL_CALLS = {"text", "execute", "executemany", "exec_driver_sql", "literal_column", "fetch", "fetchrow", "fetchval"}


# --- what there is ---------------------------------------------------------------------------------------------------


@cache
def project_files() -> tuple[str, ...]:
    """Every file that is or would be committed, as a path from the root."""
    listing = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    done = subprocess.run(listing, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode == 0:
        names = done.stdout.split("\0")
    else:  # an unpacked archive, without git: what git would ignore is where the tools put it
        ignored = re.compile(r"(^|/)(\.venv|\.plein|\.git|__pycache__|build|dist|\.[a-z_]+_cache|\.hypothesis)/")
        names = [path.relative_to(ROOT).as_posix() for path in ROOT.rglob("*")]
        names = [name for name in names if not ignored.search(name + "/")]
    return tuple(sorted(name for name in names if name and (ROOT / name).is_file()))


def floor_files(suffix: str = "") -> list[str]:
    return [name for name in project_files() if name.split("/")[0] in FLOORS and name.endswith(suffix)]


@cache
def tree(name: str) -> ast.Module:
    return ast.parse((ROOT / name).read_text(encoding="utf-8"), name)


def nodes(*kinds: type[ast.AST]) -> Iterator[tuple[str, ast.AST]]:
    for name in floor_files(".py"):
        for node in ast.walk(tree(name)):
            if isinstance(node, kinds):
                yield name, node


def texts() -> Iterator[tuple[str, str]]:
    """Every readable file but this one, which names what it forbids."""
    for name in project_files():
        if name != "tests/test_house.py":
            try:
                yield name, (ROOT / name).read_text(encoding="utf-8")
            except UnicodeDecodeError:
                continue


@cache
def pyproject() -> dict:
    return tomllib.loads((ROOT / "pyproject.toml").read_text())


def dependencies() -> list[Requirement]:
    declared = [*pyproject()["project"]["dependencies"], *pyproject()["dependency-groups"]["dev"]]
    return [Requirement(each) for each in declared]


# --- floors and files ------------------------------------------------------------------------------------------------


def test_a_floor_imports_only_what_it_may():
    lint = Path(sys.executable).parent / "lint-imports"
    done = subprocess.run([lint, "--no-logo", "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_library_of_the_product_has_a_home():
    """A new dependency gets a contract, or stands here because any floor may use it."""
    everywhere = {"orjson"}
    never_imported = {"uvloop"}  # uvicorn picks it up
    contracts = pyproject()["tool"]["importlinter"]["contracts"]
    housed = {each for contract in contracts for each in contract.get("forbidden_modules", [])}
    modules = {"strawberry-graphql": "strawberry", "backports.zstd": "backports", "argon2-cffi": "argon2"}
    modules |= dict.fromkeys(("opentelemetry-sdk", "opentelemetry-exporter-otlp-proto-http"), "opentelemetry")
    names = [Requirement(each).name for each in pyproject()["project"]["dependencies"]]
    assert {modules.get(name, name.replace("-", "_")) for name in names} - housed - everywhere - never_imported == set()


def test_top_level_holds_only_what_is_agreed():
    entries = {name.split("/")[0] for name in project_files()}
    assert {entry for entry in entries - TOP_LEVEL if not entry.startswith(".")} == set()
    assert {"gateway", "schema", "tenants", "storage", "auth", "tests", "pyproject.toml", "compose.yaml"} <= entries


def test_no_file_is_called_a_heap():
    assert [name for name in project_files() if FORBIDDEN_FILES & {Path(part).stem for part in name.split("/")}] == []


def test_files_are_short():
    lengths = {name: len((ROOT / name).read_text().splitlines()) for name in floor_files(".py")}
    assert {name: length for name, length in lengths.items() if length > MAX_FILE_LINES} == {}


def test_functions_are_short():
    found = [
        f"{name}:{node.lineno} {node.name} has {node.end_lineno - node.lineno + 1} lines"
        for name, node in nodes(ast.FunctionDef, ast.AsyncFunctionDef)
        if node.end_lineno - node.lineno + 1 > MAX_FUNCTION_LINES
    ]
    assert found == []


def test_modules_and_public_names_say_what_they_are():
    found = []
    for name in floor_files(".py"):
        module = tree(name)
        public = [
            each
            for each in module.body
            if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and not each.name.startswith("_")
        ]
        found += [
            f"{name}: {getattr(each, 'name', 'module')}" for each in [module, *public] if not ast.get_docstring(each)
        ]
    assert found == []


def test_every_folder_of_code_is_a_package():
    folders = {(ROOT / name).parent for name in floor_files(".py")}
    assert [folder for folder in folders if not (folder / "__init__.py").exists()] == []


# --- words -----------------------------------------------------------------------------------------------------------


def forbidden_words() -> set[str]:
    """The words in the glossary's list of words that never stand in a name."""
    page = (ROOT / "docs" / "glossary.md").read_text()
    section = page.split("## Never in a name", 1)[1].split("\n## ", 1)[0]
    return set(re.findall(r"^\| `(\w+)`", section, re.MULTILINE))


def words_in(identifier: str) -> set[str]:
    return {part.lower() for part in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+", identifier)}


def test_words_of_names():
    assert words_in("find_HTTPUserByACL2") == {"find", "http", "user", "by", "acl"}


def test_names_use_the_words_of_the_glossary():
    forbidden = forbidden_words()
    assert {"user", "realm", "principal", "analytics"} <= forbidden
    found = []
    for name, node in nodes(ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef):
        allowed = {word for (prefix, word) in NAMES_ALLOWED if name.startswith(prefix)}
        found += [f"{name}:{node.lineno} {node.name}: {word}" for word in words_in(node.name) & forbidden - allowed]
    assert found == []


# --- settings --------------------------------------------------------------------------------------------------------


def test_only_the_settings_read_the_environment():
    found = [
        f"{name}:{node.lineno}"
        for name, node in nodes(ast.Attribute, ast.ImportFrom)
        if name not in READS_ENVIRONMENT
        and (
            (isinstance(node, ast.Attribute) and ast.unparse(node) in {"os.environ", "os.getenv", "os.environb"})
            or (isinstance(node, ast.ImportFrom) and node.module == "os" and _imports(node, {"environ", "getenv"}))
        )
    ]
    assert found == []


def _imports(node: ast.ImportFrom, names: set[str]) -> bool:
    return any(alias.name in names for alias in node.names)


def test_every_setting_is_documented():
    """The page holds the table that the declarations make, and speaks of no other setting."""
    settings = importlib.import_module("gateway.settings")
    page = (ROOT / "docs" / "settings.md").read_text()
    assert settings.settings_table() in page, "make it again from gateway.settings.settings_table()"
    names = {settings.PREFIX + each.name for each in settings.VARIABLES}
    assert set(re.findall(r"\bPLEIN_[A-Z0-9_]*[A-Z0-9]\b", page)) == names


# --- SQL -------------------------------------------------------------------------------------------------------------


def is_put_together(node: ast.AST) -> bool:
    """Say whether text is made from parts: an f-string with values, `+`, `%`, or `.format` on a plain string."""
    if isinstance(node, ast.JoinedStr):
        return any(isinstance(part, ast.FormattedValue) for part in node.values)
    if isinstance(node, ast.BinOp):
        sides = (node.left, node.right)
        return any(is_put_together(side) or _is_text(side) for side in sides)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "format":
        return _is_text(node.func.value)
    return False


def _is_text(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def statements_put_together(module: ast.Module) -> list[int]:
    """The lines where SQL is built from text, whether given to a call at once or kept for later."""
    lines = []
    for node in ast.walk(module):
        if isinstance(node, ast.Call) and node.args:
            called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            lines += [node.lineno] if called in SQL_CALLS and is_put_together(node.args[0]) else []
        if is_put_together(node):
            texts = [each.value for each in ast.walk(node) if _is_text(each)]
            lines += [node.lineno] if texts and SQL_START.match(texts[0]) else []
    return sorted(set(lines))


@pytest.mark.parametrize(
    ("code", "lines"),
    [
        ("connection.execute(f'SELECT {x}')", [1]),
        ("text('a' + b)", [1]),
        ("statement = 'DELETE FROM %s' % table", [1]),
        ("execute('SELECT {}'.format(x))", [1]),
        ("execute('SELECT 1')", []),
        ("execute(SQL('CREATE SCHEMA {}').format(Identifier(name)))", []),
        ("raise ValueError(f'no site {slug}')", []),
    ],
)
def test_the_check_on_sql_sees_what_it_should(code: str, lines: list[int]):
    assert statements_put_together(ast.parse(code)) == lines


def test_no_sql_is_put_together_from_text():
    found = {name: lines for name in floor_files(".py") if (lines := statements_put_together(tree(name)))}
    assert {name: lines for name, lines in found.items() if name not in SQL_FROM_TEXT} == {}
    assert set(SQL_FROM_TEXT) - set(found) == set(), "an exception that is no longer needed"


def test_migrations_are_numbered_without_gaps():
    folders: dict[str, list[str]] = {}
    for name in floor_files(".sql"):
        if re.match("tenants/migrations/(shared|tenant)/", name):
            folders.setdefault(str(Path(name).parent), []).append(Path(name).name)
    for folder, names in folders.items():
        assert [name for name in names if not re.fullmatch(r"\d{4}_[a-z0-9_]+\.sql", name)] == [], folder
        assert [int(name[:4]) for name in sorted(names)] == list(range(1, len(names) + 1)), folder


# --- packaging and the lock ------------------------------------------------------------------------------------------


def test_the_wheel_takes_every_file_along():
    """What is not Python reaches a wheel only by package-data; its patterns must match all there is."""
    taken = {
        path.relative_to(ROOT).as_posix()
        for package, patterns in pyproject()["tool"]["setuptools"]["package-data"].items()
        for pattern in patterns
        for path in (ROOT / package).glob(pattern)
    }
    assert [name for name in floor_files() if not name.endswith(".py") and name not in taken] == []
    included = pyproject()["tool"]["setuptools"]["packages"]["find"]["include"]
    assert {pattern.rstrip("*") for pattern in included} == set(FLOORS)


def test_the_lock_names_no_address():
    assert re.findall(r"^.*(?:https?:|file:|--index|--find-links|\s@\s).*$", _lock(), re.MULTILINE) == []


def test_the_lock_follows_pyproject():
    pins = dict(re.findall(r"^([a-z0-9.-]+)(?:\[[^\]]*\])?==([^\s;]+)", _lock(), re.MULTILINE))
    declared = {canonicalize_name(each.name): each for each in dependencies()}
    assert {name for name, each in declared.items() if name not in pins or pins[name] not in each.specifier} == set()
    entries = re.split(r"\n(?=[a-z0-9])", _lock())
    wanted_by_us = {entry.split("==")[0].split("[")[0] for entry in entries if "plein (pyproject.toml" in entry}
    assert wanted_by_us == set(declared)
    assert [entry.split("\n")[0] for entry in entries if "--hash=sha256:" not in entry] == []


def _lock() -> str:
    return (ROOT / "requirements.lock").read_text()


def test_every_dependency_has_a_reason():
    page = (ROOT / "docs" / "decisions" / "0002-dependencies.md").read_text()
    reasons = set(re.findall(r"^\| `([a-z0-9-]+)", page, re.MULTILINE))
    assert {canonicalize_name(each.name) for each in dependencies()} == reasons


def test_the_licence_is_whole():
    text = (ROOT / "LICENSE").read_text()
    assert text.startswith("EUROPEAN UNION PUBLIC LICENCE v. 1.2")
    assert [int(each) for each in re.findall(r"^(\d+)\.[A-Z]", text, re.MULTILINE)] == list(range(1, 16))
    assert text.endswith("require the production of a new EUPL version.\n")


def test_the_changelog_knows_this_version():
    version = pyproject()["project"]["version"]
    assert re.search(rf"^## \[(?:Unreleased|{re.escape(version)})\]", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)


# --- nothing of one machine ------------------------------------------------------------------------------------------


def test_no_path_of_one_machine():
    place = re.compile(r"(?<![\w.:/-])/(?:work|root|home|Users|opt/pypi)/\w+")
    assert {name: match[0] for name, text in texts() if (match := place.search(text))} == {}


def test_no_package_registry_is_named():
    host = re.compile(r"pypi\.org|pythonhosted\.org|registry\.npmjs|ghcr\.io|(?<!\w)docker\.io|quay\.io|gcr\.io")
    assert {name: match[0] for name, text in texts() if (match := host.search(text))} == {}


# --- documents -------------------------------------------------------------------------------------------------------


def test_links_lead_somewhere():
    found = []
    for name, text in texts():
        if name.endswith(".md"):
            prose = re.sub(r"```.*?```|`[^`\n]*`", "", text, flags=re.DOTALL)
            targets = re.findall(r"\]\(([^)#\s]+)[^)]*\)", prose)
            local = [each for each in targets if not re.match(r"[a-z][a-z0-9+.-]*:", each)]
            found += [f"{name}: {each}" for each in local if not ((ROOT / name).parent / each).exists()]
    assert found == []


def test_decisions_are_numbered_and_listed():
    names = sorted(path.name for path in (ROOT / "docs" / "decisions").glob("[0-9]*.md"))
    assert [int(name[:4]) for name in names] == list(range(1, len(names) + 1))
    index = (ROOT / "docs" / "decisions" / "README.md").read_text()
    assert [name for name in names if f"]({name})" not in index] == []
