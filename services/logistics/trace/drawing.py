"""A trace as a picture (SVG) for people: goods flow from left to right, what happened before stands left of what came of it.

Things that are alike (same role, level, kind and neighbours) are drawn as one box with their number, and beyond the limits
what is left out is said. Text is escaped and cut to the width of its box, nothing is linked or scripted; title and description
say what there is to see, and what an arrow means stands in a legend as well as in its colour (WCAG 2.2, 1.1.1 and 1.4.1).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from unicodedata import east_asian_width
from xml.sax.saxutils import escape

import msgspec

from services.logistics.trace.graph import Step
from services.logistics.trace.places import Place
from services.logistics.trace.tracing import Trace, Traced

MOST_BOXES, FEW_BOXES = 120, 40
_WIDTH, _HEIGHT, _GAP, _RANK = 236, 62, 18, 320
_MARGIN, _TOP, _LEAST_WIDTH = 24, 84, 960
_LETTERS, _TITLE_LETTERS = 28, 80
"""So many Latin letters fit into a box, and into the heading of the narrowest picture, in the widest of the usual fonts."""
_SHORT_BEND, _LIFT = 40, 54
_SWEEPS, _ROUNDS = 4, 3
_WORDS = {
    "made_into": "made into",
    "lot_of": "lot of",
    "inside": "inside",
    "attached": "attached to",
    "under": "covers",
}
_FILL = {
    "root": "#fff3cd",
    "product": "#e7f1ff",
    "run": "#f1f3f5",
    "carrier": "#e9f7ef",
    "host": "#f8e8ff",
    "fitting": "#f8e8ff",
}
_STYLE = (
    "text{font:12px system-ui,sans-serif;fill:#1c1e21}.h{font-weight:600;font-size:16px}.s{fill:#52575c;font-size:11px}"
    ".b{stroke:#6c757d}.made_into{stroke:#1b6ec2}.lot_of{stroke:#7048a8}.inside{stroke:#2b8a3e;stroke-dasharray:6 3}"
    ".attached{stroke:#9c36b5;stroke-dasharray:2 3}.under{stroke:#495057;stroke-dasharray:1 3}path{fill:none;stroke-width:1.4}"
)


class Box(msgspec.Struct):
    """One thing, or several that are alike, at a place in the picture."""

    nodes: list[Traced]
    rank: int
    row: float = 0.0

    @property
    def x(self) -> float:
        """Its left edge; ranks are numbered from 0."""
        return _MARGIN + self.rank * _RANK

    @property
    def y(self) -> float:
        """Its upper edge."""
        return _TOP + self.row * (_HEIGHT + _GAP)


def draw_trace(trace: Trace) -> str:
    """The picture as an SVG document, one line for each box and each arrow."""
    boxes, arrows = _lay_out(trace)
    left_out = len(trace.nodes) - sum(len(box.nodes) for box in boxes)
    width = max(_LEAST_WIDTH, _MARGIN * 2 + _WIDTH + max((box.rank for box in boxes), default=0) * _RANK)
    height = _TOP + _MARGIN + max((box.row + 1 for box in boxes), default=0) * (_HEIGHT + _GAP)
    title = _write_title(trace) if boxes else "An empty trace"
    said = _describe(trace, left_out)
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" width="{width:.0f}" '
        f'height="{height:.0f}" role="img" aria-labelledby="t d"><title id="t">{escape(title)}</title>'
        f'<desc id="d">{escape(said)}</desc><style>{_STYLE}</style>'
        '<defs><marker id="a" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
        '<path d="M0 0L8 4L0 8z" style="fill:#495057"/></marker></defs><rect width="100%" height="100%" fill="#fff"/>'
        f'<text class="h" x="{_MARGIN}" y="28">{escape(title)}</text><text class="s" x="{_MARGIN}" y="46">{escape(said)}</text>',
        *_draw_legend({relation for _, _, relation in arrows}),
        *(_draw_arrow(*arrow) for arrow in arrows),
        *(_draw_box(box, trace.places) for box in boxes),
    ]
    return "\n".join([*lines, "</svg>"] if boxes else ["".join(lines) + "</svg>"])


def _lay_out(trace: Trace) -> tuple[list[Box], list[tuple[Box, Box, str]]]:
    boxes = _gather(trace)
    box_of = {node.id: box for box in boxes for node in box.nodes}
    arrows: dict[tuple[int, int, str], tuple[Box, Box, str]] = {}
    for step in trace.steps:
        source, target = box_of.get(step.source), box_of.get(step.target)
        if source is not None and target is not None and source is not target:
            arrows[id(source), id(target), step.relation] = (source, target, step.relation)
    found = list(arrows.values())
    _order(boxes, found)
    return boxes, found


def _gather(trace: Trace) -> list[Box]:
    """Boxes of what is alike, nearest to what was asked first, at most ``MOST_BOXES``; ranks begin at 0.

    Alike is first what has the very same neighbours; where that leaves too many boxes, what has neighbours of the same kinds.
    """
    beside: dict[str, set[tuple[str, str, bool]]] = defaultdict(set)
    for step in trace.steps:
        beside[step.source].add((step.target, step.relation, True))
        beside[step.target].add((step.source, step.relation, False))
    ranks = _rank(trace.nodes, trace.steps)
    plain: dict[str, object] = {
        node.id: (node.role, ranks[node.id], node.kind, node.id if node.role == "root" else "") for node in trace.nodes
    }
    groups = _group(trace.nodes, {node.id: (plain[node.id], frozenset(beside[node.id])) for node in trace.nodes})
    if len(groups) > FEW_BOXES:
        groups = _group(trace.nodes, _refine(plain, beside))
    groups.sort(key=lambda nodes: (abs(nodes[0].level), nodes[0].role != "root", nodes[0].id))
    kept = groups[:MOST_BOXES]
    first = min((ranks[nodes[0].id] for nodes in kept), default=0)
    return [Box(nodes, ranks[nodes[0].id] - first) for nodes in kept]


def _group(nodes: Iterable[Traced], marks: dict[str, object]) -> list[list[Traced]]:
    alike: dict[object, list[Traced]] = defaultdict(list)
    for node in nodes:
        alike[marks[node.id]].append(node)
    return list(alike.values())


def _refine(marks: dict[str, object], beside: dict[str, set[tuple[str, str, bool]]]) -> dict[str, object]:
    """Marks by the marks of the neighbours, and theirs in turn (colour refinement), as small numbers."""
    for _ in range(_ROUNDS):
        told = {
            id: (
                mark,
                frozenset((marks[other], relation, out) for other, relation, out in beside[id] if other in marks),
            )
            for id, mark in marks.items()
        }
        numbers: dict[object, int] = {}
        marks = {id: numbers.setdefault(mark, len(numbers)) for id, mark in told.items()}
    return marks


def _rank(nodes: Sequence[Traced], steps: Iterable[Step]) -> dict[str, int]:
    """A column for each node: behind all that flows into it, as far as there are no circles; where nothing does, such as a paper or
    a seal, right before what it belongs to.
    """
    into: dict[str, list[str]] = defaultdict(list)
    out: dict[str, list[str]] = defaultdict(list)
    for step in steps:
        into[step.target].append(step.source)
        out[step.source].append(step.target)
    ranks = {node.id: 0 for node in nodes}
    for _ in range(min(len(nodes), 40)):
        moved = False
        for node in nodes:
            wanted = 1 + max((ranks[one] for one in into[node.id] if one in ranks and one != node.id), default=-1)
            if ranks[node.id] < wanted <= 40:
                ranks[node.id], moved = wanted, True
        if not moved:
            break
    behind = {id: min((ranks[one] for one in out[id] if one in ranks), default=0) for id in ranks if not into[id]}
    return ranks | {id: rank - 1 for id, rank in behind.items() if rank > 0}


def _order(boxes: list[Box], arrows: list[tuple[Box, Box, str]]) -> None:
    """Puts each column in the order of the middle of its neighbours, to and fro (Sugiyama's barycentre rule)."""
    columns: dict[int, list[Box]] = defaultdict(list)
    for box in boxes:
        columns[box.rank].append(box)
    beside: dict[int, list[Box]] = defaultdict(list)
    for source, target, _ in arrows:
        beside[id(source)].append(target)
        beside[id(target)].append(source)
    for sweep in range(_SWEEPS):
        for rank in sorted(columns, reverse=bool(sweep % 2)):
            columns[rank].sort(key=lambda box: _middle(box, beside[id(box)]))
            for row, box in enumerate(columns[rank]):
                box.row = float(row)
    tallest = max((len(column) for column in columns.values()), default=0)
    for column in columns.values():
        for box in column:
            box.row += (tallest - len(column)) / 2


def _middle(box: Box, beside: list[Box]) -> float:
    return sum(one.row for one in beside) / len(beside) if beside else box.row


def _write_title(trace: Trace) -> str:
    """What was asked about: the first of it, where it goes by many names, and how many more there are."""
    first, *more = [node.label for node in trace.nodes if node.role == "root"] or [node.label for node in trace.nodes]
    return _short(f"Trace of {_short(first, 58)}" + (f" and {len(more)} more" if more else ""), _TITLE_LETTERS)


def _draw_legend(relations: set[str]) -> Iterable[str]:
    """A sample of each kind of arrow in the picture, with its word."""
    for place, (relation, word) in enumerate(pair for pair in _WORDS.items() if pair[0] in relations):
        x = _MARGIN + place * 160
        yield (
            f'<path class="{relation}" marker-end="url(#a)" d="M{x} 63H{x + 44}"/>'
            f'<text class="s" x="{x + 52}" y="67">{word}</text>'
        )


def _draw_box(box: Box, places: Mapping[str, Place]) -> str:
    node = box.nodes[0]
    label = node.label if len(box.nodes) == 1 else f"{len(box.nodes)} × {node.kind.replace('_', ' ')}"
    place = _name_place(node.seen.place, places) if node.seen and node.seen.place else ""
    when = node.seen.at.strftime("%Y-%m-%d %H:%M") if node.seen else ""
    second = node.label if len(box.nodes) > 1 else place
    texts = ((18, "", label), (36, ' class="s"', second), (52, ' class="s"', f"{node.role} {when}".strip()))
    told = "".join(
        f'<text{style} x="{box.x + 9:.0f}" y="{box.y + down:.0f}">{escape(_short(text, _LETTERS))}</text>'
        for down, style, text in texts
        if text
    )
    names = escape(_short(", ".join(one.label for one in box.nodes[:20]), 600))
    return (
        f'<g><title>{names}</title><rect class="b" x="{box.x:.0f}" y="{box.y:.0f}" width="{_WIDTH}" height="{_HEIGHT}" '
        f'rx="7" fill="{_FILL.get(node.role, "#fff")}"/>{told}</g>'
    )


def _name_place(id: str, places: Mapping[str, Place]) -> str:
    """A place as people call it, else the end of its name."""
    known = places.get(id)
    return (known.name or known.city if known else None) or id.rpartition("/")[2]


def _draw_arrow(source: Box, target: Box, relation: str) -> str:
    x1, y1 = source.x + _WIDTH, source.y + _HEIGHT / 2
    x2, y2 = target.x, target.y + _HEIGHT / 2
    # Past boxes of its own row it goes through the gap above them: behind them it would look like theirs.
    is_long = target.rank - source.rank > 1 and abs(source.row - target.row) < 1
    bend, lift = (_SHORT_BEND, _LIFT) if is_long else (max(_SHORT_BEND, abs(x2 - x1) / 2), 0)
    return (
        f'<path class="{relation}" marker-end="url(#a)" '
        f'd="M{x1:.0f} {y1:.0f}C{x1 + bend:.0f} {y1 - lift:.0f} {x2 - bend:.0f} {y2 - lift:.0f} {x2:.0f} {y2:.0f}"/>'
    )


def _describe(trace: Trace, left_out: int) -> str:
    counts = Counter(str(node.role) for node in trace.nodes)
    things = counts["root"] + counts["product"]
    made = f"{things} things and lots, {counts['run']} transformations, {counts['carrier']} carriers"
    said = f"{made}, {len(trace.steps)} links."
    if left_out:
        said += f" {left_out} are not drawn."
    return said if trace.is_whole else said + " The trace goes on beyond its limits."


def _short(text: str, most: int) -> str:
    """A text that fits: its end is what tells names apart. A Chinese letter is as wide as two Latin ones."""
    clean = "".join(letter if letter.isprintable() else "?" for letter in text)
    if _wide(clean) <= most:
        return clean
    start, room = len(clean), most - 1
    while room >= _wide(clean[start - 1]):
        start -= 1
        room -= _wide(clean[start])
    return "…" + clean[start:]


def _wide(text: str) -> int:
    return sum(2 if east_asian_width(letter) in "WF" else 1 for letter in text)
