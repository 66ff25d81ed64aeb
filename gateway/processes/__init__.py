"""Several processes that serve on one port: the supervisor that keeps them, and what each of them is.

Promises: the port and the bundled parts are the supervisor's, opened once; a process that dies is replaced; when the
supervisor goes, however it goes, so do they. They share nothing but the port: what one must know of another goes
through Postgres.
"""
