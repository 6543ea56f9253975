"""Replay: a training step as a flat list of kernel calls into buffers that are used again.

A step that is the same computation each time needs no graph, no rules and no new memory the second
time, only the calls of NumPy that it came to. `replay` writes these down while the step runs once
(`tracing`), gives them as little memory as they need (`memory`), checks them against one more step,
and from then on makes the same calls in the same order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from minigrad.memory import Write, wrote
from minigrad.nn.module import Module
from minigrad.replaying.memory import packed
from minigrad.replaying.tracing import ReplayError, record
from minigrad.tensor import Tensor, wrap

__all__ = ["ReplayError", "replay"]


def replay(
    step: Callable[..., Any], *inputs: Tensor, state: Module | Iterable[Tensor] = ()
) -> Callable[..., Any]:
    """Record ``step(*inputs)`` and answer a function that does the same, faster.

    >>> def step(x, t):
    ...     loss = F.cross_entropy(model(x), t)
    ...     optimizer.zero_grad()
    ...     loss.backward()
    ...     optimizer.step()
    ...     return loss
    >>> fast = mg.replay(step, x, t, state=model)
    >>> for x, t in batches:
    ...     loss = fast(x, t)

    Recording takes three steps' time and leaves parameters and buffers as they were.

    Parameters
    ----------
    step
        Takes ``inputs`` and answers a Tensor, or several. What it computes may depend on them and
        on ``state`` alone, and what Python computes (a learning rate, a count) stays as it is now.
    inputs
        Tensors like those to come: each later one must have the same shape and dtype.
    state
        The model, or all tensors, that the step reads or changes.

    Returns
    -------
    Callable
        Takes further inputs, or none for the same again. Its results are bit by bit those of
        ``step``; parameters, their ``.grad`` and buffers change as they would have.

    Raises
    ------
    ReplayError
        If the step is not the same computation twice (dropout, an optimizer that counts its
        steps, gradients that add up, a tensor left out of ``state``); later, if an input has
        another shape or dtype, or a number that Python has read from an array is another.
    """
    held = [*state.parameters(), *state.buffers()] if isinstance(state, Module) else [*state]
    if not all(isinstance(x.data, np.ndarray) for x in (*held, *inputs)):
        raise ReplayError(
            "replay records calls of NumPy; found tensors on another backend. Move the model and "
            'the inputs there: model.to("numpy").'
        )
    mine = [wrap(x.data.copy()) for x in inputs]
    tensors = [*held, *mine]
    start = _copies(tensors)
    tape, results = record(step, mine, tensors)
    grads = [x.grad for x in held]
    calls = packed(tape, keep=[*results, *[g.data for g in grads if g is not None]])
    middle = _copies(tensors)
    usual = _copies(_listed(step(*mine))), _copies(tensors)  # one more step, the usual way
    _put(tensors, middle)
    for call in calls:
        call()
    if not all(map(_equal, usual, (results, _copies(tensors)))):
        _put(tensors, start)
        raise ReplayError(
            "replay needs a step that is the same computation each time; done again, this one "
            "came to other numbers than its recording. Leave out what draws random numbers "
            "(Dropout) or counts its steps (Adam), call zero_grad() inside the step, and name as "
            "state every tensor that it reads or changes."
        )
    changed = [x.data for x, a, b in zip(held, start, middle, strict=False) if not _equal([a], [b])]
    _put(tensors, start)
    for x, g in zip(held, grads, strict=True):
        x.grad = g

    noted: Write | None = None

    def again(*inputs: Tensor) -> Any:
        """One step."""
        nonlocal noted
        if inputs:
            _check(mine, inputs)
            _put(mine, [x.data for x in inputs])
        for call in calls:
            call()
        if noted is None or not noted.again():
            noted = wrote(*changed)
        answers = [wrap(result.copy()) for result in results]
        return answers[0] if len(answers) == 1 else tuple(answers)

    return again


def _check(mine: Sequence[Tensor], inputs: Sequence[Tensor]) -> None:
    """Refuse inputs unlike the recorded ones."""
    like = [(x.shape, x.dtype) for x in mine]
    if [(x.shape, x.dtype) for x in inputs] != like:
        wanted, found = ([f"{x.shape} of {x.dtype}" for x in xs] for xs in (mine, inputs))
        raise ReplayError(
            f"this replay was recorded for inputs {', '.join(wanted)}; got {', '.join(found)}. "
            "Record another for these, or call the step itself (for a smaller last batch, say)."
        )


def _listed(result: Any) -> list[Tensor]:
    return [*result] if isinstance(result, tuple | list) else [result]


def _copies(tensors: Iterable[Tensor]) -> list[np.ndarray]:
    return [x.data.copy() for x in tensors]


def _put(tensors: Iterable[Tensor], arrays: Iterable[np.ndarray]) -> None:
    for x, array in zip(tensors, arrays, strict=True):
        np.copyto(x.data, array)


def _equal(a: Sequence[np.ndarray], b: Sequence[np.ndarray]) -> bool:
    """Whether two lists of arrays are the same, bit by bit."""
    return [x.tobytes() for x in a] == [x.tobytes() for x in b]
