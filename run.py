#!/usr/bin/env python3
"""Run Plein from a fresh checkout: `python3 run.py serve|test|bench|demo|<any command of plein>`.

It promises a `.venv` that holds exactly what `requirements.lock` says, made when missing, half made or out of date; two
starts at once wait for each other. It needs the standard library only. It never installs anything outside `.venv`,
never builds a source package, and never reads the project's own code before the environment is right.
"""

import hashlib
import os
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
LOCK = ROOT / "requirements.lock"
STAMP = VENV / "plein.stamp"  # written last: without it, or with another text in it, the environment is made again
# What would send packages elsewhere or change them. Index, mirror, proxy and certificate settings are left as they are.
UNWANTED = ("PIP_TARGET", "PIP_PREFIX", "PIP_ROOT", "PIP_USER", "PIP_CONSTRAINT", "PIP_REQUIREMENT", "PYTHONHOME")
CHECKS = (  # the cheap ones first; pytest comes last, so that its closing line is the last line
    ("ruff check", ("ruff", "check", "--quiet")),
    ("ruff format", ("ruff", "format", "--check", "--quiet")),
    ("lint-imports", ("lint-imports", "--no-logo")),
    ("mypy", ("mypy", "--no-error-summary")),
)


def main(args):
    """Make the environment right, then become the asked command; returns only for `test` and for a refusal."""
    if sys.version_info < (3, 11):  # noqa: UP036 - this file must say so itself, in one line
        return f"Plein needs Python 3.11 or later; this is {sys.version.split()[0]} ({sys.executable})."
    if os.name != "posix":
        return "Plein runs on Linux and macOS; on Windows, use the Windows Subsystem for Linux."
    refusal = prepare()
    if refusal:
        return refusal
    environment = {k: v for k, v in os.environ.items() if k not in UNWANTED} | {"PYTHONPATH": str(ROOT)}
    if args[:1] == ["test"]:
        return check(args[1:], environment)
    module, rest = ("tests.benchmarks", args[1:]) if args[:1] == ["bench"] else ("gateway", args)
    # -P: the caller's directory stays the working directory (for file arguments) but is not searched for modules.
    os.execve(PYTHON, [str(PYTHON), "-P", "-m", module, *rest], environment)  # noqa: RET503


def prepare():
    """Make `.venv` match the lock file, unless it already does. Returns one line of refusal, or None."""
    # Scripts in an environment name its path and its Python, so a moved checkout or another Python is out of date too.
    wanted = hashlib.sha256(LOCK.read_bytes() + f"{ROOT} {sys.version_info[:2]}".encode()).hexdigest()
    if is_ready(wanted):
        return None
    import fcntl  # noqa: PLC0415 - not there on Windows, which was refused above

    (ROOT / ".plein").mkdir(exist_ok=True)
    with (ROOT / ".plein" / "environment.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # the system lets go of it when this process ends, however it ends
        return None if is_ready(wanted) else install(wanted)


def is_ready(wanted):
    """Say whether `.venv` was completed for this lock file, Python and place."""
    return PYTHON.exists() and STAMP.exists() and STAMP.read_text() == wanted


def install(wanted):
    """Make `.venv` anew from the lock file; the stamp is its last act. Returns one line of refusal, or None."""
    try:
        import ensurepip  # noqa: F401, PLC0415 - Debian splits these off
        import venv  # noqa: PLC0415
    except ImportError:
        return "Python's venv module is missing; on Debian or Ubuntu: apt install python3-venv"
    began, total = time.monotonic(), LOCK.read_text().count("==")
    print(
        f"Preparing .venv: {total} locked packages, once per change of requirements.lock …", file=sys.stderr, flush=True
    )
    STAMP.unlink(missing_ok=True)
    try:
        venv.EnvBuilder(clear=True, symlinks=True, with_pip=True).create(VENV)
    except (OSError, subprocess.CalledProcessError) as error:
        return f"Could not make .venv: {error}"
    environment = {k: v for k, v in os.environ.items() if k not in (*UNWANTED, "PYTHONPATH")}
    # Hashes make the source of a package irrelevant; no dependencies, as the lock is complete; no source packages, as
    # what builds them is not in the lock.
    options = "--require-hashes --no-deps --only-binary :all: --no-input --disable-pip-version-check --progress-bar off"
    pip = [str(PYTHON), "-m", "pip", "install", *options.split(), "-r", str(LOCK)]
    seen = []
    with subprocess.Popen(pip, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
        for line in process.stdout:
            seen.append(line)
            if sys.stderr.isatty() and line.startswith("Collecting"):
                count = sum(each.startswith("Collecting") for each in seen)
                print(f"\r  {count:3} {line.split()[1]:60.60}", end="", file=sys.stderr, flush=True)
    if process.returncode:
        return "".join(seen[-15:]) + "Could not install requirements.lock: is the package index within reach?"
    STAMP.write_text(wanted)
    print(f"\rPrepared .venv in {time.monotonic() - began:.0f} s.{'':50}", file=sys.stderr, flush=True)
    return None


def check(pytest_args, environment):
    """Run every check, name those that failed, then run the tests. Returns 0 only when all of it passed."""
    bin_path = f"{PYTHON.parent}{os.pathsep}{environment.get('PATH', '')}"
    results = {name: _run(command, environment | {"PATH": bin_path}) for name, command in CHECKS}
    print("checks:", ", ".join(f"{name} {'FAILED' if code else 'ok'}" for name, code in results.items()), flush=True)
    tests = _run((str(PYTHON), "-P", "-m", "pytest", *pytest_args), environment)
    return max(*results.values(), tests)


def _run(command, environment):
    program = command[0] if "/" in command[0] else str(PYTHON.parent / command[0])
    return abs(subprocess.run([program, *command[1:]], cwd=ROOT, env=environment, check=False).returncode)


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
