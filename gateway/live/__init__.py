"""Subscriptions: what happened comes from the outbox and goes to everybody who follows it and may see it.

`question` says what is followed, `answers` who may be told what, `circle` brings together all who ask the same, `hub`
reads the outbox for all of them, `outlet` is the bounded way out on one connection, `operations` what runs on it.
"""
