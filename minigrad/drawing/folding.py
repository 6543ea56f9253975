"""Smaller drawings: modules as one box, alike blocks as one × N. From records to records.

Calls of modules are what is folded, and a call lies between what comes before it and what comes
after, so a folded drawing has no circles where the graph had none.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import replace

from minigrad.drawing.graph import (
    LEAVES,
    RULE,
    Call,
    Edge,
    Picture,
    Quantity,
    Vertex,
    call,
    clusters,
)
from minigrad.drawing.quantities import number

FEWEST = 3  # blocks in a row that are drawn as one
ENDS = 12  # boxes at each end of what has no other way to fold
LONGEST = 8  # blocks that may repeat together, as Linear, BatchNorm and ReLU do

Item = tuple[Vertex, ...]  # a module's call, or an operation with what it alone reads


def fold(picture: Picture, depth: int | None, repeats: bool, max_nodes: int | None) -> Picture:
    """``picture`` folded as asked, and further until it has ``max_nodes`` boxes; it says so then.

    Parameters
    ----------
    depth
        How many levels of modules stand open; None for all.
    repeats
        Whether three and more blocks alike in a row become one.
    max_nodes
        The largest number of boxes; None for any number.
    """
    if depth is not None:
        picture = fold_modules(picture, depth)
    if repeats:
        picture = fold_repeats(picture)
    if max_nodes is None or len(picture.vertices) <= max_nodes:
        return picture
    whole = len(picture.vertices)
    foldings = _smaller(picture, max_nodes)
    smaller, how = next(pair for pair in foldings if len(pair[0].vertices) <= max_nodes)
    caption = (
        f"{whole:,} boxes are drawn as {len(smaller.vertices)}: {how}. "
        f"draw(…, max_nodes={whole}) opens them."
    )
    return replace(smaller, caption=" ".join(filter(None, (picture.caption, caption))))


def _smaller(picture: Picture, max_nodes: int) -> Iterator[tuple[Picture, str]]:
    """Foldings of ``picture``, the one that hides least first, and what each did."""
    alike = "blocks that are alike are one (× N)"
    folded, how = fold_repeats(picture), alike
    yield folded, how
    for depth in reversed(range(1, max(len(v.scope) for v in picture.vertices))):
        folded = fold_repeats(fold_modules(picture, depth))
        how = f"modules inside {depth} other{'s' * (depth > 1)} are one box, {alike}"
        yield folded, how
    ends = min((max_nodes - 1) // 2, ENDS)
    yield _fold_middle(folded, ends), f"{how}, and what lies between the ends is one box"


def fold_modules(picture: Picture, depth: int) -> Picture:
    """Every call of a module inside ``depth`` others as one box."""
    groups: dict[Call, list[Vertex]] = {}
    for vertex in picture.vertices:
        level = depth + vertex.backward  # the backward pass itself is no module
        if vertex.backward and vertex.scope[-1][0].startswith(RULE):  # a box at any depth
            level = min(level, len(vertex.scope) - 1)
        if len(vertex.scope) > level:
            groups.setdefault(call(vertex, level + 1), []).append(vertex)
    return _contracted(picture, list(groups.items()))


def _fold_middle(picture: Picture, ends: int) -> Picture:
    """All boxes but those at both ends as one, in the modules that are around all of them."""
    group = list(picture.vertices[ends:-ends])
    depth = min(len(v.scope) for v in group)
    while len({call(v, depth) for v in group}) > 1:
        depth -= 1
    scope, calls = call(group[0], depth)
    return _contracted(picture, [(((*scope, ("", "…")), (*calls, 0)), group)])


def box(key: Call, group: Sequence[Vertex], read: Container[str]) -> Vertex:
    """One box for ``group``: it shows the result, the last that is ``read``, and its size."""
    scope, calls = key
    name, sign = scope[-1]
    made = [v for v in group if v.kind in ("operation", "module", "gradient")]
    results = [v for v in made if v.id in read or v.root] or made or list(group)
    result = results[-1]
    gradients = [v.name for v in group if v.kind == "gradient" and v.root]
    if len(gradients) == 1:
        sign = f"{gradients[0]}: {sign}"
    weights = sum(math.prod(v.shape) for v in group if v.kind == "parameter")
    modules = sum(v.kind == "module" for v in made)
    parts = [
        (modules, "module"),
        (len(made) - modules, "operation"),
        (weights, "parameter"),
        (len(gradients) if len(gradients) > 1 else 0, "result"),
    ]
    return replace(
        result,
        kind="module",
        name=name,
        sign=sign,
        note=", ".join(f"{n:,} {what}{'s' * (n > 1)}" for n, what in parts if n),
        operation="",
        scope=scope[:-1],
        calls=calls[:-1],
        root=any(v.root for v in group),
    )


def _contracted(picture: Picture, groups: Sequence[tuple[Call, list[Vertex]]]) -> Picture:
    """``picture`` with each group of vertices as one box, where the last of the group stood."""
    owner = {vertex.id: number for number, (_, group) in enumerate(groups) for vertex in group}
    read = {e.source for e in picture.edges if owner.get(e.source) != owner.get(e.target)}
    boxes = [box(key, group, read) for key, group in groups]
    last = {group[-1].id: box for (_, group), box in zip(groups, boxes, strict=True)}
    vertices = [last.get(v.id, v) for v in picture.vertices if v.id in last or v.id not in owner]
    return _rebuilt(picture, vertices, {id_: boxes[number].id for id_, number in owner.items()})


def _rebuilt(picture: Picture, vertices: list[Vertex], place: Mapping[str, str]) -> Picture:
    """``picture`` with these vertices; edges are moved to where ``place`` says, each pair once."""
    by_id = {vertex.id: vertex for vertex in vertices}
    at = {vertex.id: float(index) for index, vertex in enumerate(vertices)}
    edges: dict[tuple[str, str, str], Edge] = {}
    for edge in picture.edges:
        source, target = place.get(edge.source, edge.source), place.get(edge.target, edge.target)
        if by_id[source].kind in LEAVES and edge.source not in place:
            at[source] = min(at[source], at[target] - 0.5)  # data that a later one of N reads
        if at[source] >= at[target]:  # inside a box, or from one of N alike to the next
            continue
        # Where inner arguments meet in one box, their names say nothing.
        merged = edge.target in place and by_id[target].kind == "module"
        moved = replace(
            edge, source=source, target=target, argument="x" if merged else edge.argument
        )
        key = (source, target, moved.argument)
        if key not in edges or moved.factor:
            edges[key] = moved
    vertices = sorted(vertices, key=lambda vertex: at[vertex.id])
    return replace(
        picture, vertices=tuple(vertices), edges=tuple(edges.values()), top=clusters(vertices)
    )


def fold_repeats(picture: Picture) -> Picture:
    """Blocks that are alike and follow each other as one, marked × N, at every depth."""
    depth = 0
    while depth <= max(len(vertex.scope) for vertex in picture.vertices):
        picture = _fold_repeats_at(picture, depth)
        depth += 1
    return picture


def _fold_repeats_at(picture: Picture, depth: int) -> Picture:
    """The same among what is directly inside modules of this depth."""
    sources: dict[str, list[Edge]] = {}
    for edge in picture.edges:
        sources.setdefault(edge.target, []).append(edge)
    place: dict[str, str] = {}
    drawn: dict[str, Vertex | None] = {}
    for items in _items(picture, depth):
        numbers: dict[object, int] = {}
        looks = [numbers.setdefault(_look(item, depth, sources), len(numbers)) for item in items]
        for start, period, times in _runs(looks):
            copies = [
                [v for item in items[i : i + period] for v in item]
                for i in range(start, start + period * times, period)
            ]
            first, last = items[start], items[start + period * times - 1]
            for original, *others in zip(*copies, strict=True):
                drawn |= dict.fromkeys([v.id for v in others])
                place |= dict.fromkeys([v.id for v in others], original.id)
                numbered = _numbered(original, others)
                drawn[original.id] = _marked(numbered, depth, (start, period, times), first, last)
    if not drawn:
        return picture
    vertices = [drawn.get(v.id, v) for v in picture.vertices]
    return _rebuilt(picture, [v for v in vertices if v is not None], place)


def _items(picture: Picture, depth: int) -> Iterator[list[Item]]:
    """For each call of a module of this depth, what is directly inside it, in order.

    Leaves go with the one operation that reads them; others stay where they are.
    """
    by_id = {vertex.id: vertex for vertex in picture.vertices}
    readers = Counter(edge.source for edge in picture.edges if edge.argument)
    owner: dict[str, str] = {}
    for edge in picture.edges:
        source, target = by_id[edge.source], by_id[edge.target]
        if not edge.argument:  # a further output goes with its operation
            owner[target.id] = owner.get(source.id, source.id)
        elif source.kind in LEAVES and readers[source.id] == 1:
            owner[source.id] = target.id
    inside: dict[Call, dict[object, list[Vertex]]] = {}
    for vertex in picture.vertices:
        if len(vertex.scope) < depth:
            continue
        items = inside.setdefault(call(vertex, depth), {})
        if len(vertex.scope) > depth:
            items.setdefault(call(vertex, depth + 1), []).append(vertex)
            continue
        chief = by_id[owner.get(vertex.id, vertex.id)]
        if chief.kind not in LEAVES and chief.scope == vertex.scope:
            items.setdefault(chief.id, []).append(vertex)
    for items in inside.values():
        yield [tuple(item) for item in items.values()]


def _look(item: Item, depth: int, sources: Mapping[str, list[Edge]]) -> object:
    """What two blocks that are alike have in common: all but their names and numbers."""
    at = {vertex.id: index for index, vertex in enumerate(item)}
    return tuple(
        (
            tuple(kind for _, kind in v.scope[depth : depth + 1]),
            v.scope[depth + 1 :],
            v.calls[depth + 1 :],
            (v.kind, v.sign, v.note, v.operation, v.shape, v.dtype, v.root),
            tuple((at.get(e.source, -1), e.argument, e.cut) for e in sources.get(v.id, ())),
        )
        for v in item
    )


def _runs(looks: Sequence[int]) -> Iterator[tuple[int, int, int]]:
    """(start, period, times) of what repeats, each as long as can be, from left to right."""
    start = 0
    while start < len(looks):
        best = (1, 1)
        for period in range(1, min(LONGEST, (len(looks) - start) // FEWEST) + 1):
            once, times = looks[start : start + period], 1
            while looks[start + times * period : start + (times + 1) * period] == once:
                times += 1
            if times >= FEWEST and times * period > math.prod(best):
                best = (period, times)
        if best != (1, 1):
            yield start, *best
        start += math.prod(best)


def _marked(
    vertex: Vertex, depth: int, run: tuple[int, int, int], first: Item, last: Item
) -> Vertex:
    """The one that is drawn, told to stand for all: in its module's title, or around it."""
    start, period, times = run
    names = [item[0].scope[depth][0] for item in (first, last) if len(item[0].scope) > depth]
    span = " … ".join(dict.fromkeys(names)) if len(names) > 1 else ""
    scope, calls = vertex.scope, vertex.calls
    if period == 1 and len(scope) > depth:
        entry = (span, f"{scope[depth][1]} × {times}")
        return replace(vertex, scope=(*scope[:depth], entry, *scope[depth + 1 :]))
    if period == len(first) == 1 and vertex.kind == "module":
        span = " … ".join(dict.fromkeys((first[0].name, last[0].name)))
        return replace(vertex, name=span, sign=f"{vertex.sign} × {times}")
    if period == len(first) == 1:
        return replace(vertex, note=" ".join(filter(None, (vertex.note, f"{times} times"))))
    # Two runs in one module must not meet in one cluster: where they start tells them apart.
    return replace(
        vertex,
        scope=(*scope[:depth], (span, f"× {times}"), *scope[depth:]),
        calls=(*calls[:depth], start, *calls[depth:]),
    )


def _numbered(vertex: Vertex, others: Sequence[Vertex]) -> Vertex:
    """``vertex`` with what can be said of N numbers: how large the first and the last are."""
    alike = (vertex, *others)
    return replace(
        vertex,
        value=_spanned([v.value for v in alike]),
        grad=_spanned([v.grad for v in alike]),
    )


def _spanned(given: Sequence[Quantity | None]) -> Quantity | None:
    first, last = given[0], given[-1]
    if first is None or last is None or first.rms is None or last.rms is None:
        return first if first and first.state not in ("computed", "now", "stale") else None
    known = [q.rms for q in given if q is not None and q.rms]
    middle = math.exp(sum(map(math.log, known)) / len(known)) if known else 0.0
    text = f"size {number(first.rms, 2)} … {number(last.rms, 2)}"
    return Quantity("computed", text, "root mean square, of the first … of the last", middle)
