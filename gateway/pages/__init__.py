"""Pages for people: signing in, their account, and what went wrong, rendered here and complete without JavaScript.

Promises: Dutch and English; every value is escaped; a form counts only with its token, sent by a page of our own. Never
loads anything from another origin.
"""
