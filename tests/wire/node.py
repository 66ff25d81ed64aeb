"""Other people's GraphQL tools, from npm: installed once under `.plein/node`, run by Node.js.

Promises: a machine without Node.js, or without a registry within reach, skips these tests and says why. Two test runs
at once wait for each other. Nothing is installed outside `.plein`.
"""

from __future__ import annotations

import asyncio
import fcntl
import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

HOME = Path(__file__).resolve().parents[2] / ".plein" / "node"
INSTALL_SECONDS = 180
RUN_SECONDS = 120


def require_packages(folder: str, packages: dict[str, str]) -> Path:
    """The directory in which these packages (name to exact version) are installed; skips the test if they cannot be."""
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        pytest.skip("Node.js and npm are not on this machine")
    home = HOME / folder
    home.mkdir(parents=True, exist_ok=True)
    with (home / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if _installed(home) != packages:
            (home / "package.json").write_text(json.dumps({"private": True, "dependencies": packages}))
            command = [npm, "install", "--no-audit", "--no-fund", "--no-package-lock", "--ignore-scripts"]
            done = subprocess.run(
                command, cwd=home, capture_output=True, text=True, timeout=INSTALL_SECONDS, check=False
            )
            if done.returncode:
                pytest.skip(f"npm could not install {', '.join(packages)}: {done.stderr.strip().splitlines()[-1:]}")
            (home / "installed.json").write_text(json.dumps(packages))
    return home


def beside_packages(home: Path, directory: Path, *files: Path) -> Path:
    """Copy files to a directory from where `import` and `require` find the packages of `home`."""
    (directory / "node_modules").symlink_to(home / "node_modules", target_is_directory=True)
    for file in files:
        shutil.copy(file, directory)
    return directory


async def run_script(home: Path, script: Path, *args: str) -> Any:
    """What a script prints, as JSON; it finds the packages of `home`, whose path is its first argument."""
    return json.loads(await run("node", script, home, *args))


async def run(
    *command: str | Path,
    cwd: Path | None = None,
    environ: dict[str, str] | None = None,
    may_fail: bool = False,
    patience_s: float = RUN_SECONDS,
) -> str:
    """What a program prints; it must end in time, and well unless it may fail."""
    process = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE, cwd=cwd, env=environ
    )
    try:
        async with asyncio.timeout(patience_s):
            out, err = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert may_fail or process.returncode == 0, (err + out).decode()
    return out.decode()


def _installed(home: Path) -> Any:
    found = home / "installed.json"
    return json.loads(found.read_text()) if found.exists() else None
