"""Watching a gateway run: logs, metrics, traces, Server-Timing and slow statements.

Promises: it all comes from one record per operation, told when the answer is on its way; what is off costs a request
nothing; no variable, no token and no literal of a document is ever told; what grows with names that callers choose is
bounded. Never changes an answer, but for a header that was asked for.
"""
