"""Entrywise: rules that treat each entry by itself, and so can take many parameters at once.

A rule is up to a dozen calls of NumPy, and a call takes as long as some thousand entries do. So
small parameters move together, as one array of a few thousand entries. Large ones move some rows
at a time, so that from call to call the numbers stay in the processor's cache. The parameters stay
where they are: their gradients are joined, and what the rule takes from them is handed out again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import accumulate
from typing import Any

import numpy as np

from minigrad import backend
from minigrad.backend import namespace
from minigrad.memory import Write, owner, wrote
from minigrad.optim.optimizer import Optimizer
from minigrad.tensor import Tensor

SMALL = 2**12  # entries: to join more would save less time, and take more memory
BLOCK = 2**18  # entries: of float32, a megabyte in each of a rule's arrays

State = dict[str, Any]  # arrays with an entry for each of the parameter's, and numbers


class Entrywise(Optimizer):
    """Base class of rules p ← p − change(g), entry by entry; a subclass writes ``_change``.

    g is the gradient, or −g with ``maximize``. ``weight_decay`` adds weight_decay·p to it; with
    ``decoupled_weight_decay`` it shrinks p itself instead, by 1 − lr·weight_decay.
    """

    _blocks: list[list[Block]]  # by group; between steps, the state is theirs
    _layout: _Layout | None  # what they were made for

    def _change(self, g: Any, state: State, group: dict[str, Any]) -> Any:
        """What to take from the entries with gradient ``g``, which is not to be written to."""
        raise NotImplementedError

    def _joins(self, group: dict[str, Any]) -> bool:
        """Whether joining small parameters saves time; not if the rule is but a call or two."""
        return True

    @property
    def state(self) -> dict[Tensor, State]:
        """What is kept from step to step, by parameter; to be read anew after each step."""
        for blocks in self._blocks:
            self._state.update(_by_parameter(blocks))
        self._blocks, self._layout = [], None
        return self._state

    @state.setter
    def state(self, state: dict[Tensor, State]) -> None:
        self._blocks, self._layout = [], None
        self._state = state

    def _move(self) -> None:
        layout = self._layout
        if layout is None or not layout.holds(self.param_groups):
            layout = self._layout = self._lay_out()
        try:
            for group, blocks in zip(self.param_groups, self._blocks, strict=True):
                climb, decay = group.get("maximize"), group.get("weight_decay")
                for block in blocks:
                    g = block.gradient()
                    if climb:
                        g = -g
                    if decay and group.get("decoupled_weight_decay"):
                        block.shrink(1 - group["lr"] * decay)
                    elif decay:
                        g = g + decay * block.weights()
                    block.subtract(self._change(g, block.state, group))
        finally:
            if layout.write is None or not layout.write.again():
                layout.write = wrote(*layout.arrays)

    def _lay_out(self) -> _Layout:
        """Put the parameters that have a gradient into blocks, and their state with them."""
        state = self.state
        groups = [[p for p in group["params"] if p.grad is not None] for group in self.param_groups]
        moving = [p for params in groups for p in params]
        for p in moving:
            self._check_gradient(p)
        joins = map(self._joins, self.param_groups)
        self._blocks = [[*_blocks(*each, state)] for each in zip(groups, joins, strict=True)]
        for p in moving:
            state.pop(p, None)
        return _Layout(self.param_groups)


class _Layout:
    """The parameters, arrays and gradients that blocks were made for."""

    def __init__(self, groups: list[dict[str, Any]]) -> None:
        self.groups = [[(p, p.data, p.grad is not None) for p in each["params"]] for each in groups]
        self.arrays = [data for each in self.groups for _, data, moves in each if moves]
        self.write: Write | None = None

    def __deepcopy__(self, memo: Any) -> None:
        """Nothing: a copy of the optimizer lays out its own parameters."""

    def holds(self, groups: list[dict[str, Any]]) -> bool:
        """Whether all is as it was, and the gradients are like their parameters."""
        if len(groups) != len(self.groups):
            return False
        for group, known in zip(groups, self.groups, strict=True):
            params = group["params"]
            if len(params) != len(known):
                return False
            for p, (was, data, moves) in zip(params, known, strict=True):
                g: Any = p.grad
                if p is not was or p.data is not data or (g is not None) is not moves:
                    return False
                if moves:
                    g = g.data
                    if g.shape != data.shape or g.dtype != data.dtype:
                        return False
        return True


class Rows:
    """Entries that move together: a parameter, or some rows of it."""

    def __init__(self, param: Tensor, rows: Any, state: dict[Tensor, State]) -> None:
        self.param, self.rows = param, rows
        self.target = param.data[rows]
        self.state = {
            key: backend.copy_as(value[rows], param.data) if _is_entries(value) else value
            for key, value in state.get(param, {}).items()
        }

    def gradient(self) -> Any:
        """Of all its entries, as one array."""
        g = self.param.grad.data  # type: ignore[union-attr]
        return g if self.rows is ... else g[self.rows]

    def weights(self) -> Any:
        """The entries, as one array."""
        return self.target

    def shrink(self, factor: float) -> None:
        """Multiply the entries by a number."""
        self.target *= factor

    def subtract(self, change: Any) -> None:
        """Move the entries."""
        self.target -= change

    def parts(self) -> list[tuple[Tensor, State]]:
        """What it holds of the state, by parameter."""
        return [(self.param, self.state)]


class Joined:
    """The same for several small parameters end to end."""

    def __init__(
        self, params: list[Tensor], targets: list[Any], state: dict[Tensor, State]
    ) -> None:
        self.params, self.targets = params, targets
        ends = [0, *accumulate(p.numel() for p in params)]
        self.slices = [*map(slice, ends, ends[1:])]
        states = [state.get(p, {}) for p in params]
        self.state = {
            key: backend.copy_as(_joined([s[key] for s in states]), params[0].data)
            if _is_entries(value)
            else value
            for key, value in states[0].items()
        }

    def gradient(self) -> Any:
        """Those of all, end to end."""
        return _joined([p.grad.data for p in self.params])  # type: ignore[union-attr]

    def weights(self) -> Any:
        """All entries, end to end."""
        return _joined([p.data for p in self.params])

    def shrink(self, factor: float) -> None:
        """Multiply the entries by a number."""
        for i in range(len(self.targets)):
            self.targets[i] *= factor

    def subtract(self, change: Any) -> None:
        """Move the entries, each parameter by its part."""
        for i, part in enumerate(self.slices):
            self.targets[i] -= change[part]

    def parts(self) -> list[tuple[Tensor, State]]:
        """What it holds of the state, by parameter."""
        items = self.state.items()
        return [
            (p, {key: value[part] if _is_entries(value) else value for key, value in items})
            for p, part in zip(self.params, self.slices, strict=True)
        ]


Block = Rows | Joined  # entries that move together


def _joined(arrays: list[Any]) -> Any:
    """All their entries, in one array."""
    return namespace(arrays[0]).concat(arrays, axis=None)


def past(state: State, key: str, like: Any) -> Any:
    """What the state has under ``key``: zeros at first."""
    if key not in state:
        state[key] = namespace(like).zeros_like(like)
    return state[key]


def mean(state: State, key: str, x: Any, beta: float) -> Any:
    """The running mean m ← β·m + (1 − β)·x, in place."""
    m = past(state, key, x)
    m *= beta
    m += (1 - beta) * x
    return m


def _blocks(params: list[Tensor], joins: bool, state: dict[Tensor, State]) -> Iterator[Block]:
    """The parameters of one group in blocks.

    Alone are large ones, those that are not one stretch of memory, and those that share memory
    with another, whose step they must see.
    """
    owners = {p: id(owner(p.data)) for p in params}
    users = Counter(owners.values())
    small = [p for p in params if joins and p.numel() <= SMALL and users[owners[p]] == 1]
    flat = {p: _flat(p.data) for p in small}
    packs: dict[Any, list[Tensor]] = {}
    entries: Counter[Any] = Counter()
    for p in params:
        if flat.get(p) is None:
            yield from (Rows(p, rows, state) for rows in _rows(p))
            continue
        numbers = [(k, None if _is_entries(v) else v) for k, v in state.get(p, {}).items()]
        kind = (namespace(p.data), p.dtype, *numbers)
        entries[kind] += p.numel()
        packs.setdefault((kind, entries[kind] // SMALL), []).append(p)
    for pack in packs.values():
        yield Joined(pack, [flat[p] for p in pack], state)


def _by_parameter(blocks: list[Block]) -> dict[Tensor, State]:
    """The state of the parameters in ``blocks``."""
    found: dict[Tensor, dict[str, list[Any]]] = {}
    for p, state in (part for block in blocks for part in block.parts()):
        mine = found.setdefault(p, {})
        for key, value in state.items():
            mine.setdefault(key, []).append(value)

    def whole(p: Tensor, values: list[Any]) -> Any:
        if not _is_entries(values[0]):
            return values[0]
        return namespace(values[0]).reshape(_joined(values), p.shape)

    return {p: {key: whole(p, v) for key, v in state.items()} for p, state in found.items()}


def _rows(p: Tensor) -> list[Any]:
    """The rows of a parameter, about BLOCK entries at a time; on a GPU all at once."""
    if p.numel() <= BLOCK or not isinstance(p.data, np.ndarray):
        return [...]
    n = max(1, BLOCK * len(p) // p.numel())
    return [slice(i, i + n) for i in range(0, len(p), n)]


def _flat(data: Any) -> Any:
    """The same memory along one axis; None if it is not one stretch."""
    try:
        return namespace(data).reshape(data, (-1,), copy=False)
    except (AttributeError, TypeError, ValueError):  # as the libraries refuse it
        return None


def _is_entries(value: Any) -> bool:
    """Whether a part of the state is an array, not a number."""
    return backend.is_array(value) and not isinstance(value, backend.SCALAR)
