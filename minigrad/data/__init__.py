"""Data: samples, batches of them, and some sets to learn from."""

from minigrad.data.cifar import CIFAR10, read_cifar10
from minigrad.data.loading import (
    DataLoader,
    Dataset,
    Subset,
    TensorDataset,
    default_collate,
    random_split,
)
from minigrad.data.mnist import MNIST, read_idx
from minigrad.data.small import Table, breast_cancer, digits, iris, wine

__all__ = [
    "CIFAR10",
    "MNIST",
    "DataLoader",
    "Dataset",
    "Subset",
    "Table",
    "TensorDataset",
    "breast_cancer",
    "default_collate",
    "digits",
    "iris",
    "random_split",
    "read_cifar10",
    "read_idx",
    "wine",
]
