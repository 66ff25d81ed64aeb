"""Entities as SQL: all rows of one type that a site is asked for by one key, in one statement.

Promises: pure; the policy of the type stands in the statement as in any other, and so does that of every edge a
key goes along; how many rows are asked for never changes the text.
"""

from __future__ import annotations

from typing import Any

from graphql import GraphQLNamedType, GraphQLObjectType, get_named_type
from sqlalchemy import ARRAY, JSON, ColumnElement, FromClause, Text, Uuid, cast, func, literal, select

from auth.policy import Row
from schema.bind import Column, Expression, GlobalId, One, Source
from schema.compiler.compile import Compiler, Rejections, SelectionSets
from schema.compiler.keys import FieldPath, Key, Leaf
from schema.compiler.part import Part, Path, referred
from schema.compiler.sql import Draft
from schema.compiler.trail import Trail

ORDINAL = "ordinal"
GIVEN = "given"


def entities(
    compiler: Compiler, key: Key, selection_sets: SelectionSets, trail: Trail, path: Path, what: object
) -> Part:
    """For each reference to a row that the viewer may see: its number (from 1), and the row's JSON.

    `what` names the references among those of the call.
    """
    named = compiler.operation.schema.type_map[key.type_name]
    source = compiler.catalogue.source(named.name)

    def build(rejected: Rejections) -> Part:
        draft = compiler.draft(key.place, rejected)
        row = draft.table(source)
        asked = _asked(draft, key, path, what)
        if key.takes_given:
            draft.given = (row, cast(asked.c[GIVEN], JSON))
        with draft.inside(asked), draft.inside(row):
            matches = [_matches(draft, key.type_name, row, leaf.path, value) for leaf, value in _values(key, asked)]
            json = draft.row_json(draft.types_over(named, source), selection_sets, row, trail, path)
        where = (
            *matches,
            *_of_type(draft, named, source, row),
            source.policy(row, draft.uncounted),
            *draft.within(source, row),
        )
        columns = (cast(asked.c[ORDINAL], Text), cast(json, Text))
        query = select(*columns).select_from(asked).join(row, literal(True)).where(*where)
        return compiler.part(draft, query, rejected, build)

    return build({})


def _asked(draft: Draft, key: Key, path: Path, what: object) -> FromClause:
    """The references as rows: a column for each value of the key, what was given with it if need be, and the number."""
    names = [f"value_{number}" for number in range(len(key.compared))] + [GIVEN] * key.takes_given
    arrays = [draft.parameter(referred(what, number), ARRAY(Text), path) for number in range(len(names))]
    return func.unnest(*arrays).table_valued(*names, with_ordinality=ORDINAL).render_derived(name="asked")


def _values(key: Key, asked: FromClause) -> list[tuple[Leaf, ColumnElement[Any]]]:
    return [(leaf, asked.c[f"value_{number}"]) for number, leaf in enumerate(key.compared)]


def _of_type(draft: Draft, named: GraphQLNamedType, source: Source, row: Row) -> list[ColumnElement[bool]]:
    """Where several types share a table, only the rows of this one."""
    if not source.discriminator or not isinstance(named, GraphQLObjectType):
        return []
    return [row.c[source.discriminator] == named.name.upper()]


def _matches(draft: Draft, type_name: str, row: Row, path: FieldPath, value: ColumnElement[Any]) -> ColumnElement[bool]:
    """Whether the field at this path from the row has this value."""
    name, *below = path
    match draft.catalogue.bindings[type_name, name]:
        case GlobalId():
            return row.c[draft.catalogue.source(type_name).key] == cast(value, Uuid)
        case Column(column):
            return cast(row.c[column], Text) == value
        case Expression(build):
            return cast(build(row, draft.terms), Text) == value
        case One(join, policy):
            field = draft.operation.schema.type_map[type_name].fields[name]  # type: ignore[attr-defined]
            inner = get_named_type(field.type).name
            source = draft.catalogue.source(inner)
            target = draft.table(source)
            with draft.inside(target):
                reached = _matches(draft, inner, target, tuple(below), value)
            conditions = (join(row, target, draft.terms), (policy or source.policy)(target, draft.terms), reached)
            return draft.scalar(literal(1), target, *conditions).is_not(None)
    raise TypeError(f"{type_name}.{name} is no part of a key")
