"""From gradients to steps: optimizers, and schedules for their learning rates."""

from minigrad.optim import lr_scheduler
from minigrad.optim.adam import Adam, Adamax, AdamW, NAdam, RAdam
from minigrad.optim.adaptive import Adadelta, Adagrad, RMSprop
from minigrad.optim.optimizer import Optimizer
from minigrad.optim.sgd import SGD

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
