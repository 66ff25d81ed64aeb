"""The compiled answer is the answer: every document means what graphql-core on naive resolvers says it means.

Documents are drawn from the schema itself. An ordinary run draws the same few hundred each time; with `PLEIN_NIGHTLY=1`
it draws thousands of new ones. A failing document is shrunk and printed with its viewer and variables.
"""

from __future__ import annotations

import os

import pytest
from graphql import parse, validate
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from tests.generate.documents import requests
from tests.generate.values import pools
from tests.oracle.people import COMMUNITIES, VIEWERS
from tests.oracle.proof import Proof

NIGHTLY = os.environ.get("PLEIN_NIGHTLY") == "1"
EXAMPLES = 2_500 if NIGHTLY else 300
HERE = st.sampled_from([None, None, *(each.slug for each in COMMUNITIES), "niets"])
"""The site whose host was asked."""


@settings(
    max_examples=EXAMPLES,
    derandomize=not NIGHTLY,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)
@given(data=st.data())
async def test_every_document_means_what_the_specification_says(proof: Proof, data: st.DataObject) -> None:
    schema = proof.square.schema
    viewer = data.draw(st.sampled_from(sorted(VIEWERS)), "viewer")
    here = data.draw(HERE, "here")
    request = data.draw(requests(schema, pools(proof.world, proof.square.settings.secret.encode())), "request")
    assert validate(schema, parse(request.text)) == []
    event(f"{len(request.text) // 400 * 400} characters")
    found = await proof.differences(request.text, request.variables, viewer, here)
    assert not found, "\n".join([f"viewer {viewer}, here {here}", request.text, str(request.variables), *found])
