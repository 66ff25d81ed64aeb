"""The one map from exceptions to errors: every code has a status, every foreseen exception its words."""

from __future__ import annotations

import pytest
from graphql import GraphQLError, parse

from auth.errors import AccountExists, TokenExpired, Unauthenticated
from gateway.errors import FORESEEN, Refusal, Rejected, error_from, error_object, problem_from
from schema.errors import ErrorCode, PleinError, bad_input
from tenants.errors import DatabaseUnavailable, LockTimeout, NotMigrated, ReaderBusy, StatementFailed, StatementTimeout

STATUS = {
    "UNAUTHENTICATED": 401, "FORBIDDEN": 403, "NOT_FOUND": 404, "BAD_USER_INPUT": 400, "CONFLICT": 409,
    "LIMIT_EXCEEDED": 400, "RATE_LIMITED": 429, "SITE_SUSPENDED": 403, "UPLOAD_REJECTED": 400, "UNAVAILABLE": 503,
    "GRAPHQL_PARSE_FAILED": 400, "GRAPHQL_VALIDATION_FAILED": 400, "INTERNAL_SERVER_ERROR": 500,
    "PERSISTED_QUERY_NOT_FOUND": 404, "PERSISTED_QUERY_NOT_SUPPORTED": 400, "STEP_UP_REQUIRED": 403,
}  # fmt: skip


@pytest.mark.parametrize("code", ErrorCode)
def test_every_code_has_a_status_and_one_shape(code: ErrorCode) -> None:
    problem = problem_from(PleinError(code, "A sentence.", field="input.slug"))
    assert problem.status == STATUS[code.value]
    assert problem.errors == ({"message": "A sentence.", "extensions": {"code": code.value, "field": "input.slug"}},)
    assert dict(problem.headers).keys() == {401: {b"www-authenticate"}, 503: {b"retry-after"}}.get(
        problem.status, set()
    )


@pytest.mark.parametrize(
    ("error", "code", "status"),
    [
        (Unauthenticated(), "UNAUTHENTICATED", 401),
        (TokenExpired(), "UNAUTHENTICATED", 401),
        (AccountExists(), "CONFLICT", 409),
        (DatabaseUnavailable("host=10.0.0.1"), "UNAVAILABLE", 503),
        (ReaderBusy("2000 reads wait"), "UNAVAILABLE", 503),
        (NotMigrated("platform.square is empty"), "UNAVAILABLE", 503),
        (LockTimeout("55P03", "canceling statement due to lock timeout"), "CONFLICT", 409),
        (StatementTimeout("57014", "canceling statement"), "LIMIT_EXCEEDED", 400),
        (GraphQLError("A rule was broken."), "GRAPHQL_VALIDATION_FAILED", 400),
        (GraphQLError("outer", original_error=bad_input("slug", "Too short.")), "BAD_USER_INPUT", 400),
        (StatementFailed("42P01", "relation does not exist"), "INTERNAL_SERVER_ERROR", 500),
        (ZeroDivisionError("division"), "INTERNAL_SERVER_ERROR", 500),
    ],
)
def test_what_was_foreseen_is_told_and_all_else_is_masked(error: Exception, code: str, status: int) -> None:
    problem = problem_from(error)
    assert (problem.status, problem.errors[0]["extensions"]["code"]) == (status, code)
    if status >= 500:
        assert str(error) not in problem.errors[0]["message"]
    if isinstance(error, tuple(kind for kind, _, _ in FORESEEN)):
        assert str(error) not in problem.errors[0]["message"]


def test_a_masked_error_can_be_found_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    first, second = error_from(ValueError("inside")), error_from(ValueError("inside"))
    assert "inside" not in str(first)
    assert first["extensions"]["requestId"] != second["extensions"]["requestId"]
    assert first["extensions"]["requestId"] in caplog.text
    assert "ValueError: inside" in caplog.text


def test_an_error_has_its_place_in_the_response_and_the_document() -> None:
    node = parse("{\n me }").definitions[0]
    located = GraphQLError("outer", node, path=["me", 0], original_error=bad_input("first", "Too many."))
    expected = {"locations": [{"line": 1, "column": 1}], "path": ["me", 0]}
    assert error_from(located).items() >= expected.items()
    assert error_from(bad_input("first", "Too many."), path=("me", 0), locations=[{"line": 1, "column": 1}]) == {
        "message": "Too many.",
        "extensions": {"code": "BAD_USER_INPUT", "field": "first"},
        **expected,
    }


def test_refusals_and_rejections_keep_what_they_were_given() -> None:
    refusal = problem_from(Refusal(413, "Too long.", headers=((b"connection", b"close"),)))
    assert (refusal.status, refusal.malformed) == (413, True)
    assert refusal.errors[0]["extensions"]["code"] == "LIMIT_EXCEEDED"
    assert refusal.headers == ((b"connection", b"close"),)
    errors = [error_object(ErrorCode.GRAPHQL_VALIDATION_FAILED, each) for each in ("one", "two")]
    rejected = problem_from(Rejected(errors))
    assert (rejected.status, rejected.malformed, list(rejected.errors)) == (400, False, errors)


def test_a_message_that_quotes_a_megabyte_is_cut() -> None:
    assert len(error_object(ErrorCode.BAD_USER_INPUT, "a" * 1_000_000)["message"]) < 1_100
