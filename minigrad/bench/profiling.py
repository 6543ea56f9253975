"""Where minigrad's own time goes: per operation its calls, time and bytes, there and back.

The engine knows nothing of it: while a profile is taken, the calls of operations and of backward
rules are wrapped from outside.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any

from minigrad.bench.peers import Peer
from minigrad.bench.workloads import Size, Workload
from minigrad.operation import Primitive, Rule
from minigrad.tensor import Tensor


@dataclass
class Count:
    """What was seen of one operation in one direction."""

    calls: int = 0
    seconds: float = 0.0
    bytes: int = 0  # of the arrays that came out


@dataclass
class Profile:
    """All operations of ``steps`` steps; an operation inside another's is part of that one."""

    steps: int = 0
    seconds: float = 0.0
    forward: dict[str, Count] = field(default_factory=dict)
    backward: dict[str, Count] = field(default_factory=dict)

    def elsewhere(self) -> float:
        """Seconds outside all operations: layers, the walk through the graph, the optimizer."""
        counts = [*self.forward.values(), *self.backward.values()]
        return self.seconds - sum(count.seconds for count in counts)


def profile(workload: Workload, size: Size, peer: Peer, seconds: float) -> Profile:
    """Run a workload for about ``seconds`` and take its operations' time."""
    step = getattr(peer, workload.family)(workload.make(size))
    peer.wait(step())
    found = Profile()
    with _watched(found, lambda: peer.wait(())):
        while not found.steps or found.seconds < seconds:
            start = perf_counter()
            peer.wait(step())
            found.seconds += perf_counter() - start
            found.steps += 1
    return found


@contextmanager
def _watched(found: Profile, wait: Callable[[], None]) -> Iterator[None]:
    """Count and time what `Primitive` and `Rule` do meanwhile."""
    call, apply = Primitive.__call__, Rule.__call__
    inside = False

    def watch(function: Any, counts: dict[str, Count], name: str, args: Any, params: Any) -> Any:
        nonlocal inside
        if inside:
            return function(*args, **params)
        inside = True
        start = perf_counter()
        try:
            answer = function(*args, **params)
            wait()
        finally:
            inside = False
        count = counts.setdefault(name, Count())
        count.seconds += perf_counter() - start
        count.calls += 1
        count.bytes += _bytes(answer)
        return answer

    def watched_call(op: Any, *inputs: Any, **params: Any) -> Any:
        return watch(call, found.forward, op.name, (op, *inputs), params)

    def watched_apply(rule: Any, g: Any, node: Any, *rest: Any) -> Any:
        return watch(apply, found.backward, node.op.name, (rule, g, node, *rest), {})

    setattr(Primitive, "__call__", watched_call)  # noqa: B010
    setattr(Rule, "__call__", watched_apply)  # noqa: B010
    try:
        yield
    finally:
        setattr(Primitive, "__call__", call)  # noqa: B010 - an assignment would need to be typed
        setattr(Rule, "__call__", apply)  # noqa: B010


def _bytes(answer: Any) -> int:
    if isinstance(answer, dict):
        answer = tuple(answer.values())
    if isinstance(answer, tuple | list):
        return sum(map(_bytes, answer))
    array = answer.data if isinstance(answer, Tensor) else answer
    return int(getattr(array, "nbytes", 0))
