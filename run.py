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
BIN = VENV / "bin"
LOCK = ROOT / "requirements.lock"
STAMP = VENV / "plein.stamp"  # written last: without it, or with another text in it, the environment is made again
# Hashes make it irrelevant where a package comes from: the machine's index, mirror and proxy settings are left alone.
# The lock is complete, hence no dependencies; what builds source packages is not in it, hence no source packages.
PIP = (
    "-m pip install --require-hashes --no-deps --only-binary :all: --no-compile --no-input --disable-pip-version-check"
)
UNWANTED = (
    *("PYTHONPATH", "PYTHONHOME", "PIP_TARGET", "PIP_PREFIX", "PIP_ROOT", "PIP_USER", "PIP_CONSTRAINT"),
    "PYTHONDONTWRITEBYTECODE",  # bytecode that is kept makes every start but the first twice as fast
)
CHECKS = (  # the cheap ones first; pytest comes last, so that its closing line is the last line
    ("ruff check", ("-m", "ruff", "check", "--quiet")),
    ("ruff format", ("-m", "ruff", "format", "--check", "--quiet")),
    ("lint-imports", (str(BIN / "lint-imports"), "--no-logo")),
    ("mypy", ("-m", "mypy", "--no-error-summary")),
)


def main(args):
    """Make the environment right, then become the asked command. Returns for `test`, or one line of refusal."""
    if sys.version_info < (3, 11):  # noqa: UP036 - this file must say so itself, in one line
        return f"Plein needs Python 3.11 or later; this is {sys.version.split()[0]} ({sys.executable})."
    if os.name != "posix":
        return "Plein runs on Linux and macOS; on Windows, use the Windows Subsystem for Linux."
    refusal = prepare()
    if refusal:
        return refusal
    # Run from the checkout, not installed. -P keeps the caller's directory (for file arguments) out of the module path.
    environment = {**clean_environment(), "PYTHONPATH": str(ROOT)}
    python = [str(BIN / "python"), "-P"]
    if args[:1] == ["test"]:
        return check(python, args[1:], environment)
    module = ["tests.benchmarks", *args[1:]] if args[:1] == ["bench"] else ["gateway", *args]
    return os.execve(python[0], [*python, "-m", *module], environment)


def prepare():
    """Make `.venv` match the lock file, unless it already does. Returns one line of refusal, or None."""
    # Scripts in an environment name its path and its Python, so a moved checkout or another Python is out of date too.
    wanted = hashlib.sha256(LOCK.read_bytes() + f"{ROOT} {sys.version_info[:2]}".encode()).hexdigest()
    if is_ready(wanted):
        return None
    try:
        import ensurepip  # noqa: F401, PLC0415 - Debian splits these off
        import fcntl  # noqa: PLC0415 - not on Windows, which was refused above
        import venv  # noqa: PLC0415
    except ImportError:
        return "Python's venv module is missing; on Debian or Ubuntu: apt install python3-venv"
    (ROOT / ".plein").mkdir(exist_ok=True)
    with (ROOT / ".plein" / "environment.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # the system lets go of it when this process ends, however it ends
        if is_ready(wanted):
            return None
        STAMP.unlink(missing_ok=True)
        try:
            return install(venv.EnvBuilder(clear=True, symlinks=True, with_pip=True), wanted, lock.fileno())
        except (OSError, subprocess.CalledProcessError) as error:
            return f"Could not make .venv: {error}"


def is_ready(wanted):
    """Say whether `.venv` was completed for this lock file, Python and place."""
    return (BIN / "python").exists() and STAMP.exists() and STAMP.read_text() == wanted


def install(builder, wanted, held):
    """Make `.venv` anew and fill it from the lock file; the stamp comes last. Returns a refusal, or None."""
    began, total, lines = time.monotonic(), LOCK.read_text().count("=="), []
    say = sys.stderr.write
    say(f"Preparing .venv from requirements.lock: {total} packages, about half a minute, once.\n")
    builder.create(VENV)
    pip = [str(BIN / "python"), *PIP.split(), "--progress-bar", "off", "-r", str(LOCK)]
    with subprocess.Popen(
        pip,
        env=clean_environment(),
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        pass_fds=[held],  # should this process be killed, the next one waits until its pip has ended too
    ) as process:
        for line in process.stdout:
            lines += [] if line.startswith("WARNING") else [line]
            if line.startswith("Collecting") and sys.stderr.isatty():
                say(f"\r{sum(each.startswith('Collecting') for each in lines):4}  {line.split()[1]:60.60}")
                sys.stderr.flush()
    if process.returncode:
        return "".join(lines[-15:]) + "Could not install requirements.lock: is a package index within reach?"
    STAMP.write_text(wanted)
    say(f"\rPrepared .venv in {time.monotonic() - began:.0f} s.{'':50}\n")
    return None


def clean_environment():
    """Give the environment without what would look for modules or packages elsewhere, or forget their bytecode."""
    return {name: value for name, value in os.environ.items() if name not in UNWANTED}


def check(python, pytest_args, environment):
    """Run every check, show and name those that failed, then run the tests. Returns 0 only if all of it passed."""
    failed = []
    for name, command in CHECKS:
        done = subprocess.run(
            [*python, *command], cwd=ROOT, env=environment, text=True, capture_output=True, check=False
        )
        print(f"{name}: {'FAILED' if done.returncode else 'ok'}", flush=True)
        if done.returncode:
            failed.append(name)
            print(done.stdout + done.stderr, flush=True)
    # A worker for each core when all tests run; a file stays on one worker, so that its fixtures are made once.
    workers = [] if pytest_args else ["-n", "auto", "--dist", "loadfile"]
    tests = subprocess.run(
        [*python, "-m", "pytest", *workers, *pytest_args], cwd=ROOT, env=environment, check=False
    ).returncode
    return tests or len(failed)


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
