"""An answer in parts is the answer: merged, every document means what it means without `@defer` and `@stream`.

Documents are drawn as in `test_equivalence`, with fragments deferred and lists streamed wherever they may be.
"""

from __future__ import annotations

import json
import os

import pytest
from graphql import parse, validate
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from schema.root import graphql_schema
from tests.generate.documents import requests
from tests.generate.values import Pools, pools
from tests.oracle.merging import merge, parts_of
from tests.oracle.oracle import differences, nulled
from tests.oracle.people import COMMUNITIES, VIEWERS
from tests.oracle.proof import Proof

NIGHTLY = os.environ.get("PLEIN_NIGHTLY") == "1"
EXAMPLES = 2_500 if NIGHTLY else 200
HERE = st.sampled_from([None, *(each.slug for each in COMMUNITIES)])
SCHEMA = graphql_schema()


@pytest.fixture(scope="session")
def drawn_from(proof: Proof) -> Pools:
    """Ids and cursors of everything there is."""
    return pools(proof.world, proof.square.settings.secret.encode())


@settings(
    max_examples=EXAMPLES,
    derandomize=not NIGHTLY,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
    report_multiple_bugs=False,
    phases=(Phase.generate,),  # shrinking takes minutes: rather take the document apart by hand
)
@given(data=st.data())
async def test_a_drawn_document_in_parts(proof: Proof, drawn_from: Pools, data: st.DataObject) -> None:
    here = data.draw(HERE)
    viewer = data.draw(st.sampled_from(sorted(VIEWERS)))
    request = data.draw(requests(SCHEMA, drawn_from, later=True))
    assert validate(SCHEMA, parse(request.text)) == []
    expected = proof.expect(request.text, request.variables, VIEWERS[viewer], here)
    where = "\n".join([f"viewer {viewer}, here {here}", request.text, str(request.variables)])
    whole = await proof.answer(request.text, request.variables, VIEWERS[viewer], here)
    assert not differences(expected, whole), where
    payloads = await proof.parts(request.text, request.variables, VIEWERS[viewer], here)
    merged = merge(payloads)
    assert all("path" in error for error in merged.errors), "\n".join([where, *map(json.dumps, payloads)])
    if merged.failed:
        # A null that climbs out of a fragment takes the fragment, where it would have taken the object around it.
        nulls = {nulled(expected.data, tuple(error["path"])) for error in merged.errors}
        found = parts_of(expected.data, merged.data, nulls)
        faults = {
            (tuple(each["path"]), each["extensions"]["code"], each["extensions"].get("field")) for each in merged.errors
        }
        found += [f"nobody expects {fault}" for fault in faults - expected.possible]
    else:
        found = differences(expected, json.dumps(merged.body(expected.data)).encode())
    assert not found, "\n".join([where, *map(json.dumps, payloads), *found])
