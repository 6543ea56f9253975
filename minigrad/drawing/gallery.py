"""Examples of all that can be drawn, each a few lines that a reader can copy.

`examples` answers them drawn, for the page of the course's site; each is a function here, and the
code that is shown is its body.
"""

from __future__ import annotations

import ast
import base64
import functools
import inspect
import textwrap
from collections.abc import Callable
from dataclasses import dataclass

import minigrad as mg
from minigrad import nn
from minigrad.drawing import Graph, compare

SETUP = "import minigrad as mg\nfrom minigrad import nn\nfrom minigrad.drawing import compare"


@dataclass(frozen=True)
class Example:
    """A drawing, what it is called, and the code that makes it."""

    title: str
    code: str
    graph: Graph

    @property
    def picture(self) -> str:
        """The SVG as the address of an image; as such its names meet no others on a page."""
        return f"data:image/svg+xml;base64,{base64.b64encode(self.graph.svg.encode()).decode()}"


def values_and_gradients() -> Graph:
    """Values and gradients of a few numbers."""
    a, b, c = (mg.tensor(x, requires_grad=True) for x in (2.0, -3.0, 6.5))
    d = (a * b + c).tanh()
    d.backward()
    return mg.draw(d, names={"a": a, "b": b, "c": c, "d": d})


def reasons() -> Graph:
    """A gradient that is not there says why, and one that is not this result's says so."""
    w, spare = (mg.tensor([1.0, 2.0], requires_grad=True) for _ in range(2))
    x = mg.tensor([3.0, 4.0])
    (spare * x).sum().backward()
    h = (w * x).sqrt()
    y = (h * h.detach() + spare).sum()
    y.backward()
    return mg.draw(y, names={"w": w, "spare": spare, "x": x, "h": h, "y": y}, legend=True)


def layers() -> Graph:
    """Modules, with γ and σ of a normalization as boxes of their own."""
    mg.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 3), nn.BatchNorm1d(3), nn.ReLU(), nn.Linear(3, 2))
    loss = nn.functional.cross_entropy(model(mg.randn(8, 4)), mg.tensor([0, 1] * 4))
    loss.backward()
    return mg.draw(loss, names={"loss": loss}, legend=True)


def from_top_to_bottom() -> Graph:
    """From top to bottom, coloured by the size of the gradients."""
    mg.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 8), nn.Sigmoid(), nn.Linear(8, 8), nn.Sigmoid())
    loss = model(mg.randn(8, 4)).square().mean()
    loss.backward()
    return mg.draw(loss, show="shape", direction="TB", heat="grad")


def folded() -> Graph:
    """A transformer's layer with its modules folded to boxes."""
    mg.manual_seed(0)
    model = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)
    return mg.draw(model(mg.randn(2, 5, 8)), show="shape", depth=1)


def repeated() -> Graph:
    """A hundred layers, which fold themselves."""
    mg.manual_seed(0)
    layer = [layer for _ in range(100) for layer in (nn.Linear(8, 8), nn.BatchNorm1d(8), nn.ReLU())]
    loss = nn.Sequential(*layer, nn.Linear(8, 1))(mg.randn(16, 8)).square().mean()
    loss.backward()
    return mg.draw(loss, heat="grad")


def convolution() -> Graph:
    """A convolution, and the largest of each patch of what it finds."""
    mg.manual_seed(0)
    x = mg.randn(2, 1, 8, 8).requires_grad_()
    model = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.MaxPool2d(2))
    return mg.draw(model(x), names={"x": x}, show="shape")


def backward() -> Graph:
    """The backward pass beside the forward, each rule in words."""
    mg.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 3), nn.LayerNorm(3), nn.ReLU())
    y = model(mg.randn(5, 4)).sum()
    return mg.draw(y, names={"y": y}, show="shape", backward=True, depth=3)


def double_backward() -> Graph:
    """A gradient of a gradient: the backward pass of a backward pass."""
    x = mg.tensor(2.0, requires_grad=True)
    (g,) = mg.grad(x**3, [x], create_graph=True)
    assert g is not None  # noqa: S101 - for the type checker
    return mg.draw(g, names={"x": x, "g": g}, show="value", backward=True)


def products() -> Graph:
    """The product of Jacobians with and without γ/σ, factor by factor."""
    mg.manual_seed(0)
    model = nn.Sequential(nn.Linear(6, 4), nn.BatchNorm1d(4), nn.ReLU(), nn.Linear(4, 4))
    x = mg.randn(8, 6)
    without, exact = (
        mg.draw(
            model(x),
            show="shape",
            depth=1,
            product=mg.products.backprop_product(model, x, scaling=scaling),
        )
        for scaling in ("none", "exact")
    )
    return compare(without, exact, titles=("without γ/σ", "with γ/σ"))


EXAMPLES: tuple[Callable[[], Graph], ...] = (
    values_and_gradients,
    reasons,
    layers,
    from_top_to_bottom,
    folded,
    repeated,
    convolution,
    backward,
    double_backward,
    products,
)


@functools.cache
def examples() -> list[Example]:
    """Every example, drawn."""
    return [Example((f.__doc__ or "").rstrip("."), _body(f), f()) for f in EXAMPLES]


def _body(function: Callable[[], Graph]) -> str:
    """The lines of ``function`` after its docstring, with what it answers as the last of them."""
    source = textwrap.dedent(inspect.getsource(function))
    definition = ast.parse(source).body[0]
    assert isinstance(definition, ast.FunctionDef)  # noqa: S101 - for the type checker
    lines = source.splitlines()[definition.body[1].lineno - 1 :]
    lines = [line for line in lines if not line.endswith("# noqa: S101 - for the type checker")]
    return textwrap.dedent("\n".join(lines)).replace("return ", "")
