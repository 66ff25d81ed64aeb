"""Child: the few lines that run between our process and a PostgreSQL program, as a script of its own.

Promises that the program runs without root, with no more capability than it needs to reach its own files, and that a
server is told to shut down when our process dies. A script and not a `preexec_fn`: Python code between fork and exec
can hang when the parent has threads. Uses the standard library only, and never returns: it becomes the program.

Usage: python -I -S child.py '{"uid": …, "gid": …, "data_dir": …, "parent": …}' PROGRAM ARGUMENT…
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import json
import os
import signal
import sys

CANNOT_RUN = 77
"""Exit status when the program could not be run at all; one line on standard error says why."""

# linux/prctl.h and linux/capability.h
_PR_SET_PDEATHSIG, _PR_SET_KEEPCAPS, _PR_SET_SECUREBITS, _PR_CAP_AMBIENT = 1, 8, 28, 47
_AMBIENT_RAISE, _AMBIENT_CLEAR_ALL = 2, 4
_CAPABILITY_VERSION_3 = 0x20080522
_CAP_DAC_OVERRIDE, _CAP_DAC_READ_SEARCH, _CAP_SETPCAP = 1, 2, 8
_SECBIT_NO_SETUID_FIXUP = 1 << 2


class _Header(ctypes.Structure):
    _fields_ = (("version", ctypes.c_uint32), ("pid", ctypes.c_int))


class _Sets(ctypes.Structure):
    _fields_ = (("effective", ctypes.c_uint32), ("permitted", ctypes.c_uint32), ("inheritable", ctypes.c_uint32))


def main(arguments: list[str]) -> int:
    """Become the program. Returns only when that failed."""
    spec = json.loads(arguments[1])
    program = arguments[2:]
    linux = sys.platform == "linux"
    libc = ctypes.CDLL(None, use_errno=True)
    try:
        if spec["uid"] is not None:
            _drop_root(libc, spec["uid"], spec["gid"], keep_capabilities=linux)
        if linux and spec["parent"] is not None:
            _die_with(libc, spec["parent"])
    except OSError as error:
        return _fail(f"Root may not become another user here ({error.strerror}): start Plein as another user")
    capabilities = (None, _CAP_DAC_READ_SEARCH, _CAP_DAC_OVERRIDE) if linux and spec["uid"] is not None else (None,)
    refused = None
    for capability in capabilities:
        try:
            _hold(libc, capability)
            _reach(spec["data_dir"], program[0])
            os.execv(program[0], program)  # noqa: S606 - no shell, which is the point
        except PermissionError as error:
            refused = refused or error
        except OSError as error:
            return _fail(f"Cannot run {program[0]}: {error.strerror}")
    blocked = refused.filename if refused and refused.filename else program[0]
    return _fail(
        f"User id {os.getuid()} cannot reach {blocked}: set PLEIN_DATA_DIR to a directory it can reach, with the "
        "project itself in a readable place"
    )


def _fail(message: str) -> int:
    sys.stderr.write(f"plein: {message}\n")
    return CANNOT_RUN


def _drop_root(libc: ctypes.CDLL, uid: int, gid: int, *, keep_capabilities: bool) -> None:
    """Become another user for good. The capabilities stay permitted, not effective, until the program starts."""
    os.setgroups([])
    if not keep_capabilities:
        os.setgid(gid)
        os.setuid(uid)
        return
    os.setresgid(gid, gid, gid)
    _prctl(libc, _PR_SET_KEEPCAPS, 1)
    os.setresuid(uid, uid, uid)


def _die_with(libc: ctypes.CDLL, parent: int) -> None:
    """Ask for SIGINT, a fast shutdown, when the parent dies. Changing user clears this, so it comes after."""
    _prctl(libc, _PR_SET_PDEATHSIG, signal.SIGINT)
    if os.getppid() != parent:
        sys.exit(CANNOT_RUN)


def _hold(libc: ctypes.CDLL, capability: int | None) -> None:
    """Let exactly this capability (or none) survive into the program; PermissionError where it may not be had."""
    if capability is None:
        return
    header = _Header(_CAPABILITY_VERSION_3, 0)
    sets = (_Sets * 2)()
    _check(libc.capget(ctypes.byref(header), sets))
    # PostgreSQL's programs look each other up with access(2), which disregards the capabilities of anybody but root,
    # unless this bit is set. Where setting it is not allowed, we may still do without: `_reach` finds out.
    with contextlib.suppress(PermissionError):
        sets[0].effective = 1 << _CAP_SETPCAP
        _check(libc.capset(ctypes.byref(header), sets))
        _prctl(libc, _PR_SET_SECUREBITS, _SECBIT_NO_SETUID_FIXUP)
    sets[0].effective = sets[0].inheritable = 1 << capability
    _check(libc.capset(ctypes.byref(header), sets))
    _prctl(libc, _PR_CAP_AMBIENT, _AMBIENT_CLEAR_ALL)
    _prctl(libc, _PR_CAP_AMBIENT, _AMBIENT_RAISE, capability)


def _reach(data_dir: str, program: str) -> None:
    """Raise PermissionError unless the data directory and the program can be got at as we are now."""
    os.chdir(data_dir)
    if not os.access(program, os.R_OK | os.X_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), program)


def _prctl(libc: ctypes.CDLL, option: int, *arguments: int) -> None:
    padded = (*arguments, 0, 0, 0, 0)[:4]
    _check(libc.prctl(option, *(ctypes.c_ulong(argument) for argument in padded)))


def _check(result: int) -> None:
    if result != 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))


if __name__ == "__main__":
    sys.exit(main(sys.argv))
