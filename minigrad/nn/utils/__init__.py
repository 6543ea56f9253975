"""What is done to all parameters at once; the path is PyTorch's."""

from minigrad.nn.utils import rnn
from minigrad.nn.utils.clipping import clip_grad_norm_, clip_grad_value_
from minigrad.nn.utils.vectors import parameters_to_vector, vector_to_parameters

__all__ = [
    "clip_grad_norm_",
    "clip_grad_value_",
    "parameters_to_vector",
    "rnn",
    "vector_to_parameters",
]
