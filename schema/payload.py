"""How mutations and their payloads are declared.

Promises: a mutation has one argument, `input`, and a payload of its own, so both can grow; it says what a credential
must be good for (`needs`), and whether doing it is always worth a row in the audit (`privileged`).
"""

from typing import Any

import strawberry

from auth.scopes import Scope
from schema.bind import Made, Mutates, at
from schema.relay import argument, field


def made(name: str, description: str) -> Any:
    """A payload's field."""
    return strawberry.field(description=description, metadata=at(Made(name)))


def mutation(
    service: Any, returns: str, input_type: type, description: str, *, needs: Scope, privileged: bool = False
) -> Any:
    """A mutation's field."""
    about = "What to do, and to what."
    binding = Mutates(service, returns, needs, privileged)
    return field(binding, description, [argument("input", input_type, about)])
