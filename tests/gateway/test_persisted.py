"""Persisted documents: trusted ones from a manifest, automatic ones by their hash, and their tags over GET."""

from __future__ import annotations

import json
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx
import pytest

from gateway import persisted as persisted_module
from gateway.over_http import GraphQLOverHTTP
from gateway.persisted import ManifestError, Persisted, load_manifest
from tests.gateway.small_square import make_square

MODERN = "application/graphql-response+json"
COUNT, ECHO, WRITE = "{ count }", "query($t: String!) { echo(text: $t) }", "mutation { write }"


def hashed(text: str) -> str:
    return sha256(text.encode()).hexdigest()


def apq(text: str, **more: Any) -> dict[str, Any]:
    return {"extensions": {"persistedQuery": {"version": 1, "sha256Hash": hashed(text)}}} | more


def client(trusted: dict[str, str] | None = None, *, only: bool = False) -> httpx.AsyncClient:
    square = replace(make_square(), persisted=Persisted(trusted, only=only))
    transport = httpx.ASGITransport(GraphQLOverHTTP(square))  # type: ignore[arg-type]
    return httpx.AsyncClient(transport=transport, base_url="http://plein.example", headers={"accept": MODERN})


def error_of(response: httpx.Response) -> tuple[int, str, str]:
    error = response.json()["errors"][0]
    return response.status_code, error["extensions"]["code"], error["message"]


NOT_FOUND = (404, "PERSISTED_QUERY_NOT_FOUND", "PersistedQueryNotFound")


async def test_a_document_is_registered_by_sending_it_once_with_its_hash() -> None:
    async with client() as http:
        assert error_of(await http.post("/graphql", json=apq(COUNT))) == NOT_FOUND
        assert (await http.post("/graphql", json=apq(COUNT, query=COUNT))).json() == {"data": {"count": 3}}
        assert (await http.post("/graphql", json=apq(COUNT))).json() == {"data": {"count": 3}}
        by_id = await http.post("/graphql", json={"documentId": f"sha256:{hashed(COUNT)}"})
        assert by_id.json() == {"data": {"count": 3}}
        legacy = await http.post("/graphql", json=apq(ECHO), headers={"accept": "application/json"})
        assert error_of(legacy) == (200, *NOT_FOUND[1:])  # as the clients of Apollo's convention expect it


async def test_a_document_is_not_registered_under_another_hash_or_when_it_is_not_in_order() -> None:
    async with client() as http:
        wrong = await http.post("/graphql", json=apq(COUNT, query=ECHO))
        assert error_of(wrong)[:2] == (400, "BAD_USER_INPUT")
        assert wrong.json()["errors"][0]["extensions"]["field"] == "extensions.persistedQuery.sha256Hash"
        invalid = await http.post("/graphql", json=apq("{ nothing }", query="{ nothing }"))
        assert error_of(invalid)[1] == "GRAPHQL_VALIDATION_FAILED"
        for text in (COUNT, "{ nothing }"):
            assert error_of(await http.post("/graphql", json=apq(text))) == NOT_FOUND


@pytest.mark.parametrize(
    ("payload", "field"),
    [
        ({"extensions": {"persistedQuery": 1}}, "extensions.persistedQuery"),
        ({"extensions": {"persistedQuery": {"version": 2, "sha256Hash": "a" * 64}}}, "extensions.persistedQuery"),
        ({"extensions": {"persistedQuery": {"version": 1}}}, "extensions.persistedQuery.sha256Hash"),
        ({"extensions": {"persistedQuery": {"version": 1, "sha256Hash": "x"}}}, "extensions.persistedQuery.sha256Hash"),
        ({"documentId": 1}, "documentId"),
        ({"documentId": "a b"}, "documentId"),
        ({"documentId": "a:b:c"}, "documentId"),
        ({"documentId": "a", "query": COUNT}, "documentId"),
        ({"extensions": {"other": 1}}, "query"),
    ],
)
async def test_what_names_no_document_is_refused(payload: Any, field: str) -> None:
    async with client() as http:
        response = await http.post("/graphql", json=payload)
    assert (response.status_code, response.json()["errors"][0]["extensions"]["field"]) == (400, field)


async def test_what_clients_register_is_bounded_by_number_and_by_length(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(persisted_module, "KEPT_TEXTS", 2)
    kept = Persisted()
    for text in "ABA":
        kept.register(hashed(text), text)
    assert kept.by_hash(hashed("A")) == "A"  # and so it is younger than B
    kept.register(hashed("C"), "C")
    assert [text for text in "ABC" if kept._find(hashed(text))] == ["A", "C"]
    monkeypatch.setattr(persisted_module, "KEPT_CHARACTERS", 10)
    kept.register(hashed("D" * 9), "D" * 9)
    assert [text for text in ("A", "C", "D" * 9) if kept._find(hashed(text))] == ["C", "D" * 9]


async def test_with_trusted_documents_only_nothing_else_runs() -> None:
    async with client({"count-1": COUNT, "write": WRITE}, only=True) as http:
        for payload in ({"documentId": "count-1"}, {"documentId": f"sha256:{hashed(COUNT)}"}, {"query": COUNT}):
            assert (await http.post("/graphql", json=payload)).json() == {"data": {"count": 3}}
        assert (await http.post("/graphql", json=apq(COUNT))).json() == {"data": {"count": 3}}
        assert error_of(await http.post("/graphql", json={"query": "{ me }"}))[:2] == (403, "FORBIDDEN")
        assert error_of(await http.post("/graphql", json=apq("{ me }", query="{ me }")))[:2] == (403, "FORBIDDEN")
        unknown = await http.post("/graphql", json=apq("{ me }"))
        assert error_of(unknown) == (400, "PERSISTED_QUERY_NOT_SUPPORTED", "PersistedQueryNotSupported")
        assert error_of(await http.post("/graphql", json={"documentId": "count-2"})) == NOT_FOUND


async def test_beside_trusted_documents_others_run_unless_told_otherwise() -> None:
    async with client({"count-1": COUNT}) as http:
        assert (await http.post("/graphql", json={"query": "{ me }"})).json() == {"data": {"me": "nobody"}}
        assert (await http.get("/graphql", params={"documentId": "count-1"})).json() == {"data": {"count": 3}}


async def test_an_answer_to_a_persisted_document_over_get_has_a_tag() -> None:
    async with client({"echo": ECHO, "write": WRITE}) as http:
        asked = {"documentId": "echo", "variables": '{"t":"a"}'}
        first = await http.get("/graphql", params=asked)
        tag = first.headers["etag"]
        assert tag.startswith('W/"')
        assert first.headers["cache-control"] == "private, no-cache"
        assert set(first.headers["vary"].split(", ")) >= {
            "accept",
            "accept-encoding",
            "authorization",
            "cookie",
            "origin",
        }
        for known in (tag, tag.removeprefix("W/"), f'"other", {tag}', "*"):
            again = await http.get("/graphql", params=asked, headers={"if-none-match": known})
            assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
            assert "content-type" not in again.headers
        other = await http.get("/graphql", params=asked | {"variables": '{"t":"b"}'}, headers={"if-none-match": tag})
        assert (other.status_code, other.json()) == (200, {"data": {"echo": "b"}})
        head = await http.head("/graphql", params=asked)
        assert (head.headers["etag"], head.content) == (tag, b"")
        assert (await http.get("/graphql", params={"documentId": "write"})).status_code == 405
        for plain in (
            await http.get("/graphql", params={"query": COUNT}),
            await http.post("/graphql", json=asked | {"variables": {"t": "a"}}),
        ):
            assert "etag" not in plain.headers
            assert plain.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    "content",
    [
        {"count-1": COUNT},
        {
            "format": "apollo-persisted-query-manifest",
            "version": 1,
            "operations": [{"id": "count-1", "name": "Count", "type": "query", "body": COUNT}],
        },
    ],
)
def test_a_manifest_is_read_in_the_forms_that_clients_make(content: Any, tmp_path: Path) -> None:
    path = tmp_path / "manifest.json"
    path.write_text(json.dumps(content))
    assert load_manifest(path) == {"count-1": COUNT}


@pytest.mark.parametrize(
    "text", ["{", "[]", '{"a": 1}', '{"format": "apollo-persisted-query-manifest", "operations": [1]}', None]
)
def test_a_file_that_is_no_manifest_is_told_in_one_line(text: str | None, tmp_path: Path) -> None:
    path = tmp_path / "manifest.json"
    if text is not None:
        path.write_text(text)
    with pytest.raises(ManifestError, match=r"manifest\.json") as caught:
        load_manifest(path)
    assert "\n" not in str(caught.value)
