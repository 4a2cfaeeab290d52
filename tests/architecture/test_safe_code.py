"""No code runs what it reads: nothing unpickles, evaluates text, starts a shell or loads YAML
objects.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCES = sorted(path for folder in ("app", "agents", "models", "scripts") for path in (ROOT / folder).rglob("*.py"))
MODULES = {"pickle", "cPickle", "_pickle", "dill", "cloudpickle", "joblib", "marshal", "shelve", "jsonpickle", "hickle"}
BUILT_IN = {"eval", "exec", "compile", "__import__"}
# Each loads pickles, or starts a shell; with the argument that makes it safe, if there is one.
CALLS = {
    "np.load": ("allow_pickle", False),
    "numpy.load": ("allow_pickle", False),
    "torch.load": ("weights_only", True),
    "yaml.load": None,
    "yaml.unsafe_load": None,
    "os.system": None,
    "os.popen": None,
    "tempfile.mktemp": None,
    "pd.read_pickle": None,
    "asyncio.create_subprocess_shell": None,
}


def faults(code: str) -> Iterator[tuple[int, str]]:
    for node in ast.walk(ast.parse(code)):
        match node:
            case ast.Import(names=names):
                yield from ((node.lineno, each.name) for each in names if each.name.partition(".")[0] in MODULES)
            case ast.ImportFrom(module=str(module)) if module.partition(".")[0] in MODULES:
                yield node.lineno, module
            case ast.Call():
                name = ast.unparse(node.func)
                said = {each.arg: ast.literal_eval(each.value) for each in node.keywords if is_literal(each.value)}
                safe = CALLS.get(name)
                if name in BUILT_IN or (name in CALLS and not (safe and said.get(safe[0]) is safe[1])):
                    yield node.lineno, name
                if said.get("shell") is True or said.get("allow_pickle") is True:
                    yield node.lineno, f"{name} with shell or allow_pickle"


def is_literal(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant)


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_no_code_runs_what_it_reads(path: Path) -> None:
    assert list(faults(path.read_text(encoding="utf-8"))) == []


@pytest.mark.parametrize(
    "code",
    [
        "import pickle",
        "from pickle import loads",
        "import os, joblib",
        "eval(text)",
        "np.load(path)",
        "np.load(path, allow_pickle=True)",
        "torch.load(path)",
        "yaml.load(text)",
        "subprocess.run(command, shell=True)",
        "os.system(command)",
    ],
)
def test_each_fault_is_found(code: str) -> None:
    assert list(faults(code))


@pytest.mark.parametrize(
    "code", ["np.load(p, allow_pickle=False)", "torch.load(p, weights_only=True)", "network.eval()"]
)
def test_what_is_safe_is_allowed(code: str) -> None:
    assert not list(faults(code))


def test_all_packages_are_locked_with_hashes() -> None:
    for name in ("requirements.lock", "requirements-runtime.lock", "requirements-audit.lock", "requirements-docs.lock"):
        text = (ROOT / name).read_text(encoding="utf-8")
        pins = [line for line in text.splitlines() if line and not line.startswith((" ", "#"))]
        assert pins
        assert all("==" in line and line.endswith("\\") for line in pins), name
