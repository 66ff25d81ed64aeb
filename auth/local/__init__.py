"""Accounts that sign in here, without an issuer: passwords, second factors, links by mail, limits on trying.

Promises: whoever tries gets the same answer for the same work, whether or not there is such an account. Never stores
what lets somebody in but as a hash, or sealed.
"""
