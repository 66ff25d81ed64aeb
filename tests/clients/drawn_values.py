"""What schemathesis loads itself: values of things that there are, besides any others, and what no answer may be.

Without the values every id would be of nothing, and no request would come further than the first look-up. Writes a line
for each answer, so that the test can say how far requests came.
"""

import json
import os
from datetime import UTC, datetime
from pathlib import Path

import schemathesis
from hypothesis import strategies as st
from hypothesis_graphql import nodes

KNOWN = json.loads(os.environ["KNOWN_VALUES"])
TALLY = Path(os.environ["TALLY"])
FAULTS = {"INTERNAL_SERVER_ERROR", "UNAVAILABLE"}
MOMENTS = st.datetimes(timezones=st.just(UTC)).map(datetime.isoformat)


def texts(known: list[str]) -> st.SearchStrategy[str]:
    """Mostly what there is, sometimes anything."""
    return st.one_of(*[st.sampled_from(known)] * 3, st.text(max_size=60))


for name in KNOWN["scalars"]:  # of scalars that nothing else is known of here, some text
    schemathesis.graphql.scalar(name, st.text(max_size=60).map(nodes.String))
schemathesis.graphql.scalar("ID", texts(KNOWN["ids"]).map(nodes.String))
schemathesis.graphql.scalar("String", texts(KNOWN["texts"]).map(nodes.String))
schemathesis.graphql.scalar("Int", st.one_of(st.integers(0, 4), st.integers(-(2**31), 2**31 - 1)).map(nodes.Int))
schemathesis.graphql.scalar("DateTime", st.one_of(MOMENTS, st.text(max_size=30)).map(nodes.String))


@schemathesis.check
def no_fault_of_ours(_context, response, case) -> None:
    """No status of 5xx, and no error in an answer that says the same; every error has a code."""
    body = json.loads(response.content)
    assert response.status_code < 500, response.status_code
    codes = [error["extensions"]["code"] for error in body.get("errors", ())]
    assert not FAULTS & set(codes), body["errors"]
    assert codes or set(body) == {"data"}
    with TALLY.open("a") as tally:
        tally.write(f"{case.operation.label} {response.status_code} {codes[0] if codes else 'answered'}\n")
