"""Parameters of OAuth requests: from a query string or a form to values, each given once.

Promises: a parameter that is given twice is refused (RFC 6749, section 3.1), an empty one counts as not given, and
nothing here is longer than it can be of use.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from urllib.parse import parse_qsl

from auth.provider.errors import invalid_request

LONGEST_REQUEST = 16_384  # bytes; the longest query that every browser and server lets through is half of it
MOST_PARAMETERS = 60
REPEATABLE = frozenset({"resource"})


class Parameters(Mapping[str, str]):
    """What was given, by name. `resource` may be given several times."""

    def __init__(self, text: str) -> None:
        """`text` is a query string or a form. Raises `OAuthError`."""
        if len(text) > LONGEST_REQUEST:
            raise invalid_request("The request is too long.")
        try:
            pairs = parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=MOST_PARAMETERS)
        except ValueError:
            raise invalid_request("The request is not form-encoded UTF-8, or has too many parameters.") from None
        self.resources: tuple[str, ...] = tuple(value for name, value in pairs if name == "resource" and value)
        self._values: dict[str, str] = {}
        self.repeated: frozenset[str] = frozenset()
        for name, value in pairs:
            if name in self._values and name not in REPEATABLE:
                self.repeated |= {name}
            if value:
                self._values[name] = value

    def require_once(self) -> None:
        """Raise `OAuthError` where a parameter was given twice."""
        if self.repeated:
            raise invalid_request("A parameter is given more than once.")
        if any("\x00" in value for value in self._values.values()):
            raise invalid_request("A parameter holds a character that no text has.")

    def __getitem__(self, name: str) -> str:
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)
