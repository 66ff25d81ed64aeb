"""What auth refuses, as exceptions of its own; the gateway turns them into the errors of the API.

Promises: each message is written for the caller and tells nothing that helps somebody who guesses.
Never says whether a token was forged, meant for somebody else, or belongs to an account that is gone.
"""

from __future__ import annotations


class AuthError(Exception):
    """A refusal by auth; `message` is safe to show."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class Unauthenticated(AuthError):  # noqa: N818 - a refusal, named as the API names it
    """The credential is not one of ours, or not any more."""

    def __init__(self, message: str = "The access token is not valid.") -> None:
        super().__init__(message)


class TokenExpired(Unauthenticated):
    """The credential was ours and is past its time: signing in again helps, which is why only this is told apart."""

    def __init__(self) -> None:
        super().__init__("The access token has expired; sign in again.")


class KeyExpired(Unauthenticated):
    """The API key was ours and is past its time."""

    def __init__(self) -> None:
        super().__init__("The API key has expired; make a new one.")


class LastOperator(AuthError):  # noqa: N818 - a refusal, named after what is in the way
    """The square would have no operator."""

    def __init__(self) -> None:
        super().__init__("This is the square's last operator; make somebody else one first.")


class AccountExists(AuthError):  # noqa: N818 - a refusal, named after what is in the way
    """There is an account with this e-mail address already."""

    def __init__(self) -> None:
        super().__init__("There is an account with this e-mail address already.")


class IdentityTaken(AuthError):  # noqa: N818 - a refusal, named after what is in the way
    """The issuer's subject belongs to another account already."""

    def __init__(self) -> None:
        super().__init__("This identity belongs to another account already.")


class Busy(AuthError):  # noqa: N818 - a state of this process
    """Too many passwords are being verified at once; in a moment there is room again."""

    def __init__(self) -> None:
        super().__init__("Too many people are signing in at this moment; try again in a moment.")


class TooManyAttempts(AuthError):  # noqa: N818 - a state of whoever tries
    """Somebody tried too often, in whatever way; `wait_s` is when it is worth trying again."""

    def __init__(self, wait_s: int) -> None:
        super().__init__("There were too many attempts; wait a while and try again.")
        self.wait_s = wait_s
