"""What the provider says of itself to clients: OpenID Connect Discovery 1.0 and RFC 8414.

Promises: it names what is there and nothing else; both documents are the same, as each ignores what only the other
knows.
"""

from __future__ import annotations

from typing import Any

from auth.local.local import ACR_ONE, ACR_TWO
from auth.provider.client_authentication import ASSERTION_ALGORITHMS
from auth.provider.person import SCOPE_OF
from auth.provider.scopes import SCOPES
from auth.provider.settings import ProviderSettings
from auth.provider.signing_keys import ALGORITHMS
from auth.provider.token_requests import TOKEN_PATH
from auth.provider.token_states import INTROSPECT_PATH, REVOKE_PATH

AUTHORIZE_PATH, USERINFO_PATH, KEYS_PATH, END_SESSION_PATH = (
    "oauth/authorize",
    "oauth/userinfo",
    "oauth/jwks",
    "oauth/end-session",
)
CONFIDENTIAL = ["client_secret_basic", "client_secret_post", "private_key_jwt"]


def metadata(settings: ProviderSettings) -> dict[str, Any]:
    """The document at `/.well-known/openid-configuration` and at `/.well-known/oauth-authorization-server`."""
    at, algorithms = settings.at, list(ASSERTION_ALGORITHMS)
    return {
        "issuer": settings.issuer,
        "authorization_endpoint": at(AUTHORIZE_PATH),
        "token_endpoint": at(TOKEN_PATH),
        "userinfo_endpoint": at(USERINFO_PATH),
        "jwks_uri": at(KEYS_PATH),
        "introspection_endpoint": at(INTROSPECT_PATH),
        "revocation_endpoint": at(REVOKE_PATH),
        "end_session_endpoint": at(END_SESSION_PATH),
        "scopes_supported": list(SCOPES),
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": ["authorization_code", "refresh_token", "client_credentials"],
        "subject_types_supported": ["pairwise", "public"],
        "id_token_signing_alg_values_supported": list(ALGORITHMS),
        "token_endpoint_auth_methods_supported": [*CONFIDENTIAL, "none"],
        "token_endpoint_auth_signing_alg_values_supported": algorithms,
        "introspection_endpoint_auth_methods_supported": CONFIDENTIAL,
        "introspection_endpoint_auth_signing_alg_values_supported": algorithms,
        "revocation_endpoint_auth_methods_supported": [*CONFIDENTIAL, "none"],
        "revocation_endpoint_auth_signing_alg_values_supported": algorithms,
        "code_challenge_methods_supported": ["S256"],
        "prompt_values_supported": ["none", "login", "consent", "select_account"],
        "acr_values_supported": [ACR_ONE, ACR_TWO],
        "claim_types_supported": ["normal"],
        "claims_supported": [
            *("iss", "sub", "aud", "exp", "iat", "auth_time", "nonce", "acr", "amr", "azp", "at_hash", "sid"),
            *sorted(SCOPE_OF),
        ],
        "claims_parameter_supported": True,
        "request_parameter_supported": False,
        "request_uri_parameter_supported": False,
        "authorization_response_iss_parameter_supported": True,
        "backchannel_logout_supported": True,
        "backchannel_logout_session_supported": True,
        "ui_locales_supported": ["nl", "en"],
    }
