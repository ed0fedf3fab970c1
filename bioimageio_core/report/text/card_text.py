"""A card as text."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator

from ...option_spelling import spelt
from ..cards.model_card import ModelCard, WeightsCard
from ..cards.network_table import NETWORK_HEADER, network_rows
from ..cards.resource_card import ResourceCard, Section
from ..cards.tensor_card import AxisCard, OpCard, TensorCard
from ..plain_text import bytes_in_words, in_one_line, table

__all__ = ["card_text"]

WIDTH = 100
"""Columns at which running text is wrapped."""

MANY_CHANNELS = 8
"""If there are more channels than this, some names are left out."""


def card_text(card: ResourceCard) -> str:
    """Return a card for people."""
    lines = [in_one_line(card.name), *_wrapped(card.description, "  "), ""]
    lines += _facts(card)
    if isinstance(card, ModelCard):
        lines += _model(card)
    for section in card.sections:
        lines += ["", section.title.lower(), *_section(section)]
    if card.issues:
        lines += ["", "issues found by validation"]
        lines += _indented(table([(i.severity, i.path or "(whole)", in_one_line(i.message)) for i in card.issues]), "  ")
    return "\n".join(lines)


def _facts(card: ResourceCard) -> Iterator[str]:
    facts = [
        ("type", () if isinstance(card, ModelCard) else (card.type,)),
        ("source", (card.source,)),
        ("id", (card.id,)),
        ("version", (card.version,)),
        ("format", (card.format_version,)),
        ("authors", (", ".join(map(str, card.authors)),)),
        ("maintained", (", ".join(map(str, card.maintainers)),)),
        ("license", (card.license,)),
        ("cite", tuple(map(str, card.cite))),
        ("tags", (", ".join(card.tags),)),
        ("links", card.links),
        ("git", (card.git_repo,)),
        ("content", (card.content,)),
        ("parent", (card.parent,)),
        ("documents", (card.documentation,)),
        ("attached", (", ".join(card.attachments),)),
    ]
    if isinstance(card, ModelCard):
        facts.append(("run mode", (_op(card.run_mode) if card.run_mode else "one call of the network per block",)))
        facts.append(("last test", (card.last_test.in_words() if card.last_test else "not tested on this machine",)))
    for label, values in facts:
        yield from _labelled(label, values, 10)


def _labelled(label: str, values: Iterable[str | None], width: int) -> Iterator[str]:
    for number, value in enumerate(v for v in values if v):
        yield from _wrapped(value, f"  {in_one_line(label) if number == 0 else '':<{width}} ")


def _model(card: ModelCard) -> Iterator[str]:
    for title, tensors, ops in (("inputs", card.inputs, "preprocessing"), ("outputs", card.outputs, "postprocessing")):
        yield from ("", title)
        for tensor in tensors:
            yield from _tensor(tensor, ops)
    yield from ("", "weights")
    yield from _indented(table([_weights(w) for w in card.weights], ("format", "file", "size", "can be run here")), "  ")
    yield from ("", "network")
    if card.measured is None:
        yield (
            "  halo, sizes and stride have not been measured; "
            f"analyse_network() (bmz info {in_one_line(card.source)} --measure) measures them"
        )
        return
    yield f"  measured with {card.measured.adapter}"
    yield from _indented(table(network_rows(card.measured, card.outputs), NETWORK_HEADER), "  ")
    for shortfall in card.shortfalls:
        yield from _wrapped(shortfall.in_words(), "  warning: ")


def _section(section: Section) -> Iterator[str]:
    width = max((len(f.label) for f in section.facts), default=0)
    for fact in section.facts:
        yield from _labelled(fact.label, (fact.value,), width)
    for number, values in enumerate(section.tables):
        if number:
            yield ""
        yield f"  {in_one_line(values.title)}"
        width = max((len(f.label) for f in values.facts), default=0)
        for fact in values.facts:
            yield from _labelled(fact.label, (fact.value,), width)
        rows = [tuple(map(in_one_line, row)) for row in values.rows]
        yield from _indented(table(rows, tuple(map(in_one_line, values.header))), "    ")


def _wrapped(text: str, first: str) -> list[str]:
    width = max(WIDTH, len(first) + 20)
    line = spelt(in_one_line(text))
    wrapped = textwrap.wrap(line, width, initial_indent=first, subsequent_indent=" " * len(first), break_on_hyphens=False)
    return wrapped or ([first.rstrip()] if first.strip() else [])


def _indented(text: str, indent: str) -> list[str]:
    return [indent + line for line in text.splitlines()]


def _tensor(tensor: TensorCard, ops: str) -> Iterator[str]:
    optional = ", optional" if tensor.optional else ""
    values = f", {tensor.values}" if tensor.values else ""
    yield from _wrapped(f"{tensor.id}: {tensor.dtype}{values}{optional}" + (f" ({tensor.description})" if tensor.description else ""), "  ")
    header = ("axis", "size", "halo", "pixel", "channels")
    rows = [_axis(a) for a in tensor.axes]
    shown = [n for n in range(len(header)) if n < 2 or any(row[n] for row in rows)]
    yield from _indented(table([tuple(row[n] for n in shown) for row in rows], tuple(header[n] for n in shown)), "    ")
    for number, op in enumerate(tensor.ops):
        yield from _wrapped(_op(op), f"    {ops if number == 0 else '':<15} ")
    if tensor.result:
        yield from _wrapped(tensor.result, f"    {'result':<15} ")


def _op(op: OpCard) -> str:
    return op.in_words() + (f": {op.summary}" if op.summary else "")


def _axis(axis: AxisCard) -> tuple[str, ...]:
    names = [in_one_line(n) for n in axis.channel_names]
    channels = ", ".join(names if len(names) <= MANY_CHANNELS else [*names[: MANY_CHANNELS - 2], "...", names[-1]])
    pixel = f"{axis.scale:g} {axis.unit or ''}".strip() if axis.unit or axis.scale != 1 else ""
    return axis.id, axis.size_in_words(), str(axis.halo) if axis.halo else "", pixel, channels


def _weights(weights: WeightsCard) -> tuple[str, ...]:
    carries = "; contains a program" if weights.carries_code else ""
    runs = f"no: {weights.why_not}" if weights.why_not else f"yes, with {weights.adapter}"
    size = "not on this machine" if weights.size is None else bytes_in_words(weights.size)
    return weights.weights_format, in_one_line(weights.source), size, runs + carries
