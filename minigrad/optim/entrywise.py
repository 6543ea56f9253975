"""Entrywise: rules that treat each entry by itself, and so can take many parameters at once.

A rule is up to a dozen calls of NumPy, and a call takes as long as some thousand entries do. So
small parameters move together, as one long array. Large ones move some rows at a time, so that
from call to call the numbers stay in the processor's cache. The parameters stay where they are:
their gradients are joined, and what the rule takes from them is handed out again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import accumulate
from typing import Any

import numpy as np

from minigrad import backend
from minigrad.backend import namespace
from minigrad.memory import owner
from minigrad.optim.optimizer import Optimizer
from minigrad.tensor import Tensor

SMALL = 2**13  # entries: joining up to so many costs less than the calls that it saves
BLOCK = 2**18  # entries: of float32, a megabyte in each of a rule's arrays

State = dict[str, Any]  # arrays with an entry for each of the parameter's, and numbers


class Entrywise(Optimizer):
    """Base class of rules p ← p − change(g), entry by entry; a subclass writes ``_change``.

    g is the gradient, or −g with ``maximize``. ``weight_decay`` adds weight_decay·p to it; with
    ``decoupled_weight_decay`` it shrinks p itself instead, by 1 − lr·weight_decay.
    """

    _blocks: list[list[Block]]  # by group; between steps, the state is theirs
    _layout: Any  # what they were made for
    _arrays: list[Any]  # whose entries they move

    def _change(self, g: Any, state: State, group: dict[str, Any]) -> Any:
        """What to take from the entries with gradient ``g``, which is not to be written to."""
        raise NotImplementedError

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

    def _move(self, written: list[Any]) -> None:
        layout = [
            [
                (id(p), id(p.data), g.data.shape, g.data.dtype)
                for p in group["params"]
                if (g := p.grad) is not None
            ]
            for group in self.param_groups
        ]
        if layout != self._layout:
            self._lay_out()
            self._layout = layout
        written += self._arrays
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

    def _lay_out(self) -> None:
        """Put the parameters that have a gradient into blocks, and their state with them."""
        state = self.state
        groups = [[p for p in group["params"] if p.grad is not None] for group in self.param_groups]
        moving = [p for params in groups for p in params]
        for p in moving:
            self._check_gradient(p)
        self._blocks = [[*_blocks(params, state)] for params in groups]
        self._arrays = [p.data for p in moving]
        for p in moving:
            state.pop(p, None)


class Block:
    """Entries that move together: some rows of a parameter, or several small ones end to end."""

    def __init__(
        self, params: list[Tensor], targets: list[Any], state: dict[Tensor, State], rows: Any = None
    ) -> None:
        self.params, self.targets, self.rows = params, targets, rows
        ends = [0, *accumulate(p.numel() for p in params)]
        self.parts: list[Any] = [*map(slice, ends, ends[1:])] if rows is None else [...]
        states = [state.get(p, {}) for p in params]
        self.state = {
            key: backend.copy_as(self._entries([s[key] for s in states]), params[0].data)
            if _is_entries(value)
            else value
            for key, value in states[0].items()
        }

    def gradient(self) -> Any:
        """Of all entries, in one array."""
        return self._entries([p.grad.data for p in self.params])  # type: ignore[union-attr]

    def weights(self) -> Any:
        """The entries in one array."""
        return self._entries([p.data for p in self.params])

    def shrink(self, factor: float) -> None:
        """Multiply the entries by a number."""
        for i in range(len(self.targets)):
            self.targets[i] *= factor

    def subtract(self, change: Any) -> None:
        """Move the entries."""
        for i, part in enumerate(self.parts):
            self.targets[i] -= change[part]

    def _entries(self, arrays: list[Any]) -> Any:
        """Those of this block out of arrays like its parameters."""
        if self.rows is None:
            return namespace(arrays[0]).concat(arrays, axis=None)
        return arrays[0][self.rows]


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


def _blocks(params: list[Tensor], state: dict[Tensor, State]) -> Iterator[Block]:
    """The parameters of one group in blocks.

    Alone are large ones, those that are not one stretch of memory, and those that share memory
    with another, whose step they must see.
    """
    owners = {p: id(owner(p.data)) for p in params}
    users = Counter(owners.values())
    flat = {p: _flat(p.data) for p in params if p.numel() <= SMALL and users[owners[p]] == 1}
    packs: dict[Any, list[Tensor]] = {}
    entries: Counter[Any] = Counter()
    for p in params:
        if flat.get(p) is None:
            yield from (Block([p], [p.data[rows]], state, rows) for rows in _rows(p))
            continue
        numbers = [(k, None if _is_entries(v) else v) for k, v in state.get(p, {}).items()]
        kind = (namespace(p.data), p.dtype, *numbers)
        entries[kind] += p.numel()
        packs.setdefault((kind, entries[kind] // BLOCK), []).append(p)
    for pack in packs.values():
        yield Block(pack, [flat[p] for p in pack], state)


def _by_parameter(blocks: list[Block]) -> dict[Tensor, State]:
    """The state of the parameters in ``blocks``."""
    parts: dict[Tensor, dict[str, list[Any]]] = {}
    for block in blocks:
        for p, part in zip(block.params, block.parts, strict=True):
            mine = parts.setdefault(p, {})
            for key, value in block.state.items():
                mine.setdefault(key, []).append(value[part] if _is_entries(value) else value)

    def whole(p: Tensor, values: list[Any]) -> Any:
        if not _is_entries(values[0]):
            return values[0]
        xp = namespace(values[0])
        return xp.reshape(xp.concat(values, axis=None), p.shape)

    return {p: {key: whole(p, v) for key, v in state.items()} for p, state in parts.items()}


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
