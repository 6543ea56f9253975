"""As little memory as the calls need, so that it stays in the processor's cache."""

from __future__ import annotations

import functools
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np

from minigrad.replaying.tracing import Call, arrays_in, owner, zero


def packed(tape: list[Call], keep: Iterable[np.ndarray]) -> list[Callable[[], Any]]:
    """The calls, with arrays that are read no more lending their memory to later ones.

    Parameters
    ----------
    tape
        Calls in their order.
    keep
        Arrays that must still hold their numbers at the end.
    """
    written = {id(owner(x)) for call in tape for x in _written(call)}
    # Zeros that nobody writes to are a constant.
    tape = [c for c in tape if c.kernel is not zero or id(owner(c.out[0])) in written]
    last = {id(owner(x)): i for i, call in enumerate(tape) for x in _arrays(call)}
    last |= {id(owner(x)): len(tape) for x in keep}
    free: dict[int, list[np.ndarray]] = defaultdict(list)  # by its size: memory to be had
    lent: dict[int, np.ndarray] = {}  # what takes the place of an array, by id

    def moved(x: Any) -> Any:
        """``x`` in the memory that its own has been given."""
        if isinstance(x, list | tuple):
            return type(x)(map(moved, x))
        if not isinstance(x, np.ndarray) or id(whole := owner(x)) not in lent:
            return x
        return np.ndarray(
            x.shape, x.dtype, lent[id(whole)], _address(x) - _address(whole), x.strides
        )

    def release(arrays: Iterable[np.ndarray], now: int) -> None:
        for key in {id(owner(x)) for x in arrays}:
            if last[key] == now and key in lent:
                free[lent[key].nbytes].append(lent[key])
                last[key] = -1  # given back

    calls: list[Callable[[], Any]] = []
    for i, call in enumerate(tape):
        args = moved(call.args)
        if elementwise := isinstance(call.kernel, np.ufunc) and call.kernel.signature is None:
            release(arrays_in(call.args), i)  # it may fill what it reads, entry by entry
        if call.new:
            for whole in map(owner, call.out):
                if last[id(whole)] < len(tape):
                    stock = free[whole.nbytes]
                    lent[id(whole)] = stock.pop() if stock else np.empty(whole.nbytes, np.uint8)
        options, out = {name: moved(x) for name, x in call.options.items()}, moved(call.out)
        if options or call.kernel in BY_NAME:
            options |= {"out": out if len(out) > 1 else out[0]} if out else {}
        else:
            args += out  # in its place, which is faster
        calls.append(functools.partial(call.kernel, *args, **options))
        release(call.out if elementwise else _arrays(call), i)
    return calls


BY_NAME = (np.maximum, np.minimum)  # NumPy wants their ``out`` called so


def _arrays(call: Call) -> Iterator[np.ndarray]:
    return arrays_in((call.args, *call.options.values(), call.out))


def _written(call: Call) -> Iterator[np.ndarray]:
    """The arrays, known before, that a call writes to."""
    if not call.out:
        yield from arrays_in(call.args[:1])
    elif not call.new:
        yield from call.out


def _address(x: np.ndarray) -> int:
    address: int = x.__array_interface__["data"][0]
    return address
