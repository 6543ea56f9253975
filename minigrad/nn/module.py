"""Module: a layer or a network, and what it learns."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Self

from minigrad import backend, memory
from minigrad.nn.hooks import HookHandle, Hooks
from minigrad.recording import thread
from minigrad.tensor import Tensor


class Parameter(Tensor):
    """A tensor that a module learns: it requires grad, and `Module.parameters` finds it."""

    __slots__ = ()

    def __init__(self, data: Any, requires_grad: bool = True) -> None:
        super().__init__(data.data if isinstance(data, Tensor) else data, requires_grad)


class Module:
    """Base class of layers and networks: assign parameters and modules, write ``forward``.

    >>> class Net(Module):
    ...     def __init__(self):
    ...         self.hidden, self.out = nn.Linear(4, 8), nn.Linear(8, 3)
    ...
    ...     def forward(self, x):
    ...         return self.out(mg.relu(self.hidden(x)))
    """

    training = True
    _name = ""
    _buffer_names: tuple[str, ...] = ()
    _hooks: Hooks | None = None

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Let the constructor of every module take ``device`` and ``dtype``."""
        super().__init_subclass__(**kwargs)
        if "__init__" in vars(cls):
            cls.__init__ = _placed(vars(cls)["__init__"])  # type: ignore[method-assign]

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """Compute the module's output; every module writes its own."""
        raise NotImplementedError(f"{type(self).__name__} has no forward(); write one.")

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run `forward`; operations recorded in it carry this module's name."""
        state = thread.state
        outer = state.scope
        state.scope = (*outer, (self._name, type(self).__name__))
        try:
            if self._hooks is not None:
                return self._hooks.run(self, args, kwargs)
            return self.forward(*args, **kwargs) if kwargs else self.forward(*args)
        finally:
            state.scope = outer

    def __setattr__(self, name: str, value: Any) -> None:
        """Assign; parameters and modules learn the name they are held by."""
        if isinstance(value, Parameter) and value.name is None:
            value.name = name
        elif isinstance(value, Module) and not value._name:
            value._rename(name)
        object.__setattr__(self, name, value)

    def _rename(self, name: str) -> None:
        """Take the name that the module which holds this one has for it."""
        object.__setattr__(self, "_name", name)

    def register_buffer(self, name: str, value: Tensor | None) -> None:
        """Hold a tensor that is part of the state but is not learned, such as a running mean."""
        self._buffer_names = (*self._buffer_names, name)
        setattr(self, name, value)

    def register_parameter(self, name: str, param: Parameter | None) -> None:
        """Hold a parameter under this name; None keeps the name for one that may come."""
        if param is not None and not isinstance(param, Parameter):
            raise TypeError(
                f"register_parameter({name!r}) needs a Parameter; got {type(param).__name__}. "
                "Wrap it: nn.Parameter(x)."
            )
        self._refuse_name(name, Parameter)
        setattr(self, name, param)

    def add_module(self, name: str, module: Module | None) -> None:
        """Hold a module under this name, as an assignment does; for names made at run time."""
        if module is not None and not isinstance(module, Module):
            raise TypeError(
                f"{type(self).__name__} needs modules; got {module!r} in place {name}. Wrap "
                "functions in a Module (nn.ReLU() for mg.relu)."
            )
        self._refuse_name(name, Module)
        setattr(self, name, module)

    register_module = add_module

    def _refuse_name(self, name: str, kind: type) -> None:
        """Refuse names that no path could hold, or that would hide something of another kind."""
        if not isinstance(name, str) or not name or "." in name:
            raise ValueError(
                f"{type(self).__name__} needs a name without dots, which separate the names in a "
                f"path; got {name!r}. Choose another."
            )
        if hasattr(self, name) and not isinstance(getattr(self, name), kind | None):
            raise ValueError(
                f"{type(self).__name__} was given a {kind.__name__.lower()} named {name!r}, which "
                "is a name of its own. Choose another."
            )

    # ── what is inside ───────────────────────────────────────────────────────────────────────────

    def named_children(self) -> Iterator[tuple[str, Module]]:
        """The modules held directly, in the order they were assigned."""
        for name, value in vars(self).items():
            if isinstance(value, Module):
                yield name, value

    def named_modules(self, prefix: str = "") -> Iterator[tuple[str, Module]]:
        """This module and all inside it, each with its path; one held twice comes once."""
        seen: set[int] = set()
        waiting: list[tuple[str, Module]] = [(prefix, self)]
        while waiting:
            path, module = waiting.pop()
            if id(module) in seen:
                continue
            seen.add(id(module))
            yield path, module
            children = [(_join(path, name), child) for name, child in module.named_children()]
            waiting.extend(reversed(children))

    def named_parameters(self, prefix: str = "") -> Iterator[tuple[str, Parameter]]:
        """All parameters with their paths; one held twice comes once."""
        seen: set[int] = set()
        for path, module in self.named_modules(prefix):
            for name, value in vars(module).items():
                if isinstance(value, Parameter) and id(value) not in seen:
                    seen.add(id(value))
                    yield _join(path, name), value

    def named_buffers(self, prefix: str = "") -> Iterator[tuple[str, Tensor]]:
        """All buffers with their paths."""
        for path, module in self.named_modules(prefix):
            for name in module._buffer_names:
                if (value := getattr(module, name)) is not None:
                    yield _join(path, name), value

    def children(self) -> Iterator[Module]:
        """The modules held directly."""
        return (child for _, child in self.named_children())

    def modules(self) -> Iterator[Module]:
        """This module and all inside it."""
        return (module for _, module in self.named_modules())

    def parameters(self) -> Iterator[Parameter]:
        """All parameters."""
        return (parameter for _, parameter in self.named_parameters())

    def buffers(self) -> Iterator[Tensor]:
        """All buffers."""
        return (buffer for _, buffer in self.named_buffers())

    def get_submodule(self, target: str) -> Module:
        """The module at a path such as "layers.0.norm"; "" is this one."""
        found: Any = self
        for name in target.split(".") if target else ():
            held = dict(found.named_children())
            if name not in held:
                raise AttributeError(
                    f"get_submodule({target!r}) found no module {name!r} in "
                    f"{type(found).__name__}, which holds: {', '.join(held) or 'none'}. See "
                    "named_modules() for all paths."
                )
            found = held[name]
        return found

    def get_parameter(self, target: str) -> Parameter:
        """The parameter at a path such as "layers.0.weight"."""
        path, _, name = target.rpartition(".")
        found = getattr(self.get_submodule(path), name, None)
        if not isinstance(found, Parameter):
            raise AttributeError(
                f"get_parameter({target!r}) found no parameter there. See named_parameters() for "
                "all paths."
            )
        return found

    def get_buffer(self, target: str) -> Tensor:
        """The buffer at a path such as "layers.0.running_mean"."""
        path, _, name = target.rpartition(".")
        module = self.get_submodule(path)
        if name not in module._buffer_names or getattr(module, name) is None:
            raise AttributeError(
                f"get_buffer({target!r}) found no buffer there. See named_buffers() for all paths."
            )
        found: Tensor = getattr(module, name)
        return found

    def apply(self, fn: Callable[[Module], Any]) -> Self:
        """Call ``fn`` on every module inside, then on this one: to initialise weights, say."""
        for child in self.children():
            child.apply(fn)
        fn(self)
        return self

    # ── modes and gradients ──────────────────────────────────────────────────────────────────────

    def train(self, mode: bool = True) -> Self:
        """Switch to training (batch statistics, dropout), or with False to evaluation."""
        for module in self.modules():
            object.__setattr__(module, "training", mode)
        return self

    def eval(self) -> Self:
        """Switch to evaluation (running statistics, no dropout)."""
        return self.train(False)

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients: they add up over calls of `backward` until they are cleared.

        They become None, which is *not computed*; with ``set_to_none=False`` zeros.
        """
        for parameter in self.parameters():
            if set_to_none or parameter.grad is None:
                parameter.grad = None
            else:
                parameter.grad = Tensor(backend.zeros(parameter.shape, like=parameter.data))

    def requires_grad_(self, requires_grad: bool = True) -> Self:
        """Learn, or freeze, all parameters."""
        for parameter in self.parameters():
            parameter.requires_grad = requires_grad
        return self

    # ── hooks ────────────────────────────────────────────────────────────────────────────────────

    def register_forward_hook(
        self, hook: Callable[..., Any], *, prepend: bool = False, with_kwargs: bool = False
    ) -> HookHandle:
        """Call ``hook(module, args, output)`` after each forward; what it returns is the output.

        None leaves the output as it is. With ``with_kwargs`` the hook is called as
        ``hook(module, args, kwargs, output)``; with ``prepend`` before the hooks there are. The
        answer is a handle whose ``remove()`` takes the hook away.
        """
        return self._hook("after", hook, prepend, with_kwargs)

    def register_forward_pre_hook(
        self, hook: Callable[..., Any], *, prepend: bool = False, with_kwargs: bool = False
    ) -> HookHandle:
        """Call ``hook(module, args)`` before each forward; what it returns are the arguments.

        None leaves them as they are; what is no tuple becomes the one argument. With
        ``with_kwargs``, ``hook(module, args, kwargs)`` returns None or both.
        """
        return self._hook("before", hook, prepend, with_kwargs)

    def _hook(
        self, when: str, hook: Callable[..., Any], prepend: bool, with_kwargs: bool
    ) -> HookHandle:
        if self._hooks is None:
            self._hooks = Hooks()
        held = getattr(self._hooks, when)
        held.insert(0 if prepend else len(held), entry := (hook, with_kwargs))
        return HookHandle(self, held, entry)

    # ── other dtypes, other places ───────────────────────────────────────────────────────────────

    def to(
        self,
        *targets: Any,
        device: str | None = None,
        dtype: Any = None,
        non_blocking: bool = False,
    ) -> Self:
        """Move to a backend (``"cupy"``) or a floating dtype (``mg.float64``), in place."""
        for target in (*targets, device, dtype):
            if target is not None:
                self._move(target)
        return self

    def _move(self, target: Any) -> None:
        """Move to one place, or to one dtype."""
        place = backend.place(target) if isinstance(target, str) else None
        for tensor in (*self.parameters(), *self.buffers()):
            if place is not None:
                tensor.data = backend.to(tensor.data, place)
            elif backend.is_float(tensor.dtype):
                tensor.data = tensor.detach().astype(target).data
            tensor.grad = None
            memory.wrote(tensor.data)

    def type(self, dst_type: Any) -> Self:
        """Use parameters of this dtype."""
        return self.to(dst_type)

    def float(self) -> Self:
        """Use float32 parameters."""
        return self.to(backend.float32)

    def double(self) -> Self:
        """Use float64 parameters."""
        return self.to(backend.float64)

    def half(self) -> Self:
        """Use float16 parameters."""
        return self.to(backend.float16)

    def cpu(self) -> Self:
        """Move to host memory."""
        return self.to("cpu")

    def cuda(self, device: Any = None) -> Self:
        """Move to the GPU."""
        return self.to("cuda")

    # ── saving and loading ───────────────────────────────────────────────────────────────────────

    def state_dict(self) -> dict[str, Tensor]:
        """Parameters and buffers by path, detached; they share memory with the module.

        In PyTorch's order, module by module; what is held twice comes under both paths.
        """
        return {path: tensor.detach() for path, tensor in self._held("")}

    def _held(self, prefix: str) -> Iterator[tuple[str, Tensor]]:
        """What a state_dict holds, by path: parameters, buffers, then the children's."""
        for name, value in vars(self).items():
            if isinstance(value, Parameter):
                yield _join(prefix, name), value
        for name in self._buffer_names:
            if (value := getattr(self, name)) is not None:
                yield _join(prefix, name), value
        for name, child in self.named_children():
            yield from child._held(_join(prefix, name))

    def load_state_dict(self, state_dict: Mapping[str, Any], strict: bool = True) -> None:
        """Copy in tensors or arrays by path, keeping each parameter's dtype and place.

        Raises
        ------
        ValueError
            If paths or shapes differ; all differences are listed and nothing is changed. With
            ``strict=False`` only shapes must agree.
        """
        held = dict(self._held(""))
        problems = []
        if strict:
            problems += [f"  missing     {path}" for path in held if path not in state_dict]
            problems += [f"  unexpected  {path}" for path in state_dict if path not in held]
        problems += [
            f"  shape       {path}: the module has {tensor.shape}, the state_dict "
            f"{tuple(state_dict[path].shape)}"
            for path, tensor in held.items()
            if path in state_dict and tuple(state_dict[path].shape) != tensor.shape
        ]
        if problems:
            differences = "\n".join(problems)
            raise ValueError(
                f"load_state_dict of {type(self).__name__} needs the same paths and shapes; found "
                f"these differences (nothing was loaded):\n{differences}\n"
                "Build the module as it was saved, or rename the keys; strict=False skips paths "
                "that are on one side only."
            )
        for path, tensor in held.items():
            if path in state_dict:
                given = state_dict[path]
                raw = given.data if isinstance(given, Tensor) else given
                tensor.data = backend.copy_as(raw, tensor.data)
                memory.wrote(tensor.data)

    # ── how it looks ─────────────────────────────────────────────────────────────────────────────

    def extra_repr(self) -> str:
        """What stands between the parentheses of the module's own line."""
        return ""

    def __repr__(self) -> str:
        """The module and what is inside, indented."""
        lines = [
            f"({name}): {child!r}".replace("\n", "\n  ") for name, child in self.named_children()
        ]
        inside = "\n  ".join([self.extra_repr(), *lines] if self.extra_repr() else lines)
        end = "\n" if lines else ""
        return f"{type(self).__name__}({end}{'  ' if lines else ''}{inside}{end})"

    def _place(self) -> str:
        """This module's name for messages: its class, and its path in the network that runs."""
        path = ".".join(name for name, _ in thread.state.scope if name)
        return type(self).__name__ + (f" {path!r}" if path else "")


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _placed(init: Callable[..., None]) -> Callable[..., None]:
    """A constructor that takes ``device`` and ``dtype`` too, and moves there what it has built.

    One that names them, or takes any keyword, sees to them itself.
    """
    code = init.__code__
    named = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
    if {"device", "dtype"} & set(named) or code.co_flags & inspect.CO_VARKEYWORDS:
        return init

    @functools.wraps(init)
    def built(
        self: Module, *args: Any, device: str | None = None, dtype: Any = None, **kwargs: Any
    ) -> None:
        init(self, *args, **kwargs)
        if device is not None or dtype is not None:
            self.to(device=device, dtype=dtype)

    return built
