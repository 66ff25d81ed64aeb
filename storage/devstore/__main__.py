"""`python -m storage.devstore --dir D --port P --credentials FILE`: run the development store on loopback.

Promises: listens on 127.0.0.1 only; holds a lock on its directory; ends with the process that started it, when
told which. Secrets come in a file that only the owner can read, never in arguments or the environment.
uvicorn belongs to the gateway's floor; this program uses it too, because the development store is a small web
server of its own in a process of its own (design, section 9), and imports nothing of the gateway.
"""

from __future__ import annotations

import argparse
import ctypes
import errno
import fcntl
import json
import logging
import os
import signal
import socket
import stat
import sys
import threading
import time
from pathlib import Path

import uvicorn

from storage.devstore.app import DevStore
from storage.devstore.settings import DevStoreSettings

EXIT_PORT_TAKEN = 3
EXIT_DIRECTORY_TAKEN = 4
EXIT_BAD_CREDENTIALS = 5
EXIT_ORPHANED = 6
PR_SET_PDEATHSIG = 1  # from linux/prctl.h


def main(arguments: list[str] | None = None) -> int:
    """Run until a signal; the exit code says in one number why it could not."""
    options = _parser().parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    os.umask(0o077)
    if options.parent_pid and not _die_with(options.parent_pid):
        return EXIT_ORPHANED
    try:
        access_key, secret_key = read_credentials(options.credentials)
    except (OSError, ValueError) as error:
        return _say(EXIT_BAD_CREDENTIALS, f"cannot use the credentials file: {error}")
    options.dir.mkdir(parents=True, exist_ok=True)
    with (options.dir / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return _say(EXIT_DIRECTORY_TAKEN, f"another store runs in {options.dir}")
        settings = DevStoreSettings(
            options.dir, access_key, secret_key, region=options.region, allowed_origins=tuple(options.allow_origin)
        )
        return _serve(settings, options.port, options.bucket)


def read_credentials(path: Path) -> tuple[str, str]:
    """Access and secret key from a JSON file that only its owner can read. Raises OSError or ValueError."""
    with path.open() as file:
        if stat.S_IMODE(os.fstat(file.fileno()).st_mode) & 0o077:
            raise ValueError(f"{path.name} can be read by others; make it 0600")
        content = json.load(file)
    try:
        access_key, secret_key = content["access_key"], content["secret_key"]
    except (KeyError, TypeError):
        raise ValueError(f"{path.name} has no access_key and secret_key") from None
    if not (isinstance(access_key, str) and isinstance(secret_key, str) and access_key and len(secret_key) >= 16):
        raise ValueError(f"{path.name}: the keys must be texts, the secret key of at least 16 letters")
    return access_key, secret_key


def _serve(settings: DevStoreSettings, port: int, bucket: str | None) -> int:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(("127.0.0.1", port))
    except OSError as error:
        if error.errno not in {errno.EADDRINUSE, errno.EACCES}:
            raise
        return _say(EXIT_PORT_TAKEN, f"port {port} is taken")
    store = DevStore(settings)
    if bucket is not None:
        store.ensure_bucket(bucket)
    address = f"http://127.0.0.1:{listener.getsockname()[1]}"
    _say(0, f"development object store on {address}, files in {settings.directory}; not for production")
    config = uvicorn.Config(
        store,
        lifespan="off",
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        ws="none",
        timeout_keep_alive=75,  # longer than clients keep an idle connection, so they never write into a closed one
        timeout_graceful_shutdown=3,
    )
    # uvicorn raises the signal that ended it once more when it is done; these let `finally` have its turn.
    signal.signal(signal.SIGTERM, _leave)
    signal.signal(signal.SIGINT, _leave)
    try:
        uvicorn.Server(config).run(sockets=[listener])
    finally:
        store.close()
    return 0


def _leave(_number: int, _frame: object) -> None:
    sys.exit(0)


def _die_with(parent_pid: int) -> bool:
    """End when the parent does: the kernel tells us on Linux, a watching thread elsewhere. False if it is gone."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    else:
        threading.Thread(target=_watch, args=(parent_pid,), daemon=True).start()
    return os.getppid() == parent_pid


def _watch(parent_pid: int) -> None:
    while os.getppid() == parent_pid:
        time.sleep(1)
    os.kill(os.getpid(), signal.SIGTERM)


def _say(code: int, line: str) -> int:
    logging.getLogger("storage.devstore").log(logging.ERROR if code else logging.INFO, "%s", line)
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="storage.devstore", description="An object store for development, on loopback."
    )
    parser.add_argument("--dir", type=Path, required=True, help="where the objects are kept")
    parser.add_argument("--port", type=int, required=True, help="the port on 127.0.0.1; 0 takes a free one")
    parser.add_argument("--credentials", type=Path, required=True, help="JSON file (0600): access_key, secret_key")
    parser.add_argument("--bucket", help="a bucket to make, unless it is there")
    parser.add_argument("--region", default="us-east-1")
    parser.add_argument("--allow-origin", action="append", default=[], help="a browser origin to allow; repeatable")
    parser.add_argument("--parent-pid", type=int, default=0, help="end when this process, our parent, ends")
    return parser


if __name__ == "__main__":
    sys.exit(main())
