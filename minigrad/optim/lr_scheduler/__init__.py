"""Schedules for the learning rate: PyTorch's names and numbers.

Build one around an optimizer, and call ``scheduler.step()`` after ``optimizer.step()``: once an
epoch, but for `OneCycleLR`, which counts batches. Most change the rate by a factor, so several
can act on one optimizer, and a rate that is changed by hand stays changed.
"""

from minigrad.optim.lr_scheduler.composed import ChainedScheduler, SequentialLR
from minigrad.optim.lr_scheduler.further import (
    ConstantLR,
    CosineAnnealingWarmRestarts,
    MultiplicativeLR,
    PolynomialLR,
)
from minigrad.optim.lr_scheduler.plateau import ReduceLROnPlateau
from minigrad.optim.lr_scheduler.scheduler import LRScheduler
from minigrad.optim.lr_scheduler.schedules import (
    CosineAnnealingLR,
    ExponentialLR,
    LambdaLR,
    LinearLR,
    MultiStepLR,
    OneCycleLR,
    StepLR,
)

__all__ = [
    "ChainedScheduler",
    "ConstantLR",
    "CosineAnnealingLR",
    "CosineAnnealingWarmRestarts",
    "ExponentialLR",
    "LRScheduler",
    "LambdaLR",
    "LinearLR",
    "MultiStepLR",
    "MultiplicativeLR",
    "OneCycleLR",
    "PolynomialLR",
    "ReduceLROnPlateau",
    "SequentialLR",
    "StepLR",
]
