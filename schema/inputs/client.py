"""Inputs about clients and consents."""

import strawberry

from schema.client import ClientAuthentication, ClientGrantType, ClientScope, IdTokenAlgorithm, SubjectType
from schema.inputs.fields import idempotency_key, optional, required, version

NAME = "What people see when they are asked to agree: 1 to 200 characters."
REDIRECT_URIS = (
    "Where people may be sent back to with a code, letter by letter: https; or http on 127.0.0.1 or [::1], with any "
    "port; or, for clients without authentication, an app's own scheme such as `nl.example.app:/`. At most 20."
)
LOGOUT_REDIRECT_URIS = "Where people may be sent after signing out: the same rules. At most 20."
LOGOUT_URI = "Where it is told that a session is over (OpenID Connect Back-Channel Logout); https."
ORIGINS = (
    "Origins of its pages that speak to the token endpoint themselves, such as https://app.example.nl. At most 20."
)
JWKS = "Its public keys, as a JSON Web Key Set; for PRIVATE_KEY, and only then."


@strawberry.input(description="A client to register.")
class RegisterClientInput:
    """A client to register."""

    name: str = required(NAME)
    site: strawberry.ID | None = optional(
        "The site that it is of: its tokens are for that site and nothing else. For the site's admins. Without it, the "
        "client is the platform's; for operators."
    )
    authentication: ClientAuthentication = required("How it proves who it is. It stays so.")
    grant_types: list[ClientGrantType] = required("What it may ask tokens with: at least one.")
    scopes: list[ClientScope] = required("What it may ask for: at least one.")
    redirect_uris: list[str] | None = optional(REDIRECT_URIS)
    logout_redirect_uris: list[str] | None = optional(LOGOUT_REDIRECT_URIS)
    logout_uri: str | None = optional(LOGOUT_URI)
    origins: list[str] | None = optional(ORIGINS)
    subject_type: SubjectType | None = optional("What a person is called towards it; PAIRWISE if not given.")
    id_token_algorithm: IdTokenAlgorithm | None = optional("How its ID tokens are signed; RS256 if not given.")
    home_uri: str | None = optional("Its own site; https.")
    policy_uri: str | None = optional("What it does with what it learns of people; https.")
    jwks: str | None = optional(JWKS)
    is_trusted: bool | None = optional("Whether people are not asked to agree; for operators.")
    idempotency_key: str | None = idempotency_key()


@strawberry.input(description="What to change about a client. A list that is given replaces the one that was there.")
class UpdateClientInput:
    """What to change about a client."""

    id: strawberry.ID = required("The client.")
    version: int = version()
    name: str | None = optional(NAME)
    grant_types: list[ClientGrantType] | None = optional("What it may ask tokens with: at least one.")
    scopes: list[ClientScope] | None = optional(
        "What it may ask for: at least one. What was granted with one that is not among them is ended."
    )
    redirect_uris: list[str] | None = optional(REDIRECT_URIS)
    logout_redirect_uris: list[str] | None = optional(LOGOUT_REDIRECT_URIS)
    logout_uri: str | None = optional(f"{LOGOUT_URI} An empty text takes it away.")
    origins: list[str] | None = optional(ORIGINS)
    id_token_algorithm: IdTokenAlgorithm | None = optional("How its ID tokens are signed.")
    home_uri: str | None = optional("Its own site; https. An empty text takes it away.")
    policy_uri: str | None = optional("What it does with what it learns; https. An empty text takes it away.")
    jwks: str | None = optional(JWKS)
    is_trusted: bool | None = optional("Whether people are not asked to agree; for operators.")


@strawberry.input(description="A client to give a new secret.")
class RotateClientSecretInput:
    """A client to give a new secret."""

    id: strawberry.ID = required("The client, which has a secret.")
    at_once: bool | None = optional(
        "Whether the old secret is worth nothing from now on; else it is good for 24 hours."
    )


@strawberry.input(description="A client to remove.")
class DeleteClientInput:
    """A client to remove."""

    id: strawberry.ID = required("The client.")


@strawberry.input(description="A consent to take back.")
class RevokeConsentInput:
    """A consent to take back."""

    id: strawberry.ID = required("The consent.")


@strawberry.input(description="How to renew the keys that sign tokens.")
class RotateSigningKeysInput:
    """How to renew the keys that sign tokens."""

    at_once: bool | None = optional(
        "For keys that were stolen: the old ones are worth nothing from now on, nor is any token that they signed. "
        "Else the new ones sign in an hour, when every client has them, and nobody notices."
    )
