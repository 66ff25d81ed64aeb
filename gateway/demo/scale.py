"""How large a demo is.

Promises: pure numbers; totals, which the estate shares out with skew.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from gateway.demo.source import Source


@dataclass(frozen=True, slots=True)
class Scale:
    """Totals over all sites. `whole_texts`: each regulation is one item, instead of as many items cut from them.

    A reaction that somebody gave already is not given again, so there are a few less of them on a small square.
    """

    name: str
    site_count: int
    account_count: int
    membership_count: int
    content_count: int
    comment_count: int
    reaction_count: int
    whole_texts: bool = False


SCALES = {
    each.name: each
    for each in (
        Scale("small", 12, 150, 420, 400, 1_200, 1_600),
        Scale("municipalities", 342, 12_000, 36_000, 2_698, 12_000, 20_000, whole_texts=True),
        # Pleio as it was in 2014.
        Scale("pleio", 800, 75_000, 250_000, 100_000, 300_000, 400_000),
    )
}


def fitted(scale: Scale, source: Source) -> Scale:
    """The scale for these texts: where each is one item, as many items and sites as texts and municipalities."""
    if not scale.whole_texts:
        return scale
    share = len(source.texts) / scale.content_count

    def part(count: int) -> int:
        return max(100, round(count * share))

    return replace(
        scale,
        site_count=len(source.municipalities),
        account_count=part(scale.account_count),
        membership_count=part(scale.membership_count),
        content_count=len(source.texts),
        comment_count=part(scale.comment_count),
        reaction_count=part(scale.reaction_count),
    )
