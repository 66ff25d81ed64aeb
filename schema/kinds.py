"""The kinds of content, each one word here and one file in `schema/content/`.

Promises: everything that all kinds share (table, policy, mutations, feed, search, tests) is made from this list.
"""

from enum import Enum
from typing import Any

import strawberry

KINDS = {
    "BLOG": "A longer piece by one person.",
    "NEWS": "An announcement on behalf of the site.",
    "DISCUSSION": "A subject to talk about.",
    "QUESTION": "Something asked, for others to answer.",
    "STATUS": "A short message without a title.",
    "PAGE": "A page of the site that stays.",
    "WIKI": "A page that members write together.",
    "EVENT": "Something that takes place at a time.",
    "POLL": "A question with a few options.",
}

_words: Any = {word: strawberry.enum_value(word, description=text) for word, text in KINDS.items()}
_enum: Any = Enum("ContentKind", _words)  # type: ignore[misc]

ContentKind: Any = strawberry.enum(_enum, description="The kinds of content.")
"""The kinds of content as an enum of the schema."""
