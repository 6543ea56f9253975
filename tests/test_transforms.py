"""Products with Jacobians, Jacobians, Hessians: PyTorch's; and a checker that finds errors."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from conftest import host, near

import minigrad as mg
from minigrad import transforms


@dataclass(frozen=True)
class Case:
    """A function in the vocabulary that minigrad and PyTorch share, and shapes for its inputs."""

    name: str
    f: Callable[..., Any]  # f(m, *inputs)
    shapes: tuple[tuple[int, ...], ...]
    single: bool = False  # pass the one input bare, not in a tuple
    scalar: bool = False


CASES = [
    Case("vector", lambda m, x: m.sin(x) * x.sum(), ((3,),), single=True),
    Case("matrix", lambda m, x: m.tanh(x @ x.T), ((2, 3),), single=True),
    Case("0-d", lambda m, x: m.exp(x) * x, ((),), single=True),
    Case("0-d to vector", lambda m, x: x * m.tensor([1.0, 2.0], dtype=m.float64), ((),), True),
    Case("linear", lambda m, x: x * 2 + 1, ((3,),), single=True),
    Case("tuple of one", lambda m, x: x**3, ((3,),)),
    Case("two inputs", lambda m, x, y: m.exp(x) @ y, ((2, 3), (3,))),
    Case("one unused", lambda m, x, y: m.sin(y), ((2,), (3,))),
    Case("scalar", lambda m, x: (m.sin(x) * x * x.sum()).sum(), ((3,),), True, scalar=True),
    Case("scalar of a matrix", lambda m, x: (x @ x.T @ x).sum(), ((2, 3),), True, scalar=True),
    Case("scalar, linear", lambda m, x: (2 * x).sum(), ((3,),), True, scalar=True),
    Case(
        "scalar of two", lambda m, x, y: (m.exp(x) @ y).sum() + (y**3).sum(), ((2, 3), (3,)),
        scalar=True,
    ),
    Case("scalar, one unused", lambda m, x, y: (y**3).sum(), ((2,), (3,)), scalar=True),
]  # fmt: skip

cases = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
scalars = pytest.mark.parametrize(
    "case", [case for case in CASES if case.scalar], ids=lambda case: case.name
)


def arrays(case: Case, random: np.random.Generator) -> list[np.ndarray]:
    """Numbers for the inputs."""
    return [np.asarray(random.standard_normal(shape)) for shape in case.shapes]


def pack(m: Any, case: Case, values: list[np.ndarray], requires_grad: bool = False) -> Any:
    """Tensors of ``m``: one where the case passes one, else a tuple."""
    tensors = tuple(m.tensor(value, requires_grad=requires_grad) for value in values)
    return tensors[0] if case.single else tensors


def same(found: Any, wanted: Any, tolerance: float = 1e-10) -> None:
    """Assert the same nesting of tuples, with near numbers."""
    assert isinstance(found, tuple) == isinstance(wanted, tuple)
    if not isinstance(found, tuple):
        near(found, wanted, tolerance)
        return
    for a, b in zip(found, wanted, strict=True):
        same(a, b, tolerance)


@pytest.mark.torch
@cases
def test_vjp_and_jvp_equal_pytorch(
    place: str, torch: ModuleType, random: np.random.Generator, case: Case
) -> None:
    """(f(x), vᵀJ) and (f(x), Jv) are those of torch.autograd.functional, nested alike."""
    inputs = arrays(case, random)
    y = case.f(mg, *[mg.tensor(a) for a in inputs])
    rows, columns = random.standard_normal(y.shape), arrays(case, random)

    def run(m: Any, module: Any, order: str) -> Any:
        v = m.tensor(rows) if order == "vjp" else pack(m, case, columns)
        return getattr(module, order)(lambda *xs: case.f(m, *xs), pack(m, case, inputs), v)

    for order in ("vjp", "jvp"):
        found = run(mg, mg, order)
        same(found, run(torch, torch.autograd.functional, order))
        assert not found[0].requires_grad


@pytest.mark.torch
@cases
def test_jacobian_equals_pytorch(
    place: str, torch: ModuleType, random: np.random.Generator, case: Case
) -> None:
    """∂f/∂x has shape (*f.shape, *x.shape) and PyTorch's numbers, zeros for an unused input."""
    inputs = arrays(case, random)
    found = mg.jacobian(lambda *xs: case.f(mg, *xs), pack(mg, case, inputs))
    wanted = torch.autograd.functional.jacobian(
        lambda *xs: case.f(torch, *xs), pack(torch, case, inputs)
    )
    same(found, wanted)
    first = found[0] if isinstance(found, tuple) else found
    assert first.backend == place
    assert not first.requires_grad


@pytest.mark.torch
@scalars
def test_hessian_and_hvp_equal_pytorch(
    place: str, torch: ModuleType, random: np.random.Generator, case: Case
) -> None:
    """∂²f/∂x∂x, and its product with v, are PyTorch's, for one input and for several."""
    inputs, vs = arrays(case, random), arrays(case, random)

    def run(m: Any, module: Any) -> tuple[Any, Any]:
        def f(*xs: Any) -> Any:
            return case.f(m, *xs)

        x, v = pack(m, case, inputs), pack(m, case, vs)
        return module.hessian(f, x), module.hvp(f, x, v)

    same(run(mg, mg), run(torch, torch.autograd.functional))


@pytest.mark.torch
@pytest.mark.parametrize("transform", ["vjp", "jvp", "jacobian", "hessian"])
def test_create_graph_differentiates_again(
    place: str, torch: ModuleType, random: np.random.Generator, transform: str
) -> None:
    """With create_graph the answers are differentiable by the inputs, to PyTorch's numbers."""
    data, direction = random.standard_normal((2, 3))

    def run(m: Any, module: Any, grad: Any) -> list[Any]:
        def f(x: Any) -> Any:
            y = m.sin(x) * x * x.sum()
            return y.sum() if transform == "hessian" else y

        x = m.tensor(data, requires_grad=True)
        v = [m.tensor(direction)] if transform in ("vjp", "jvp") else []
        found = getattr(module, transform)(f, x, *v, create_graph=True)
        answer = found[1] if v else found
        assert answer.requires_grad
        total = (answer * answer).sum() + (found[0].sum() if v else 0)
        return [answer, *grad(total, [x])]

    for a, b in zip(
        run(mg, mg, mg.grad), run(torch, torch.autograd.functional, torch.autograd.grad),
        strict=True,
    ):  # fmt: skip
        near(a, b)


@cases
def test_jvp_equals_differences(place: str, random: np.random.Generator, case: Case) -> None:
    """Jv is the central difference of f along v."""
    inputs, vs = arrays(case, random), arrays(case, random)

    def along(step: float) -> np.ndarray:
        moved = [mg.tensor(x + step * v) for x, v in zip(inputs, vs, strict=True)]
        return host(case.f(mg, *moved))

    found = mg.jvp(lambda *xs: case.f(mg, *xs), pack(mg, case, inputs), pack(mg, case, vs))[1]
    near(found, (along(1e-6) - along(-1e-6)) / 2e-6, 1e-7)


@cases
def test_products_are_those_of_the_jacobian(
    place: str, random: np.random.Generator, case: Case
) -> None:
    """vjp and jvp are the Jacobian times a row and a column, summed over the inputs."""
    inputs, vs = arrays(case, random), arrays(case, random)

    def f(*xs: Any) -> Any:
        return case.f(mg, *xs)

    x = pack(mg, case, inputs)
    y = f(*[mg.tensor(a) for a in inputs])
    jacobians = mg.jacobian(f, x)
    blocks = [
        host(j).reshape(y.numel(), -1)
        for j in (jacobians if isinstance(jacobians, tuple) else (jacobians,))
    ]
    row = random.standard_normal(y.shape)
    products = mg.vjp(f, x, mg.tensor(row))[1]
    for product, block in zip(
        products if isinstance(products, tuple) else (products,), blocks, strict=True
    ):
        near(host(product).reshape(-1), row.reshape(-1) @ block)
    column = sum(block @ v.reshape(-1) for block, v in zip(blocks, vs, strict=True))
    near(host(mg.jvp(f, x, pack(mg, case, vs))[1]).reshape(-1), column)


def test_a_constant_function_has_zero_derivatives(place: str) -> None:
    """A function that depends on no input answers zeros of the right shapes, at every order."""
    x = mg.tensor(np.array([1.0, 2.0, 3.0]))
    c = mg.tensor(np.array([5.0, 6.0]))
    near(mg.vjp(lambda x: c, x, mg.ones_like(c))[1], np.zeros(3))
    near(mg.jvp(lambda x: c, x, mg.ones_like(x))[1], np.zeros(2))
    near(mg.jacobian(lambda x: c, x), np.zeros((2, 3)))
    near(mg.hessian(lambda x: c.sum(), x), np.zeros((3, 3)))
    near(mg.hvp(lambda x: c.sum(), x, x)[1], np.zeros(3))


def test_empty_inputs_and_outputs_have_empty_jacobians(place: str) -> None:
    """No entries in or out: a Jacobian of the right shape without entries."""
    x = mg.tensor(np.ones((2, 3)))
    assert mg.jacobian(lambda x: x[:0], x).shape == (0, 3, 2, 3)
    assert mg.jacobian(lambda x: x.sum(), x[:0]).shape == (0, 3)
    assert mg.jacobian(lambda x: x.reshape(1)[:0], mg.tensor(2.0)).shape == (0,)


def test_transforms_leave_inputs_alone(place: str) -> None:
    """No .grad is written, no requires_grad set, also for inputs that were being tracked."""
    x = mg.tensor(np.array([1.0, 2.0]), requires_grad=True)
    z = x * 2
    jacobian = mg.jacobian(lambda z: z * z, z)
    near(jacobian, np.diag(2 * host(z)))
    plain = mg.tensor(np.array([1.0, 2.0]))
    mg.hvp(lambda p: (p * p).sum(), plain, plain)
    assert x.grad is None
    assert plain.grad is None
    assert not plain.requires_grad


def test_transforms_work_inside_no_grad(place: str) -> None:
    """What asks for a derivative gets it, whatever is recorded around it."""
    x = mg.tensor(np.array([1.0, 2.0]))
    with mg.no_grad():
        near(mg.jacobian(lambda x: x * x, x), np.diag([2.0, 4.0]))
        near(mg.hessian(lambda x: (x * x).sum(), x), 2 * np.eye(2))
        near(mg.jvp(lambda x: x * x, x, x)[1], np.array([2.0, 8.0]))
        assert mg.gradcheck(lambda x: x * x, x)


def test_second_order_transforms_need_a_scalar(place: str) -> None:
    """hessian and hvp of a vector say that the function must be scalar, and how."""
    x = mg.tensor(np.array([1.0, 2.0]))
    with pytest.raises(ValueError, match=r"hessian needs a function with a scalar .*\(2,\)"):
        mg.hessian(lambda x: x * x, x)
    with pytest.raises(ValueError, match=r"hvp needs a function with a scalar result"):
        mg.hvp(lambda x: x * x, x, x)


@pytest.mark.parametrize(
    "transform",
    [
        "vjp",
        "jvp",
        "hvp",
    ],
)
def test_directions_of_another_shape_are_refused(place: str, transform: str) -> None:
    """A direction whose shape is not the one it multiplies is an error, and does not broadcast."""
    x = mg.tensor(np.array([1.0, 2.0, 3.0]))
    f = (lambda x: (x * x).sum()) if transform == "hvp" else (lambda x: x * x)
    with pytest.raises(ValueError, match=r"\(1,\).*\(3,\)|\(3,\).*\(1,\)"):
        getattr(mg, transform)(f, x, mg.tensor(np.ones(1)))


# ── gradcheck ────────────────────────────────────────────────────────────────────────────────────


@mg.primitive
def cube(x: Any) -> Any:
    """x³, with its right rule."""
    return x * x * x


cube.vjp(x=lambda g, x: 3 * g * x * x)


@mg.primitive
def wrong(x: Any) -> Any:
    """x³, with a rule that is wrong."""
    return x * x * x


wrong.vjp(x=lambda g, x: 2 * g * x * x)


@mg.primitive
def wrong_second(x: Any) -> Any:
    """x³, with a rule that is right, but whose own derivative is lost."""
    return x * x * x


wrong_second.vjp(x=lambda g, x: 3 * g * (x * x.detach() if isinstance(x, mg.Tensor) else x * x))


@mg.primitive
def nan(x: Any) -> Any:
    """x, with a rule that answers NaN."""
    return x + 0


nan.vjp(x=lambda g: g * float("nan"))


@cases
def test_gradcheck_passes_right_rules(place: str, random: np.random.Generator, case: Case) -> None:
    """Right rules pass at three orders, with a row per input and order."""
    verdict = mg.gradcheck(
        lambda *xs: case.f(mg, *xs), pack(mg, case, arrays(case, random)), order=3, atol=1e-5
    )
    assert verdict, verdict
    assert [(c.order, c.input) for c in verdict.checks] == [
        (order, i) for order in (1, 2, 3) for i in range(len(case.shapes))
    ]
    assert not verdict.notes
    assert repr(verdict).startswith("gradcheck: passed")


def test_gradcheck_finds_a_wrong_rule_and_its_worst_entry(place: str) -> None:
    """A wrong rule fails, and the row names the entry that is furthest off and both numbers."""
    x = mg.tensor(np.array([[1.0, 2.0], [-5.0, 0.5]]))
    assert mg.gradcheck(cube, x)
    verdict = mg.gradcheck(lambda x: wrong(x).sum(), x, order=1)
    assert not verdict
    (check,) = verdict.checks
    u = check.difference / 75  # the random direction; 3x² at −5
    assert check.worst == (1, 0)
    assert check.rule == pytest.approx(50 * u, rel=1e-6)
    assert not check.kink
    assert "FAILED" in repr(verdict)
    assert "(1, 0)" in repr(verdict)


def test_gradcheck_names_the_input(place: str) -> None:
    """Where one of several inputs has a wrong rule, its row alone fails."""
    x = mg.tensor(np.array([1.0, 2.0]))
    verdict = mg.gradcheck(lambda a, b: cube(a) + wrong(b), (x, x), order=1)
    assert [check.error <= 1 for check in verdict.checks] == [True, False]


def test_gradcheck_finds_a_rule_wrong_at_second_order(place: str) -> None:
    """A rule that loses its own dependence on x passes at order 1 and fails at order 2."""
    x = mg.tensor(np.array([1.0, -2.0]))
    assert mg.gradcheck(wrong_second, x, order=1)
    verdict = mg.gradcheck(wrong_second, x, order=2)
    assert not verdict
    assert [(c.order, c.error <= 1) for c in verdict.checks] == [(1, True), (2, False)]


def test_gradcheck_fails_on_nan(place: str) -> None:
    """A rule that answers NaN is wrong, though NaN compares with nothing."""
    verdict = mg.gradcheck(nan, mg.tensor(np.array([1.0, 2.0])), order=1)
    assert not verdict
    assert verdict.checks[0].error == np.inf


def test_gradcheck_notices_a_kink(place: str) -> None:
    """relu at 0 has no derivative: it fails and says that it is a corner; beside it all is well."""
    at = mg.gradcheck(mg.relu, mg.tensor(np.array([1.0, 0.0, -1.0])), order=1)
    assert not at
    assert at.checks[0].worst == (1,)
    assert at.checks[0].kink
    assert any("corner" in note for note in at.notes)
    assert "(a kink?)" in repr(at)
    beside = mg.gradcheck(mg.relu, mg.tensor(np.array([1.0, 0.1, -1.0])))
    assert beside
    assert not beside.notes


def test_gradcheck_warns_of_float32(place: str) -> None:
    """float32 inputs earn a note, since differences there are good to 3 digits only."""
    verdict = mg.gradcheck(cube, mg.tensor([1.0, 2.0], dtype=mg.float32), order=1, eps=1e-2,
                           atol=1e-2, rtol=1e-2)  # fmt: skip
    assert verdict, verdict
    assert any("float64" in note for note in verdict.notes)


def test_gradcheck_of_nothing_is_no_success(place: str) -> None:
    """Empty inputs are reported as nothing to check, not as a pass."""
    verdict = mg.gradcheck(cube, mg.tensor(np.zeros((0, 3))))
    assert not verdict
    assert verdict.notes == ["there was nothing to check: all inputs are empty"]
    mixed = mg.gradcheck(lambda x, y: cube(x), (mg.tensor(np.ones(2)), mg.tensor(np.zeros(0))))
    assert mixed
    assert {check.input for check in mixed.checks} == {0}


def test_gradcheck_takes_functions_with_several_results(place: str) -> None:
    """Every one of several results is checked: an error in the second is found."""
    x = mg.tensor(np.array([1.0, 2.0]))
    assert mg.gradcheck(lambda x: (cube(x), x * x), x)
    assert not mg.gradcheck(lambda x: (cube(x), wrong(x)), x)


def test_basis_is_the_identity(place: str) -> None:
    """The unit vectors of a shape are the rows of the identity, in its order."""
    y = mg.tensor(np.zeros((2, 3)))
    rows = [host(unit).reshape(-1) for unit in transforms.basis(y)]
    near(np.stack(rows), np.eye(6), 0)
