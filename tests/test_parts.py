"""An answer in parts is the answer: merged, every document means what it means without `@defer` and `@stream`.

Documents are drawn as in `test_equivalence`, with fragments deferred and lists streamed wherever they may be.
"""

from __future__ import annotations

import json
import os
from copy import deepcopy
from typing import Any

import pytest
from graphql import parse, validate
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from auth.viewer import PlatformRole
from gateway.past_format import PastFormat
from schema.root import graphql_schema
from tests.generate.documents import requests
from tests.generate.values import Pools, pools
from tests.oracle.merging import at, merge, parts_of
from tests.oracle.oracle import differences, nulled
from tests.oracle.people import COMMUNITIES, VIEWERS
from tests.oracle.proof import Proof
from tests.test_equivalence import BROKEN_OFF

NIGHTLY = os.environ.get("PLEIN_NIGHTLY") == "1"
EXAMPLES = 2_500 if NIGHTLY else 200
HERE = st.sampled_from([None, *(each.slug for each in COMMUNITIES)])
SCHEMA = graphql_schema()


@pytest.fixture(scope="session")
def drawn_from(proof: Proof) -> Pools:
    """Ids and cursors of everything there is."""
    return pools(proof.world, proof.square.settings.secret.encode())


def in_past_format(payloads: list[dict[str, Any]]) -> Any:
    """The data as a client of 2022 merges it."""
    past = PastFormat()
    first, *others = [past.tell(deepcopy({"hasNext": False} | payload)) for payload in payloads]
    data = first["data"]
    for part in (each for payload in others for each in payload.get("incremental", ())):
        if "items" in part:
            *owner, place = part["path"]
            items = at(data, tuple(owner))
            assert len(items) == place
            items += part["items"]
        else:
            owner = at(data, tuple(part["path"]))
            owner |= part["data"]
    return data


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
        assert in_past_format(payloads) == merged.data, "\n".join([where, *map(json.dumps, payloads)])
        found = differences(expected, json.dumps(merged.body(expected.data)).encode())
    assert not found, "\n".join([where, *map(json.dumps, payloads), *found])


SITES = "viewer {{ sites {{ edges {{ node {{ slug {0} }} }} }} }}"


async def parts_of_anna(proof: Proof, text: str) -> list[dict[str, Any]]:
    """What somebody with several sites is told, one of them suspended."""
    payloads = await proof.parts(text, {}, VIEWERS["anna"])
    assert len(payloads) > 1
    return payloads


async def test_a_fragment_within_one_is_announced_when_the_outer_one_is_there(proof: Proof) -> None:
    text = SITES.format('... @defer(label: "inner") { memberCount }')
    first, second, *others = await parts_of_anna(proof, f'{{ ... @defer(label: "outer") {{ {text} }} }}')
    assert first == {"data": {}, "pending": [{"id": "0", "path": [], "label": "outer"}], "hasNext": True}
    assert second["completed"] == [{"id": "0"}]
    edges = second["incremental"][0]["data"]["viewer"]["sites"]["edges"]
    assert [notice["path"][3] for notice in second["pending"]] == list(range(len(edges)))
    assert {notice["label"] for notice in second["pending"]} == {"inner"}
    merge([first, second, *others])


async def test_a_field_in_two_fragments_is_told_once(proof: Proof) -> None:
    both = '... @defer(label: "a") { memberCount } ... @defer(label: "b") { memberCount content { totalCount } }'
    payloads = await parts_of_anna(proof, f"{{ {SITES.format(both)} }}")
    merged = merge(payloads)
    told = [part["data"].keys() for payload in payloads[1:] for part in payload.get("incremental", ())]
    assert {frozenset(keys) for keys in told} == {frozenset({"memberCount"}), frozenset({"content"})}
    assert len(merged.labels) == 2 * len(merged.data["viewer"]["sites"]["edges"])


async def test_a_field_outside_of_a_fragment_is_not_late(proof: Proof) -> None:
    text = SITES.format("memberCount ... @defer { memberCount content { totalCount } }")
    (whole,) = await proof.parts(f"{{ {text} }}", {}, VIEWERS["anna"])
    assert whole["data"]["viewer"]["sites"]["edges"][0]["node"].keys() == {"slug", "memberCount", "content"}


async def test_a_part_deep_in_a_fragment_tells_where_it_belongs(proof: Proof) -> None:
    """One fragment around things that are there already: its part for each site has a path below it."""
    late = SITES.format("memberCount").replace("sites {", "sites(filter: {state: ACTIVE}) {")
    text = f"{{ {late.replace('memberCount', '')} ... @defer {{ {late} }} }}"
    first, *others = await parts_of_anna(proof, text)
    assert first["pending"] == [{"id": "0", "path": []}]
    (last,) = [payload for payload in others if "completed" in payload]
    places = [part["subPath"] for part in last["incremental"]]
    count = len(first["data"]["viewer"]["sites"]["edges"])
    assert count > 1
    assert places == [["viewer", "sites", "edges", index, "node"] for index in range(count)]
    merge([first, *others])


async def test_a_null_takes_its_fragment_only(proof: Proof) -> None:
    payloads = await parts_of_anna(proof, f"{{ {SITES.format('... @defer { memberCount }')} }}")
    merged = merge(payloads)
    (failed,) = merged.failed
    assert [error["extensions"]["code"] for error in merged.errors] == ["SITE_SUSPENDED"]
    assert tuple(merged.errors[0]["path"]) == (*failed, "memberCount")
    nodes = [edge["node"] for edge in merged.data["viewer"]["sites"]["edges"]]
    assert [index for index, node in enumerate(nodes) if "memberCount" not in node] == [failed[3]]


async def test_conditions_decide_by_variable(proof: Proof) -> None:
    text = f"query ($late: Boolean!) {{ {SITES.format('... @defer(if: $late) { memberCount }')} }}"
    late, now = [await proof.parts(text, {"late": each}, VIEWERS["anna"]) for each in (True, False)]
    assert len(late) > 1
    assert len(now) == 1
    assert all(
        edge["node"] is None or "memberCount" in edge["node"] for edge in now[0]["data"]["viewer"]["sites"]["edges"]
    )


async def test_what_fails_where_nothing_is_any_more_fails_no_fragment(proof: Proof) -> None:
    """A suspended site is null in the initial answer; the fragment over all sites comes for the others."""
    now = "sites { edges { node { slug memberCount } } }"
    late = "sites { edges { node { content { totalCount } } } } all: sites { edges { node { groups { totalCount } } } }"
    payloads = await parts_of_anna(proof, f"{{ viewer {{ {now} ... @defer {{ {late} }} }} }}")
    merged = merge(payloads)
    assert merged.failed == []
    nodes = [edge["node"] for edge in merged.data["viewer"]["sites"]["edges"]]
    assert [set(node) for node in nodes if node] == [{"slug", "memberCount", "content"}] * (len(nodes) - 1)
    assert len([edge for edge in merged.data["viewer"]["all"]["edges"] if edge["node"] is None]) == 1


async def test_a_list_for_operators_comes_in_parts_for_them_only(proof: Proof) -> None:
    text = "{ audit(first: 9) { edges { node { site { slug } ... @defer { site { version memberCount } } } } } }"
    operator = next(name for name, viewer in VIEWERS.items() if viewer.platform_role >= PlatformRole.OPERATOR)
    payloads = await proof.parts(text, {}, VIEWERS[operator])
    assert len(payloads) > 1
    merge(payloads)
    (refused,) = await proof.parts(text, {}, VIEWERS["anna"])
    assert refused["data"] == {"audit": None}
    assert [error["extensions"]["code"] for error in refused["errors"]] == ["FORBIDDEN"]


async def test_parts_beside_a_list_that_cannot_be_read(proof: Proof) -> None:
    """Its null climbs over everything, and that is all there is to tell."""
    text = BROKEN_OFF.format(later="... @defer { content { totalCount } } ")
    (whole,) = await proof.parts(text, {}, VIEWERS["anna"])
    told = [(error["path"], error["extensions"]["code"]) for error in whole["errors"]]
    assert (whole["data"], told) == (None, [(["viewer", "broken"], "BAD_USER_INPUT")])
