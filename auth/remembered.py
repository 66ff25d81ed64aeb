"""What was verified a moment ago: from the hash of a credential to the viewer that it stands for.

Promises: remembered for half a minute and never past its own end, within a bound; what is revoked is forgotten, also
what is being verified at that moment. Never holds a credential itself, and never remembers a refusal.
"""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from uuid import UUID

from auth.viewer import Viewer

REMEMBER_SECONDS = 30.0  # how long a role that was taken away may still work where nobody says so
REMEMBER_CREDENTIALS = 10_000  # 1.5 MB; people at work at once in half a minute, on one gateway process


class Remembered:
    """A memory of viewers. One per verifier, on one event loop."""

    __slots__ = ("_clock", "_known", "forgotten")

    def __init__(self, clock: Callable[[], float]) -> None:
        """`clock` gives seconds since the epoch."""
        self._clock = clock
        self._known: dict[bytes, tuple[float, Viewer]] = {}
        self.forgotten = 0

    def __len__(self) -> int:
        return len(self._known)

    def find(self, credential: str) -> Viewer | None:
        """Return whom this credential stands for, if it was verified a moment ago."""
        found = self._known.get(sha256(credential.encode("utf-8", "surrogatepass")).digest())
        return found[1] if found is not None and self._clock() < found[0] else None

    def keep(self, credential: str, viewer: Viewer, ends_at: float, forgotten: int) -> None:
        """Remember it until it ends. `forgotten` is what that was before the verifying began.

        Where something was forgotten since, it is not known whether it was this: then it is not kept.
        """
        if forgotten != self.forgotten:
            return
        while len(self._known) >= REMEMBER_CREDENTIALS:
            del self._known[next(iter(self._known))]  # the oldest: a dict keeps the order of insertion
        key = sha256(credential.encode()).digest()
        self._known.pop(key, None)
        self._known[key] = (min(ends_at, self._clock() + REMEMBER_SECONDS), viewer)

    def forget(self, credential_id: UUID) -> None:
        """Forget one session, key, client or grant."""
        self._forget(lambda viewer: viewer.hangs_on(credential_id))

    def forget_account(self, account_id: UUID) -> None:
        """Forget every credential of an account."""
        self._forget(lambda viewer: viewer.account_id == account_id)

    def forget_all(self) -> None:
        """Forget everything."""
        self._forget(lambda _viewer: True)

    def _forget(self, is_meant: Callable[[Viewer], bool]) -> None:
        self.forgotten += 1
        for key in [key for key, (_, viewer) in self._known.items() if is_meant(viewer)]:
            del self._known[key]
