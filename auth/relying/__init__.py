"""Plein as a relying party: people sign in at OpenID Connect issuers that somebody configured here.

The way of a sign-in: `issuers` says whom to trust, `outside` is the only way to them, `metadata` and `keys` remember
what they publish, `flow` sends a browser there and reads the answer, `id_tokens` judges what they signed. Promises that
nothing of the other side is believed because it was said: each fault of theirs is a `SignInRefused` with a code.
Never opens a session and never writes: who signed in is told, and what follows from that is decided above.
"""
