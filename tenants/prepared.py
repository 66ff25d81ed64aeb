"""Which statements are prepared on one connection, and by what name.

Promises: never more than its limit, no name used twice, and what it drops while the server still holds it is in
`to_close`. Knows nothing of the connection itself.
"""

from __future__ import annotations

from collections import OrderedDict

Key = tuple[str, bytes]  # statement text and role command: a plan made under one role is never run under another


class PreparedStatements:
    """Names of the statements prepared on one connection, least recently used first; bounded, never reused.

    A statement is prepared at its second use. A name counts as prepared from the moment its Parse is sent (the server
    sees messages in order) until `forget` says that it failed.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._names: OrderedDict[Key, bytes] = OrderedDict()
        self._seen_once: OrderedDict[Key, None] = OrderedDict()
        self._counter = 0
        self.to_close: list[bytes] = []  # evicted on our side, still there on the server's

    def find(self, key: Key) -> bytes | None:
        """The name under which it is prepared, if it is."""
        name = self._names.get(key)
        if name is not None:
            self._names.move_to_end(key)
        return name

    def admit(self, key: Key) -> bytes | None:
        """Count a use of what is not prepared; at the second one give the name to prepare it by."""
        if self._limit < 1:
            return None
        if key not in self._seen_once:
            self._seen_once[key] = None
            if len(self._seen_once) > self._limit:
                self._seen_once.popitem(last=False)
            return None
        del self._seen_once[key]
        self._counter += 1
        name = self._names[key] = b"r%d" % self._counter
        if len(self._names) > self._limit:
            self.to_close.append(self._names.popitem(last=False)[1])
        return name

    def forget(self, key: Key, name: bytes, close: bool) -> None:
        """Take a name out of use; `close` when the server may still hold it."""
        if self._names.get(key) == name:
            del self._names[key]
            if close:
                self.to_close.append(name)
