"""What can be done: a service for each mutation, a noun per file.

Promises: every service asks in the same order: who is it, is the input in order, is the thing there for them, does the
site answer, may they; and writes only after that. Rows that a decision hangs on are locked first, in the order site,
member, group, content. The indexes over all sites are written in the same transaction as what they stand for.
Never commits, and never decides again what `auth.policy` decides.
"""
