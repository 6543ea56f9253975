"""From gradients to steps: optimizers, and schedules for their learning rates."""

from minigrad.optim import lr_scheduler
from minigrad.optim.adaptive import Adadelta, Adagrad, Adamax, NAdam, RAdam
from minigrad.optim.optimizers import SGD, Adam, AdamW, Optimizer, RMSprop

__all__ = [
    "SGD",
    "Adadelta",
    "Adagrad",
    "Adam",
    "AdamW",
    "Adamax",
    "NAdam",
    "Optimizer",
    "RAdam",
    "RMSprop",
    "lr_scheduler",
]
