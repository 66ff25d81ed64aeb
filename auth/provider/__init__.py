"""Plein as an OpenID Provider: other services sign people in with the square's account.

It holds signing keys, clients, consents, grants, codes and tokens, and the rules of OAuth 2.1, OpenID Connect Core and
their company (RFC 7009, 7523, 7636, 7662, 8252, 8707, 9068, 9207). It promises that a code and a refresh token work
once, that whatever hangs on a grant dies with it, and that a token for one site is nothing on another. It never speaks
HTTP (the gateway does), and never keeps a secret, a code or a refresh token itself: only their hashes.
"""
