"""What every mutation asks first: who is it, and can what they wrote be stored."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from auth.viewer import ANONYMOUS, Viewer
from schema.content.poll import PollDetails
from schema.errors import ErrorCode, PleinError
from schema.inputs.content import CreateContentInput
from schema.kinds import ContentKind
from schema.services.texts import line, prose, require_account, tag_list
from tenants.ids import uuid7

ANNA = Viewer(uuid7())


def content(**fields: Any) -> CreateContentInput:
    return CreateContentInput(**{"site": "site", "kind": ContentKind.POLL} | fields)


def refusal(viewer: Viewer, asked: object) -> tuple[ErrorCode, str | None] | None:
    try:
        assert require_account(viewer, asked) == viewer.account_id
    except PleinError as error:
        return error.code, error.field
    return None


def test_the_account_is_asked_for_before_the_text() -> None:
    assert refusal(ANONYMOUS, content(title="\0")) == (ErrorCode.UNAUTHENTICATED, None)
    assert refusal(ANNA, content()) is None


@pytest.mark.parametrize("bad", ["\0", "a\0b", "\ud800", "a\udfff", "\udc00\ud800"])
def test_text_that_cannot_be_stored_is_found_wherever_it_is(bad: str) -> None:
    places = {
        "input.site": {"site": bad},
        "input.title": {"title": bad},
        "input.tags": {"tags": ["fine", bad]},
        "input.idempotencyKey": {"idempotency_key": bad},
        "input.poll.options": {"poll": PollDetails(options=["fine", bad])},
    }
    for place, fields in places.items():
        assert refusal(ANNA, content(**fields)) == (ErrorCode.BAD_USER_INPUT, place)


@settings(max_examples=200, deadline=None)
@given(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])))
def test_any_other_text_goes_on(text: str) -> None:
    assert refusal(ANNA, content(title=text, body=text, tags=[text])) is None


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=30))
def test_a_line_is_itself_without_space_around_or_refused(text: str) -> None:
    stripped = text.strip()
    if 1 <= len(stripped) <= 10 and stripped.isprintable():
        assert line(text, "input.name", 10) == stripped
    elif not 1 <= len(stripped) <= 10 or "\n" in stripped:
        with pytest.raises(PleinError) as refused:
            line(text, "input.name", 10)
        assert (refused.value.code, refused.value.field) == (ErrorCode.BAD_USER_INPUT, "input.name")


def test_what_is_not_given_is_none() -> None:
    empty = content()
    assert line(empty.title, "input.title", 10) is None
    assert prose(empty.body, "input.body", 10, required=True) is None
    assert tag_list(empty.tags, "input.tags") is None
    assert tag_list([], "input.tags") == []
