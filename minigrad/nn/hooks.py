"""Functions that run before and after a module's forward."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from minigrad.nn.module import Module


class Hooks:
    """What a module runs before and after its forward: (function, whether it takes kwargs)."""

    def __init__(self) -> None:
        self.before: list[tuple[Callable[..., Any], bool]] = []
        self.after: list[tuple[Callable[..., Any], bool]] = []

    def run(self, module: Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """The module's forward between its hooks."""
        for hook, with_kwargs in list(self.before):
            if with_kwargs:
                if (changed := hook(module, args, kwargs)) is not None:
                    args, kwargs = changed
            elif (changed := hook(module, args)) is not None:
                args = changed if isinstance(changed, tuple) else (changed,)
        output = module.forward(*args, **kwargs)
        for hook, with_kwargs in list(self.after):
            asked = (module, args, kwargs, output) if with_kwargs else (module, args, output)
            if (changed := hook(*asked)) is not None:
                output = changed
        return output


class HookHandle:
    """What registering a hook answers: ``remove()`` takes it away, as does leaving a ``with``."""

    def __init__(self, module: Module, held: list[Any], entry: Any) -> None:
        self._module, self._held, self._entry = module, held, entry

    def remove(self) -> None:
        """Take the hook away; a second time does nothing."""
        self._held[:] = [entry for entry in self._held if entry is not self._entry]
        hooks = self._module._hooks
        if hooks is not None and not hooks.before and not hooks.after:
            self._module._hooks = None  # a plain call again

    def __enter__(self) -> Self:
        """Nothing left to do: the hook is in place."""
        return self

    def __exit__(self, *error: object) -> None:
        """Take the hook away."""
        self.remove()
