"""The scalars of the schema, in words for whoever reads it; what they take and give is strawberry's.

Promises: nothing but the words is another than strawberry's.
"""

from dataclasses import replace
from datetime import datetime
from typing import Any

from strawberry.schema.types.base_scalars import DateTimeDefinition

MOMENT = replace(
    DateTimeDefinition,
    description="A moment in ISO 8601, such as `2027-03-01T10:00:00+00:00`. Answers are in UTC, to the microsecond; "
    "what is given without an offset is taken for UTC.",
)
SCALARS: dict[Any, Any] = {datetime: MOMENT}
"""Each Python type whose scalar has words of ours."""
