"""Drawings whose DOT text is kept in tests/golden, so that a change of any of them is seen.

To renew them after a change that was meant, and to look at what changed:

    python tests/golden_drawings.py && git diff tests/golden

Where numbers stand on them, they are exact on every machine.
"""

from pathlib import Path

import minigrad as mg
from minigrad import nn
from minigrad.drawing import Graph, compare, draw

FOLDER = Path(__file__).parent / "golden"


def small() -> Graph:
    """ReLU(a·b + c) after backward, with values and gradients, and its legend."""
    a, b, c = (mg.tensor(x, requires_grad=True) for x in (2.0, -3.0, 7.0))
    y = mg.relu(a * b + c)
    y.backward()
    return draw(y, names={"a": a, "b": b, "c": c, "y": y}, legend=True)


def layer() -> Graph:
    """Linear → BatchNorm → ReLU in their modules, from top to bottom."""
    model = nn.Sequential(nn.Linear(4, 3), nn.BatchNorm1d(3), nn.ReLU())
    return draw(model(mg.ones(5, 4)).sum(), show="shape", direction="TB")


class Block(nn.Module):
    """x + Linear(ReLU(LayerNorm(x)))."""

    def __init__(self, width: int) -> None:
        self.norm = nn.LayerNorm(width)
        self.linear = nn.Linear(width, width)

    def forward(self, x: mg.Tensor) -> mg.Tensor:
        """Map (N, width) to itself."""
        return x + self.linear(mg.relu(self.norm(x)))


def network() -> Graph:
    """200 residual blocks, which fold themselves."""
    model = nn.Sequential(nn.Linear(3, 4), *[Block(4) for _ in range(200)], nn.Linear(4, 2))
    return draw(model(mg.ones(5, 3)).sum(), show="shape")


def backward() -> Graph:
    """A backward pass beside its forward, opened and with its rules folded."""
    w, x = mg.tensor([2.0, -1.0], requires_grad=True), mg.tensor([3.0, 4.0])
    y = (w * x).relu().sum()
    names = {"w": w, "x": x, "y": y}
    graphs = [draw(y, names=names, backward=True, show="value", depth=d) for d in (None, 0)]
    return compare(*graphs, titles=("each operation", "each rule"))


CASES = (small, layer, network, backward)


def renew() -> None:
    """Write the texts of now."""
    FOLDER.mkdir(exist_ok=True)
    for case in CASES:
        (FOLDER / f"{case.__name__}.dot").write_text(case().dot, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    renew()
