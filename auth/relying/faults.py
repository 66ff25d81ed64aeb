"""Why a sign-in at an issuer did not come to a good end: one vocabulary for pages, logs and tests.

Promises: a refusal has a code that is safe to show and tells nothing of the inside; `reason` is for the log and holds
no token, no code and no secret. Every fault of the other side is one of these, never an exception of a library.
"""

from __future__ import annotations

from enum import StrEnum

from auth.errors import AuthError


class SignInFault(StrEnum):
    """What went wrong, as the page of the error and its address in the documentation name it."""

    ISSUER_UNKNOWN = "ISSUER_UNKNOWN"
    ISSUER_UNREACHABLE = "ISSUER_UNREACHABLE"
    ISSUER_FAULTY = "ISSUER_FAULTY"
    ISSUER_REFUSED = "ISSUER_REFUSED"
    ISSUER_MISMATCH = "ISSUER_MISMATCH"
    SIGN_IN_CANCELLED = "SIGN_IN_CANCELLED"
    SIGN_IN_EXPIRED = "SIGN_IN_EXPIRED"
    ID_TOKEN_INVALID = "ID_TOKEN_INVALID"  # noqa: S105 - a code
    LOGOUT_TOKEN_INVALID = "LOGOUT_TOKEN_INVALID"  # noqa: S105 - a code
    STEP_UP_FAILED = "STEP_UP_FAILED"
    EMAIL_MISSING = "EMAIL_MISSING"
    EMAIL_UNVERIFIED = "EMAIL_UNVERIFIED"
    EMAIL_TAKEN = "EMAIL_TAKEN"
    EMAIL_DOMAIN = "EMAIL_DOMAIN"
    INVITATION_NEEDED = "INVITATION_NEEDED"
    IDENTITY_TAKEN = "IDENTITY_TAKEN"
    ACCOUNT_CLOSED = "ACCOUNT_CLOSED"


MESSAGES = {
    SignInFault.ISSUER_UNKNOWN: "There is no such way to sign in here.",
    SignInFault.ISSUER_UNREACHABLE: "The service that you sign in with does not answer just now.",
    SignInFault.ISSUER_FAULTY: "The service that you sign in with gave an answer that makes no sense.",
    SignInFault.ISSUER_REFUSED: "The service that you sign in with refused.",
    SignInFault.ISSUER_MISMATCH: "The answer came from another service than the one you chose.",
    SignInFault.SIGN_IN_CANCELLED: "You did not sign in.",
    SignInFault.SIGN_IN_EXPIRED: "This sign-in took too long, was done already, or began in another browser.",
    SignInFault.ID_TOKEN_INVALID: "The service that you sign in with gave a statement that cannot be trusted.",
    SignInFault.LOGOUT_TOKEN_INVALID: "The logout token is not valid.",
    SignInFault.STEP_UP_FAILED: "You signed in, but not in the way that is asked for here.",
    SignInFault.EMAIL_MISSING: "The service that you sign in with did not tell your e-mail address.",
    SignInFault.EMAIL_UNVERIFIED: "The service that you sign in with did not verify your e-mail address.",
    SignInFault.EMAIL_TAKEN: "This e-mail address cannot be used for a new account.",
    SignInFault.EMAIL_DOMAIN: "Accounts are made here for other e-mail addresses only.",
    SignInFault.INVITATION_NEEDED: "Accounts are made here for those who were invited only.",
    SignInFault.IDENTITY_TAKEN: "This way to sign in belongs to another account already.",
    SignInFault.ACCOUNT_CLOSED: "This account cannot be used now.",
}

STATUSES = {
    SignInFault.ISSUER_UNKNOWN: 404,
    SignInFault.ISSUER_UNREACHABLE: 424,
    SignInFault.ISSUER_FAULTY: 424,
    SignInFault.ISSUER_REFUSED: 403,
    SignInFault.SIGN_IN_CANCELLED: 403,
    SignInFault.STEP_UP_FAILED: 403,
    SignInFault.EMAIL_MISSING: 403,
    SignInFault.EMAIL_UNVERIFIED: 403,
    SignInFault.EMAIL_TAKEN: 403,
    SignInFault.EMAIL_DOMAIN: 403,
    SignInFault.INVITATION_NEEDED: 403,
    SignInFault.ACCOUNT_CLOSED: 403,
    SignInFault.IDENTITY_TAKEN: 409,
}  # all others: 400. None is a 5xx: we are well, and trying again at once would not help


class SignInRefused(AuthError):  # noqa: N818 - a refusal, named as the page names it
    """A sign-in that ends here. `reason` is for the log: a few words, such as `nonce` or `timeout`."""

    def __init__(self, fault: SignInFault, reason: str = "") -> None:
        super().__init__(MESSAGES[fault])
        self.fault = fault
        self.reason = reason

    @property
    def status(self) -> int:
        """The HTTP status of the page that tells it."""
        return STATUSES.get(self.fault, 400)


def faulty(reason: str) -> SignInRefused:
    """The other side answered, and not as it has to."""
    return SignInRefused(SignInFault.ISSUER_FAULTY, reason)
