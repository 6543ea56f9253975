"""Corners where PyTorch's users would be surprised: edges, odd arguments, kinks, nothing at all."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from conftest import host, near

import minigrad as mg
import minigrad.nn.functional as F  # noqa: N812 - as PyTorch's users import it
from minigrad import nn

inf, nan = np.inf, np.nan


@dataclass(frozen=True)
class Case:
    """A function of a module (minigrad or PyTorch), its functional part, and tensors."""

    name: str
    function: Callable[..., Any]
    arrays: tuple[Any, ...]
    order: int = 1  # how often it is differentiated


def _case(name: str, function: Callable[..., Any], *arrays: Any, order: int = 1) -> Case:
    return Case(name, function, arrays, order)


CASES = [
    # slopes where none exists, and where a formula would say 0·∞
    *[
        _case(f"norm {p} with zeros", lambda m, f, x, p=p: x.norm(p), [0.0, 2.0, -1.0])
        for p in (0, 0.5, 1, 1.5, 2, 3, -1, inf)
    ],
    *[
        _case(f"norm {p} at zero", lambda m, f, x, p=p: x.norm(p), [0.0, 0.0])
        for p in (0, 0.5, 1, 1.5, 2, 3, -1, inf)
    ],
    _case("std of equals", lambda m, f, x: m.std(x, 0), [[1.0, 2.0], [1.0, 5.0]]),
    _case("elu", lambda m, f, x: f.elu(x, 2.0), [-1.0, 0.0, 1.0], order=2),
    _case("huber", lambda m, f, x: f.huber_loss(x, 0 * x, "none", delta=0.5),
          [0.5, -0.5, 0.0, 3.0], order=2),
    _case("smooth_l1", lambda m, f, x: f.smooth_l1_loss(x, 0 * x, reduction="none", beta=0.5),
          [0.5, -0.5, 0.0, 3.0], order=2),
    _case("hardtanh of no width", lambda m, f, x: f.hardtanh(x, 0.0, 0.0), [-1.0, 0.0, 1.0]),
    _case("clamp between tensors", lambda m, f, x, a, b: m.clamp(x, a, b),
          [-2.0, -1.0, 0.0, 1.0, 2.0, 0.0], [-1.0] * 5 + [2.0], [1.0] * 6),
    # nothing, and infinities
    _case("logsumexp of nothing", lambda m, f, x: m.logsumexp(x, 1), np.zeros((2, 0))),
    _case("logsumexp of −∞", lambda m, f, x: m.logsumexp(x, 0), [[-inf, 1.0], [0.0, 2.0]]),
    _case("softmax of nothing", lambda m, f, x: m.softmax(x, 1), np.zeros((2, 0))),
    _case("log_softmax of nothing", lambda m, f, x: m.log_softmax(x, 0), np.zeros((2, 0))),
    _case("unfold of nothing", lambda m, f, x: f.unfold(x, 2), np.zeros((0, 1, 3, 3))),
    _case("group_norm of nothing", lambda m, f, x: f.group_norm(x, 2), np.zeros((0, 4, 3))),
    _case("pad of nothing", lambda m, f, x: f.pad(x, (1, 2), "reflect"), np.zeros((0, 3, 3))),
    _case("gather of nothing", lambda m, f, x: x.gather(0, m.tensor([[], []]).long()), [1.0, 2.0]),
    _case("unbind of nothing", lambda m, f, x: m.stack([x.sum(), *m.unbind(x)]), np.zeros(0)),
    _case("sort down with nan", lambda m, f, x: m.sort(x, descending=True)[0], [1.0, nan, 2.0]),
    # arguments by PyTorch's places and names
    _case("var(False)", lambda m, f, x: x.var(False) * x.std(unbiased=False), [1.0, 2.0, 5.0]),
    _case("var(0, False)", lambda m, f, x: x.var(0, False), [[1.0, 2.0], [5.0, 3.0]]),
    _case("var(correction=None)", lambda m, f, x: x.var(0, correction=None), [1.0, 2.0, 5.0]),
    _case("std(correction=2)", lambda m, f, x: m.std(x, correction=2), [1.0, 2.0, 5.0, 6.0]),
    _case("amax over ()", lambda m, f, x: m.amax(x, ()), [[1.0, 2.0], [5.0, 3.0]]),
    _case("logsumexp over [0]", lambda m, f, x: m.logsumexp(x, [0], True), 2.0),
    _case("sum as float32", lambda m, f, x: m.sum(x, 0, dtype=m.float32), [0.1, 0.2]),
    _case("softmax as float32", lambda m, f, x: f.softmax(x, 0, dtype=m.float32), [0.1, 0.2]),
    _case("log_softmax as float32", lambda m, f, x: f.log_softmax(x, dim=0, dtype=m.float32),
          [0.1, 0.2]),
    _case("to", lambda m, f, x: x.to("cpu", m.float32, True, True), [0.1, 0.2]),
    _case("to another", lambda m, f, x: x.to(m.tensor([1.0])), [0.1, 0.2]),
    _case("to dtype=", lambda m, f, x: x.to(device="cpu", dtype=m.float32), [0.1, 0.2]),
    _case("to dtype, copied", lambda m, f, x: x.to(m.float64, False, True), [0.1, 0.2]),
    _case("cosine_similarity that broadcasts",
          lambda m, f, x, y: f.cosine_similarity(x, y, dim=-2),
          [[[1.0, 2.0], [3.0, -1.0]]], [[[2.0, 1.0]], [[0.5, 4.0]]], order=2),
    _case("linear by a vector", lambda m, f, x, w: f.linear(x, w), [[1.0, 2.0]], [3.0, 4.0]),
    _case("avg_pool2d with stride []", lambda m, f, x: f.avg_pool2d(x, 2, []),
          np.arange(16.0).reshape(1, 4, 4)),
    _case("argmax of a number", lambda m, f, x: m.argmax(x, 0) + m.argsort(x) + x, 2.0),
]  # fmt: skip


@pytest.mark.torch
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_corners_are_pytorchs(torch: ModuleType, case: Case) -> None:
    """Values, dtypes and gradients are PyTorch's, without a warning."""
    answers: list[list[Any]] = []
    for m, functional, grad in (
        (mg, F, mg.grad),
        (torch, torch.nn.functional, torch.autograd.grad),
    ):
        xs = [m.tensor(np.array(a, float), requires_grad=True) for a in case.arrays]
        y = case.function(m, functional, *xs)
        answer = [y]
        for _ in range(case.order):
            if not y.requires_grad:
                break
            gs = grad(y.sum(), xs, create_graph=True, allow_unused=True)
            gs = [m.zeros(x.shape, dtype=m.float64) if g is None else g + 0 for x, g in
                  zip(xs, gs, strict=True)]  # fmt: skip
            answer += gs
            y = sum((g.sum() for g in gs[1:]), start=gs[0].sum())
        answers.append(answer)
    found, wanted = answers
    for mine, theirs in zip(found, wanted, strict=False):  # of zeros PyTorch may keep no graph
        assert str(mine.dtype) == str(theirs.dtype).removeprefix("torch.")
        assert mine.shape == tuple(theirs.shape)
        tolerance = 1e-9 if mine.dtype == mg.float64 else 1e-6
        np.testing.assert_allclose(host(mine), host(theirs), rtol=tolerance, atol=1e-12)


@pytest.mark.torch
@pytest.mark.parametrize(
    "function",
    [
        lambda m, x, y: m.logical_and(x, y),
        lambda m, x, y: m.logical_or(x, y),
        lambda m, x, y: m.logical_xor(x, y),
        lambda m, x, y: m.logical_not(x),
        lambda m, x, y: m.isclose(x, y),
        lambda m, x, y: m.isclose(x, y, equal_nan=True),
        lambda m, x, y: m.isclose(x, y, rtol=0.0, atol=2.0),
        lambda m, x, y: m.nonzero(x),
        lambda m, x, y: m.nonzero(x[1]),
        lambda m, x, y: m.nonzero(x, as_tuple=True)[0],
        lambda m, x, y: m.nonzero(x[1], as_tuple=True)[0],
        lambda m, x, y: m.argsort(x > 0, descending=True, stable=True),
        lambda m, x, y: m.sort(x, stable=True, descending=True)[1],
        lambda m, x, y: m.topk(x, 2, 0, False, True)[1],
        lambda m, x, y: m.div(m.tensor([7, -7, 6]), m.tensor([2, 2, -3]), rounding_mode="trunc"),
        lambda m, x, y: m.div(m.tensor([7, -7, 6]), 2, rounding_mode="floor"),
        lambda m, x, y: True & (x > 0),
        lambda m, x, y: 6 ^ m.tensor([3, 5]),
        lambda m, x, y: 6 | m.tensor([3, 5]),
    ],
)
def test_answers_without_slopes_are_pytorchs(torch: ModuleType, function: Any) -> None:
    """Truth values, places and whole quotients, and their dtypes."""
    x, y = np.array([0.0, 6.0, nan, inf, -1.0]), np.array([0.0, 3.0, nan, inf, 1.0])
    mine, theirs = (function(m, m.tensor(x), m.tensor(y)) for m in (mg, torch))
    assert str(mine.dtype) == str(theirs.dtype).removeprefix("torch.")
    near(mine, theirs)


def test_truth_of_numbers(place: str) -> None:
    """logical_and asks of each number whether it is 0, where & goes bit by bit."""
    x, y = mg.tensor([6, 0, 4]), mg.tensor([1, 2, 4])
    near(mg.logical_and(x, y), np.array([True, False, True]))
    near(mg.logical_or(x, 0 * y), np.array([True, False, True]))
    near(mg.logical_xor(x, y), np.array([False, True, False]))
    near(x.logical_not(), np.array([False, True, False]))
    near(x & y, np.array([0, 0, 4]))


def test_close_is_asked_of_nan_too() -> None:
    """Allclose with equal_nan lets NaN be close to NaN."""
    x = mg.tensor([1.0, nan])
    assert not mg.allclose(x, x)
    assert mg.allclose(x, x, equal_nan=True)


def test_steps_in_place_are_scaled() -> None:
    """p.add_(g, alpha=−lr), the step of a hand-written optimizer, and its like."""
    p = mg.tensor([1.0, 2.0], requires_grad=True)
    with mg.no_grad():
        p.add_(mg.tensor([1.0, 1.0]), alpha=-0.5)
        p.sub_(mg.tensor([1.0, 1.0]), alpha=2)
        p.div_(mg.tensor([1.0, 0.5]), rounding_mode="floor")
    near(p, np.array([-2.0, -1.0]))


def test_functions_with_further_arguments_take_arrays() -> None:
    """add, sub and div are polymorphic as all operations are: arrays in, array out."""
    x, y = np.array([7.0, -7.0]), np.array([2.0, 2.0])
    for found, wanted in (
        (mg.add(x, y, alpha=2), [11.0, -3.0]),
        (mg.sub(x, y), [5.0, -9.0]),
        (mg.div(x, y, rounding_mode="trunc"), [3.0, -3.0]),
    ):
        assert isinstance(found, np.ndarray)
        near(found, np.array(wanted))


def test_to_copies_when_asked() -> None:
    """Without copy a tensor that is there already is its own answer."""
    x = mg.tensor([1.0])
    assert x.to(mg.float32) is x
    assert x.to("cpu", mg.float32) is x
    assert x.to("cpu", copy=True).data is not x.data
    assert x.to(mg.float64, True, True).dtype == mg.float64


def test_parts_are_outputs_of_one_operation() -> None:
    """So the gradients of all parts come back joined once, not each padded to the whole."""
    x = mg.tensor(np.ones((50, 2)), requires_grad=True)
    for parts in (x.unbind(), x.split(1), x.chunk(50)):
        node = parts[0].node
        assert {part.node.inputs for part in parts[1:]} == {(node,)}
        assert len(node.op.outputs) == 50


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda x: mg.clamp(x), "needs a bound"),
        (lambda x: mg.isclose(x, x, rtol=-1.0), "tolerances of at least 0"),
        (lambda x: mg.div(x, x, rounding_mode="up"), "rounding_mode='up'"),
        (lambda x: x.masked_fill(x > 0, x), r"one number to fill in; got shape \(2, 3\)"),
        (lambda x: mg.norm(x, "nuc"), "got 'nuc'"),
        (lambda x: F.linear(x, x[0], x[0]), r"weight of shape \(out, in\); got \(3,\)"),
        (lambda x: F.linear(x, mg.ones(2, 4, 3)), r"weight of shape \(out, in\); got \(2, 4, 3\)"),
        (lambda x: F.embedding(mg.tensor([0]), x[0]), r"table of shape \(V, D\); got \(3,\)"),
        (lambda x: F.group_norm(x[:1], 3), r"more than one value in a group.*\(1, 3\)"),
        (lambda x: F.instance_norm(x[..., None]), r"more than one value in a channel.*\(2, 3, 1\)"),
        (lambda x: nn.GroupNorm(3, 3)(x[:1]), "more than one value in a group"),
        (lambda x: mg.cat([x, None]), "same number of dimensions"),
    ],
)
def test_what_pytorch_refuses_is_refused(call: Any, said: str) -> None:
    """Where PyTorch raises, so does minigrad, and says why."""
    with pytest.raises(ValueError, match=said):
        call(mg.tensor(np.ones((2, 3))))


@pytest.mark.parametrize("fill", [-np.inf, np.nan])
@pytest.mark.parametrize(
    "how",
    [
        {"kernel_size": 2, "padding": 1, "stride": 1},
        {"kernel_size": 3, "padding": 1, "stride": 2, "ceil_mode": True},
    ],
)
def test_max_pool_of_nothing_larger(fill: float, how: dict[str, Any], torch: Any) -> None:
    """Where all of a patch is −∞, or some NaN, an entry of the input is chosen: PyTorch's."""
    a = np.ones((1, 2, 4, 4))
    a[0, 0, :2, :2] = a[0, :, 3, 3] = fill
    theirs, mine = torch.tensor(a, requires_grad=True), mg.tensor(a, requires_grad=True)
    wanted, places = torch.nn.functional.max_pool2d(theirs, return_indices=True, **how)
    found, index = F.max_pool2d(mine, return_indices=True, **how)
    wanted.sum().backward()
    found.sum().backward()
    np.testing.assert_array_equal(found.numpy(), wanted.detach().numpy())
    np.testing.assert_array_equal(index.numpy(), places.numpy())
    np.testing.assert_array_equal(mine.grad.numpy(), theirs.grad.numpy())
