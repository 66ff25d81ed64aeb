"""The OpenID Provider over HTTP: endpoints for clients, and pages for the people they send here.

Promises: the endpoints for clients answer in JSON with the codes of OAuth, never a 5xx for what a client sends; the
pages cannot be framed, and no form of theirs counts from elsewhere. Addresses are made from the settings, never from
what a request says of its host.
"""
