"""Running operations: compiled parts sent to the sites they are about, and their JSON put together.

Promises: the JSON that Postgres made goes on the wire as it is, unless a field failed; one site that fails takes down
only what hangs on it; a mutation is one transaction, its payload included.
Never decides what a viewer may see, and never keeps anything of a request.
"""

from gateway.execute.executor import Executor

__all__ = ["Executor"]
