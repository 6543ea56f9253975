"""Keeping gradients from growing too large for a step."""

from __future__ import annotations

import math
from collections.abc import Iterable

from minigrad import ops
from minigrad.recording import no_grad
from minigrad.tensor import Tensor


def _gradients(parameters: Tensor | Iterable[Tensor]) -> list[Tensor]:
    """The gradients that there are."""
    held = [parameters] if isinstance(parameters, Tensor) else list(parameters)
    return [p.grad for p in held if p.grad is not None]


@no_grad()
def clip_grad_norm_(
    parameters: Tensor | Iterable[Tensor],
    max_norm: float,
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
) -> Tensor:
    """Scale all gradients, in place, so that their norm taken together is at most ``max_norm``.

    g ← g·min(1, max_norm/(‖g‖ + 10⁻⁶)); the answer is ‖g‖ as it was (Pascanu, Mikolov and
    Bengio 2013). ``norm_type`` may be ``math.inf``.
    """
    gradients = _gradients(parameters)
    if not gradients:
        return ops.zeros(())
    norms = ops.stack([ops.norm(g, norm_type) for g in gradients])
    norm: Tensor = ops.norm(norms, norm_type)
    if error_if_nonfinite and not math.isfinite(norm.item()):
        raise RuntimeError(
            f"clip_grad_norm_ needs finite gradients; their norm of order {norm_type} is "
            f"{norm.item()}. Look for where they overflow with mg.detect_anomaly(), or lower the "
            "learning rate."
        )
    factor = ops.clamp(max_norm / (norm + 1e-6), max=1.0)
    for g in gradients:
        g *= factor.astype(g.dtype)  # noqa: PLW2901 - in place
    return norm


@no_grad()
def clip_grad_value_(parameters: Tensor | Iterable[Tensor], clip_value: float) -> None:
    """Keep each entry of all gradients, in place, between −clip_value and clip_value."""
    for g in _gradients(parameters):
        g[...] = ops.clamp(g, min=-clip_value, max=clip_value)
