"""Inputs about issuers, identities and one's own account."""

import strawberry

from schema.inputs.fields import idempotency_key, optional, required, version
from schema.issuer import AccountsFor, IssuerAuthentication

NAME = "What people see on the button: 1 to 100 characters."
SECRET = "The secret, or for PRIVATE_KEY_JWT a private key in PEM or as a JWK. It is kept sealed and never told again."  # noqa: S105
ALGORITHMS = "What it may sign with: asymmetric algorithms only. RS256, PS256, ES256 and EdDSA if never given."
SCOPES = "What is asked for there; `openid` must be among it. `openid email profile` if never given."
ACCOUNTS = "For whom an account is made at the first sign-in; OPEN if never given."
DOMAINS = "The domains of e-mail addresses, for DOMAINS and only then."
VERIFIED = "Whether its addresses count as verified though it does not say so."
STRONG = "Words of `amr`, or values of `acr`, that say that a second factor was used; `mfa` if never given."
STRONG_ACR = "What to ask for in `acr_values` where a second factor is needed."
MAX_AGE = "How long ago somebody may have signed in there; up to a year."


@strawberry.input(description="An issuer to let people sign in with.")
class CreateIssuerInput:
    """An issuer to let people sign in with."""

    key: str = required("Its short name here: 1 to 40 lower-case letters, digits and hyphens. It stays so.")
    issuer: str = required("Its address, exactly as it is in its ID tokens; https.")
    name: str = required(NAME)
    client_id: str = required("What the square is called there.")
    authentication: IssuerAuthentication = required("How the square shows that it is itself.")
    secret: str | None = optional(SECRET)
    algorithms: list[str] | None = optional(ALGORITHMS)
    scopes: list[str] | None = optional(SCOPES)
    accounts: AccountsFor | None = optional(ACCOUNTS)
    domains: list[str] | None = optional(DOMAINS)
    email_is_verified: bool | None = optional(VERIFIED)
    strong: list[str] | None = optional(STRONG)
    strong_acr: list[str] | None = optional(STRONG_ACR)
    max_age_seconds: int | None = optional(MAX_AGE)
    idempotency_key: str | None = idempotency_key()


@strawberry.input(description="What to change about an issuer. A list that is given replaces the one that was there.")
class UpdateIssuerInput:
    """What to change about an issuer."""

    id: strawberry.ID = required("The issuer.")
    version: int = version()
    name: str | None = optional(NAME)
    client_id: str | None = optional("What the square is called there.")
    authentication: IssuerAuthentication | None = optional("How the square shows that it is itself.")
    secret: str | None = optional(SECRET)
    algorithms: list[str] | None = optional(ALGORITHMS)
    scopes: list[str] | None = optional(SCOPES)
    accounts: AccountsFor | None = optional(ACCOUNTS)
    domains: list[str] | None = optional(DOMAINS)
    email_is_verified: bool | None = optional(VERIFIED)
    strong: list[str] | None = optional(STRONG)
    strong_acr: list[str] | None = optional(STRONG_ACR)
    max_age_seconds: int | None = optional(MAX_AGE)


@strawberry.input(description="An issuer to take out.")
class DeleteIssuerInput:
    """An issuer to take out."""

    id: strawberry.ID = required("The issuer.")


@strawberry.input(description="Changes to the viewer's own account; what is not given stays as it is.")
class UpdateAccountInput:
    """Changes to the viewer's own account."""

    name: str | None = optional("The name shown to others, on all sites: 1 to 200 characters.")
    language: str | None = optional("The language to be spoken to in, as a BCP 47 tag such as `nl` or `fy`.")


@strawberry.input(description="A way to sign in, to take away.")
class UnlinkIdentityInput:
    """A way to sign in, to take away."""

    id: strawberry.ID = required("The identity.")
