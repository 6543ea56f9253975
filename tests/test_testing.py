"""check_layer: right layers pass, and each way to be wrong is found and named."""

from __future__ import annotations

from typing import Any

import pytest

import minigrad as mg
from minigrad import nn


def verdicts(layer: nn.Module, shape: tuple[int, ...]) -> dict[tuple[str, str], str]:
    """(mode, check) -> verdict."""
    report = mg.testing.check_layer(layer, shape)
    assert bool(report) == ("FAILED" not in repr(report))
    return {(mode, check): verdict for mode, check, verdict, _ in report.rows}


@pytest.mark.parametrize(
    ("layer", "shape"),
    [
        (lambda: nn.Linear(3, 2), (4, 3)),
        (lambda: nn.BatchNorm1d(3), (4, 3)),
        (lambda: nn.BatchNorm2d(2, affine=False), (2, 2, 2, 2)),
        (lambda: nn.LayerNorm(3), (2, 3)),
        (lambda: nn.Sequential(nn.Linear(3, 2), nn.Tanh()), (2, 3)),
    ],
)
def test_right_layers_pass(layer: Any, shape: tuple[int, ...]) -> None:
    """minigrad's own layers pass every check, and are left as they were."""
    made = layer()
    before = {name: value.numpy().copy() for name, value in made.state_dict().items()}
    assert "FAILED" not in verdicts(made, shape).values()
    after = made.state_dict()
    assert all((after[name].numpy() == value).all() for name, value in before.items())
    assert made.training


class Detached(nn.BatchNorm1d):
    """Batch normalization with the mean left out of the graph: right values, wrong slopes."""

    def forward(self, x: Any) -> Any:
        """Normalise."""
        mu = x.mean(0).detach()
        return (x - mu) / (((x - mu) ** 2).mean(0) + self.eps).sqrt() * self.weight + self.bias


class Cached(nn.Module):
    """A layer whose rule uses an array kept from the forward: wrong at second order alone."""

    def forward(self, x: Any) -> Any:
        """Square, with a cached slope."""
        kept = x.data

        @mg.primitive
        def cached_square(x: Any) -> Any:
            return x * x

        cached_square.vjp(x=lambda g: g * (2 * kept))
        return cached_square(x)


def test_a_detached_mean_is_found() -> None:
    """A batch mean outside the graph fails at first order."""
    assert verdicts(Detached(3), (4, 3))["train", "first derivatives"] == "FAILED"


def test_a_cached_array_is_found_at_second_order() -> None:
    """A residual kept outside the graph passes at first order and fails at second."""
    found = verdicts(Cached(), (2, 3))
    assert found["train", "first derivatives"] == "ok"
    assert found["train", "second derivatives"] == "FAILED"


def test_a_layer_that_raises_is_reported() -> None:
    """An exception becomes a row with its message, not the end of the checks."""
    report = mg.testing.check_layer(nn.Linear(5, 2), (4, 3))
    assert not report
    assert "needs inputs whose last axis is 5" in repr(report)


@pytest.mark.torch
def test_pytorch_is_compared(torch: Any) -> None:
    """With PyTorch installed its layer of the same name, or the one given, is compared."""
    assert verdicts(nn.LayerNorm(3), (2, 3))["train", "PyTorch"] == "ok"
    wrong = torch.nn.BatchNorm1d(3, eps=0.1)
    report = mg.testing.check_layer(nn.BatchNorm1d(3), (4, 3), torch_layer=wrong)
    assert ("train", "PyTorch", "FAILED") in [row[:3] for row in report.rows]
