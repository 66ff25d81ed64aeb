"""What the provider refuses, in the words that OAuth and OpenID Connect have for it.

Promises: `code` is a registered error code, `description` is written for whoever builds the client, in the characters
that RFC 6749 allows. Never tells whether a secret, a code or a token was nearly right.
"""

from __future__ import annotations

import re

ALLOWED = re.compile(r"[ !#-\[\]-~]*")
"""The characters of `error_description`: RFC 6749, section 5.2."""


class OAuthError(Exception):
    """A refusal; `status` is for endpoints that answer the client itself."""

    def __init__(self, code: str, description: str, status: int = 400) -> None:
        super().__init__(f"{code}: {description}")
        assert ALLOWED.fullmatch(description), description
        self.code = code
        self.description = description
        self.status = status


class UnknownClient(OAuthError):  # noqa: N818 - a refusal, named after what is wrong
    """Where to answer cannot be trusted: no such client, or not its address. Never answered by a redirect."""


def invalid_request(description: str) -> OAuthError:
    """The request is not well-formed."""
    return OAuthError("invalid_request", description)


def invalid_client() -> OAuthError:
    """The client did not prove who it is; why not is not told."""
    return OAuthError("invalid_client", "The client could not be authenticated.", 401)


def invalid_grant() -> OAuthError:
    """The code or refresh token is not good, or not good any more; which of the two is not told."""
    return OAuthError("invalid_grant", "The code or refresh token is not valid, was used, or is another client's.")


def invalid_token() -> OAuthError:
    """The access token is not good, or not good any more."""
    return OAuthError("invalid_token", "The access token is not valid.", 401)
