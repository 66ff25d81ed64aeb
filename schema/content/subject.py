"""What can be commented on or reacted to: an item of any kind, or a comment."""

from functools import reduce
from operator import or_
from typing import Annotated, Any

import strawberry

from schema.content.comment import Comment
from schema.content.every import KIND_OF

_members: Any = reduce(or_, (kind.object_type for kind in KIND_OF.values()), Comment)

Subject = Annotated[_members, strawberry.union("Subject", description="What can be commented on or reacted to.")]
