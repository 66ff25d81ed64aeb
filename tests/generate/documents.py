"""Valid documents over the whole schema, drawn from the schema itself: a new field is asked for as soon as it exists.

Promises: every document is valid, bounded in depth and size, and uses what the language has: aliases, merged fields,
fragments (named, inline, on interfaces and unions, inside each other), conditions, literals, variables with and without
defaults. Response keys are given out so that no two fields in conflict can meet under one.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from graphql import (
    GraphQLArgument,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLList,
    GraphQLNamedType,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLUnionType,
    get_named_type,
    get_nullable_type,
    is_leaf_type,
)
from hypothesis import strategies as st

from tests.generate.values import Drawn, Pools, Values

DEPTH_MOST = 9
PARTS_MOST = 70
"""After so many fields and fragments, no further branches."""

CONNECTIONS_MOST = 3
"""How many lists may hang in each other; from the second on, pages are small."""

TAGS = {"Site": "S", "Group": "G", "Member": "M", "Comment": "K", "Content": "C"}
FRESH_KEYS = ("a", "b", "title", "id", "node", "_x1")


@dataclass(frozen=True)
class Request:
    """A document with the variables sent along, and those of another call of the same document."""

    text: str
    variables: dict[str, Any]
    others: dict[str, Any]


@dataclass
class Fragment:
    """A named fragment: the type it is on, and how deep it goes."""

    name: str
    type: GraphQLNamedType
    depth: int
    connections: int
    text: str


@dataclass
class Author:
    """Writes one document."""

    draw: Drawn
    schema: GraphQLSchema
    values: Values
    declared: dict[str, str] = field(default_factory=dict)
    given: dict[str, Any] = field(default_factory=dict)
    others: dict[str, Any] = field(default_factory=dict)
    fragments: list[Fragment] = field(default_factory=list)
    keys: dict[str, tuple[str, str, str]] = field(default_factory=dict)
    room: int = PARTS_MOST
    later: bool = False
    """Whether fragments may be deferred, and lists streamed."""

    labels: int = 0

    def document(self) -> Request:
        """A whole operation."""
        root = self.schema.query_type
        assert root is not None
        body = self.selection(root, DEPTH_MOST, 0, least=1)
        declared = ", ".join(f"${name}: {text}" for name, text in self.declared.items())
        head = f"query Q({declared})" if declared else self.draw(st.sampled_from(["", "query", "query Q"]))
        fragments = "".join(f"\nfragment {each.name} on {each.type.name} {each.text}" for each in self.fragments)
        return Request(f"{head} {body}{fragments}", self.given, self.given | self.others)

    def selection(self, type_: GraphQLNamedType, depth: int, connections: int, least: int = 1) -> str:
        """A selection set on a type."""
        most = 4 if self.room > 0 else least
        parts = [self.part(type_, depth, connections) for _ in range(self.draw(st.integers(least, most)))]
        return "{ " + " ".join(parts) + " }"

    def part(self, type_: GraphQLNamedType, depth: int, connections: int) -> str:
        """A field, an inline fragment or a spread."""
        self.room -= 1
        choice = self.draw(st.integers(0, 11)) if self.room > 0 else 11
        if choice == 0:
            return f"{self.draw(st.sampled_from(['', '', 't: ', '_t: ']))}__typename{self.condition()}"
        if choice <= 2 and depth > 1:
            return self.inline(type_, depth, connections)
        if choice == 3 and depth > 2:
            return self.spread(type_, depth, connections)
        fields = self.possible_fields(type_, depth, connections)
        if not fields:
            return "__typename" if depth <= 1 or self.room <= 0 else self.inline(type_, depth, connections)
        name = self.draw(st.sampled_from(fields))
        return self.field(type_, name, depth, connections)

    def possible_fields(self, type_: GraphQLNamedType, depth: int, connections: int) -> list[str]:
        """The fields for which there is room; those with more below them come up more often."""
        found = []
        for name, each in getattr(type_, "fields", {}).items():
            named = get_named_type(each.type)
            if is_leaf_type(named):
                found.append(name)
            elif (
                self.room > 0
                and depth > (3 if "first" in each.args else 1)
                and (connections < CONNECTIONS_MOST or "first" not in each.args)
            ):
                found += [name] * (1 if named.name == "PageInfo" else 3)
        return found

    def field(self, type_: GraphQLNamedType, name: str, depth: int, connections: int) -> str:
        """A field with its arguments, and what is selected under it."""
        definition: GraphQLField = type_.fields[name]  # type: ignore[union-attr]
        is_list = "first" in definition.args
        deep = connections >= 1
        arguments = self.arguments(type_, name, definition, deep=deep, is_list=is_list)
        streamed = self.streamed(definition)
        key = self.key(name, arguments + streamed, str(definition.type))
        condition = self.condition() + streamed
        named = get_named_type(definition.type)
        below = ""
        if not is_leaf_type(named):
            below = " " + self.selection(named, depth - 1, connections + is_list)
        return f"{key}{arguments}{condition}{below}"

    def key(self, name: str, arguments: str, type_: str) -> str:
        """The field under a response key that means only this, wherever it stands."""
        meaning = (name, arguments, type_)
        first = self.draw(st.sampled_from((name, name, name, *FRESH_KEYS)))
        for key in (first, name, *FRESH_KEYS, *(f"k{number}" for number in range(500))):
            if self.keys.setdefault(key, meaning) == meaning:
                return name if key == name else f"{key}: {name}"
        raise AssertionError("no key is left")

    def inline(self, type_: GraphQLNamedType, depth: int, connections: int) -> str:
        """An inline fragment, with or without a type."""
        if self.draw(st.integers(0, 4)) == 0:
            return f"...{self.condition()}{self.deferred()} {self.selection(type_, depth - 1, connections)}"
        on = self.draw(st.sampled_from(self.overlapping(type_)))
        return f"... on {on.name}{self.condition()}{self.deferred()} {self.selection(on, depth - 1, connections)}"

    def spread(self, type_: GraphQLNamedType, depth: int, connections: int) -> str:
        """A named fragment, a known one or a new one."""
        overlapping = self.overlapping(type_)
        known = [
            each
            for each in self.fragments
            if each.type in overlapping and each.depth < depth and each.connections >= connections
        ]
        if known and self.draw(st.booleans()):
            return f"...{self.draw(st.sampled_from(known)).name}{self.condition()}{self.deferred()}"
        on = self.draw(st.sampled_from(overlapping))
        text = self.selection(on, depth - 1, connections)
        made = Fragment(f"F{len(self.fragments)}", on, depth - 1, connections, text)
        self.fragments.append(made)
        return f"...{made.name}{self.condition()}{self.deferred()}"

    def overlapping(self, type_: GraphQLNamedType) -> list[GraphQLNamedType]:
        """The types that a fragment under this one may be on, the more telling ones more often."""
        own = self.possible(type_)
        found = [type_]
        for each in self.schema.type_map.values():
            if not each.name.startswith("__") and each is not type_ and self.possible(each) & own:
                found.append(each)
        return sorted(found, key=lambda each: each.name)

    def possible(self, type_: GraphQLNamedType) -> set[str]:
        """The names of the object types that a value of this type may have."""
        if isinstance(type_, GraphQLObjectType):
            return {type_.name}
        if isinstance(type_, GraphQLUnionType) or hasattr(type_, "interfaces"):
            return {each.name for each in self.schema.get_possible_types(type_)}  # type: ignore[arg-type]
        return set()

    def condition(self) -> str:
        """Nothing, mostly; or @skip, @include, or both, by a literal or a variable."""
        if self.draw(st.integers(0, 9)):
            return ""
        boolean = get_named_type(self.schema.directives[0].args["if"].type)
        names = self.draw(st.sampled_from([("skip",), ("include",), ("skip", "include")]))
        return "".join(f" @{name}(if: {self.expression(GraphQLNonNull(boolean), 'if', '', False)})" for name in names)

    def deferred(self) -> str:
        """Nothing, or `@defer`, perhaps with a label or a condition."""
        if not self.later or self.draw(st.integers(0, 2)) == 0:
            return ""
        return f" @defer{self.when_later()}"

    def streamed(self, definition: GraphQLField) -> str:
        """Nothing, or `@stream` on a list; always with a label, so that no two fields with it can be merged."""
        is_list = isinstance(get_nullable_type(definition.type), GraphQLList)
        if not self.later or not is_list or self.draw(st.integers(0, 2)) == 0:
            return ""
        count = self.draw(st.sampled_from(["", ", initialCount: 0", ", initialCount: 1", ", initialCount: 3"]))
        return f" @stream{self.when_later(count, labelled=True)}"

    def when_later(self, more: str = "", *, labelled: bool = False) -> str:
        """The arguments of one of the two."""
        self.labels += 1
        label = f'label: "l{self.labels}"' if labelled or self.draw(st.booleans()) else ""
        boolean = GraphQLNonNull(get_named_type(self.schema.directives[0].args["if"].type))
        condition = "" if self.draw(st.integers(0, 3)) else f" if: {self.expression(boolean, 'if', '', False)}"
        arguments = f"{label}{condition}{more}".strip(" ,")
        return f"({arguments})" if arguments else ""

    def arguments(
        self, type_: GraphQLNamedType, name: str, definition: GraphQLField, *, deep: bool, is_list: bool
    ) -> str:
        """The arguments of a field, as text; small pages where lists hang in each other."""
        owner = "C" if type_.name in {"Content"} | self.kinds else TAGS.get(type_.name, type_.name)
        wanted = {each for each, argument in definition.args.items() if isinstance(argument.type, GraphQLNonNull)}
        optional = sorted(set(definition.args) - wanted)
        if optional and self.draw(st.integers(0, 3)):
            wanted |= set(self.draw(st.lists(st.sampled_from(optional), unique=True, max_size=3)))
        if is_list and deep and not wanted & {"first", "last"}:
            wanted.add(self.draw(st.sampled_from(["first", "first", "last"])))
        texts = [
            f"{each}: {self.argument(definition.args[each], each, f'{owner}.{name}', deep)}"
            for each in definition.args
            if each in wanted
        ]
        return f"({', '.join(texts)})" if texts else ""

    @property
    def kinds(self) -> set[str]:
        """The types that are kinds of content."""
        return self.possible(self.schema.type_map["Content"])

    def argument(self, argument: GraphQLArgument, name: str, list_name: str, deep: bool) -> str:
        """The value of an argument."""
        type_: GraphQLInputType = argument.type
        if deep and name in ("first", "last") and not isinstance(type_, GraphQLNonNull):
            type_ = GraphQLNonNull(type_)  # a null would mean a page of the ordinary size
        return self.expression(type_, name, list_name, deep)

    def expression(self, type_: GraphQLInputType, name: str, list_name: str, deep: bool) -> str:
        """A literal, a variable, or a literal with variables in it."""
        way = self.draw(st.integers(0, 5))
        if way <= 1:
            return self.variable(
                type_, self.values.value(self.draw, type_, name, list_name, deep), name, list_name, deep
            )
        bare = get_nullable_type(type_)
        value = self.values.value(self.draw, type_, name, list_name, deep)
        if way == 2 and isinstance(bare, GraphQLInputObjectType) and value:
            fields = (f"{each}: {self.expression(bare.fields[each].type, each, list_name, deep)}" for each in value)
            return "{" + ", ".join(fields) + "}"
        if way == 2 and isinstance(bare, GraphQLList) and value:
            needed = GraphQLNonNull(get_nullable_type(bare.of_type))
            return "[" + ", ".join(self.expression(needed, name, list_name, deep) for _ in value) + "]"
        return literal(value, type_)

    def variable(self, type_: GraphQLInputType, value: Any, name: str, list_name: str, deep: bool) -> str:
        """A new variable with this value: sent, or as its default, or (where null is allowed) not at all."""
        made = f"v{len(self.declared)}"
        required = isinstance(type_, GraphQLNonNull)
        way = self.draw(st.integers(0, 4))
        text = str(type_)
        if way == 0:
            text += f" = {literal(value, type_)}"
        elif way == 1 and value is not None:
            other = self.values.value(self.draw, GraphQLNonNull(get_nullable_type(type_)), name, list_name, deep)
            text += f" = {literal(other, type_)}"
            self.given[made] = value
        elif way == 2 and not required:
            if self.draw(st.booleans()):
                self.given[made] = None
        else:
            text = text if required or value is None or self.draw(st.booleans()) else f"{text}!"
            self.given[made] = value
        self.declared[made] = text
        if self.given.get(made) is not None and self.draw(st.booleans()):
            needed = GraphQLNonNull(get_nullable_type(type_))
            self.others[made] = self.values.value(self.draw, needed, name, list_name, deep)
        return f"${made}"


def literal(value: Any, type_: GraphQLInputType) -> str:
    """A JSON value as GraphQL writes it: enums bare, keys unquoted."""
    bare = get_nullable_type(type_)
    if value is None:
        return "null"
    if isinstance(bare, GraphQLList):
        return "[" + ", ".join(literal(item, bare.of_type) for item in value) + "]"
    if isinstance(bare, GraphQLInputObjectType):
        return "{" + ", ".join(f"{name}: {literal(item, bare.fields[name].type)}" for name, item in value.items()) + "}"
    if hasattr(bare, "values"):
        return str(value)
    return anything(value)


def anything(value: Any) -> str:
    """A JSON value as GraphQL writes it for a scalar that may hold whatever there is."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{name}: {anything(item)}" for name, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(anything, value)) + "]"
    return json.dumps(value, ensure_ascii=False)


def requests(schema: GraphQLSchema, pools: Pools, *, later: bool = False) -> st.SearchStrategy[Request]:
    """Documents over the whole of `Query`; with `later`, fragments may be deferred and lists streamed."""
    values = Values(pools)

    @st.composite
    def request(draw: Drawn) -> Request:
        return Author(draw, schema, values, later=later).document()

    return request()


def coordinates(schema: GraphQLSchema, document: Any) -> Iterator[str]:
    """The fields that a document asks for, as `Type.field`."""
    from graphql import TypeInfo, TypeInfoVisitor, Visitor, visit  # noqa: PLC0415

    found: list[str] = []
    info = TypeInfo(schema)

    class Gather(Visitor):
        def enter_field(self, node: Any, *_: Any) -> None:
            parent = info.get_parent_type()
            found.append(f"{parent.name if parent else '?'}.{node.name.value}")

    visit(document, TypeInfoVisitor(info, Gather()))
    yield from found
