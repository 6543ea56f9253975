"""All parameters as one vector, for those who think of a network as a point."""

from __future__ import annotations

from collections.abc import Iterable

from minigrad import ops
from minigrad.recording import no_grad
from minigrad.tensor import Tensor


def parameters_to_vector(parameters: Iterable[Tensor]) -> Tensor:
    """All entries one after the other, (P,); the gradient travels back to the parameters."""
    vector: Tensor = ops.cat([ops.reshape(p, (-1,)) for p in parameters])
    return vector


@no_grad()
def vector_to_parameters(vec: Tensor, parameters: Iterable[Tensor]) -> None:
    """Write the entries of a vector (P,) into the parameters, in the order they came from."""
    held = list(parameters)
    wanted = sum(p.numel() for p in held)
    if vec.shape != (wanted,):
        raise ValueError(
            f"vector_to_parameters needs a vector of shape ({wanted},), one entry for each of the "
            f"parameters; got shape {vec.shape}. Make it with parameters_to_vector."
        )
    start = 0
    for p in held:
        p[...] = ops.reshape(vec[start : start + p.numel()], p.shape)
        start += p.numel()
