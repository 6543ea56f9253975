"""From gradients to steps: optimizers, and schedules for their learning rates."""

from minigrad.optim import lr_scheduler
from minigrad.optim.optimizers import SGD, Adam, AdamW, Optimizer, RMSprop

__all__ = ["SGD", "Adam", "AdamW", "Optimizer", "RMSprop", "lr_scheduler"]
