"""Who is asking, and what may they see.

It holds accounts, sessions, tokens, API keys, OpenID Connect and the access policy. It promises one policy predicate
for every way to a thing: list, item, count, search, feed, file, mail, export and subscription. It never imports
`storage`, never answers HTTP itself (the gateway does), and never tells a missing thing from a forbidden one to a
viewer who may not know.
"""
