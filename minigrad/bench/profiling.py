"""Where minigrad's own time goes: per operation its calls, time and bytes, there and back.

The engine knows nothing of it: while a profile is taken, the calls of operations and of backward
rules are wrapped from outside.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from time import perf_counter
from typing import Any

from minigrad.bench.peers import Peer
from minigrad.bench.workloads import Size, Workload
from minigrad.operation import Primitive
from minigrad.rule import Rule
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
    """Count and time what operations and their rules do meanwhile."""
    call = Primitive.__call__
    own: dict[Rule, Callable[..., Any]] = {}
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
        for rule in op.rules:
            if rule not in own:
                own[rule] = rule.rule
                rule.bind(partial(watched_rule, rule.rule, op.name))
        return watch(call, found.forward, op.name, (op, *inputs), params)

    def watched_rule(rule: Any, name: str, g: Any, *args: Any) -> Any:
        return watch(rule, found.backward, name, (g, *args), {})

    setattr(Primitive, "__call__", watched_call)  # noqa: B010 - an assignment would need a type
    try:
        yield
    finally:
        setattr(Primitive, "__call__", call)  # noqa: B010
        for rule, function in own.items():
            rule.bind(function)


def _bytes(answer: Any) -> int:
    if isinstance(answer, dict):
        answer = tuple(answer.values())
    if isinstance(answer, tuple | list):
        return sum(map(_bytes, answer))
    array = answer.data if isinstance(answer, Tensor) else answer
    return int(getattr(array, "nbytes", 0))
