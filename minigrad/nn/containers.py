"""Modules that hold modules: in a row, in a list, by name."""

from __future__ import annotations

from collections.abc import ItemsView, Iterable, Iterator, KeysView, Mapping, ValuesView
from typing import Any, Self

from minigrad.nn.module import Module


class Listed(Module):
    """Modules under the names 0, 1, 2 …, with the manners of a list."""

    def _hold(self, modules: list[Module]) -> None:
        """Hold these modules and no others, in this order."""
        for name, module in list(self.named_children()):
            delattr(self, name)
            object.__setattr__(module, "_name", "")
        self.extend(modules)

    def __len__(self) -> int:
        """The number of modules."""
        return len(list(self.children()))

    def __iter__(self) -> Iterator[Module]:
        """The modules in their order."""
        return self.children()

    def __contains__(self, module: object) -> bool:
        """Whether this module is held."""
        return any(held is module for held in self.children())

    def __getitem__(self, index: int | slice) -> Any:
        """One module; or, for a slice, a container of the same modules."""
        if isinstance(index, slice):
            made: Any = type(self)
            return made(dict(list(self.named_children())[index]))
        return list(self.children())[index]

    def __setitem__(self, index: int, module: Module) -> None:
        """Put a module in the place of another."""
        self.add_module([name for name, _ in self.named_children()][index], module)

    def __delitem__(self, index: int | slice) -> None:
        """Drop modules; those behind move up."""
        kept = list(self.children())
        del kept[index]
        self._hold(kept)

    def append(self, module: Module) -> Self:
        """Add a module at the end."""
        self.add_module(str(len(self)), module)
        return self

    def extend(self, modules: Iterable[Module]) -> Self:
        """Add modules at the end."""
        for module in modules:
            self.append(module)
        return self

    def insert(self, index: int, module: Module) -> Self:
        """Add a module before the one at ``index``."""
        held = list(self.children())
        held.insert(index, module)
        self._hold(held)
        return self


class Sequential(Listed):
    """Modules one after the other, named 0, 1, 2 …, or by the keys of a dict."""

    def __init__(self, *modules: Any) -> None:
        named: Any = enumerate(modules)
        if len(modules) == 1 and isinstance(modules[0], dict):
            named = modules[0].items()
        for name, module in named:
            self.add_module(str(name), module)

    def forward(self, x: Any) -> Any:
        """Run the modules in their order."""
        for module in vars(self).values():  # as `children` does, in a third of the time
            if isinstance(module, Module):
                x = module(x)
        return x


class _Holder(Module):
    """A container that is never called itself, so that its modules carry its name in theirs."""

    def _rename(self, name: str) -> None:
        """Take a name, and pass it on to the modules that are named after this one."""
        before = self._name
        super()._rename(name)
        for key, module in self.named_children():
            if module._name == (f"{before}.{key}" if before else key):
                module._rename(f"{name}.{key}")

    def add_module(self, name: str, module: Module | None) -> None:
        """Hold a module under this name."""
        super().add_module(name, module)
        if self._name and module is not None and module._name == name:
            module._rename(f"{self._name}.{name}")


class ModuleList(_Holder, Listed):
    """A list of modules that `Module.parameters` sees into; its owner calls them.

    >>> self.layers = nn.ModuleList([nn.Linear(4, 4) for _ in range(3)])
    """

    def __init__(self, modules: Iterable[Module] | None = None) -> None:
        self.extend(modules.values() if isinstance(modules, dict) else modules or ())

    def pop(self, index: int = -1) -> Module:
        """Take a module out."""
        module: Module = self[index]
        del self[index]
        return module

    def __add__(self, other: Iterable[Module]) -> ModuleList:
        """A list of these modules and those."""
        return ModuleList([*self, *other])


class ModuleDict(_Holder):
    """Modules by name, in order, that `Module.parameters` sees into; its owner calls them."""

    def __init__(self, modules: Mapping[str, Module] | None = None) -> None:
        self.update(modules or {})

    def update(self, modules: Mapping[str, Module] | Iterable[tuple[str, Module]]) -> None:
        """Add, or replace, modules by name."""
        for name, module in dict(modules).items():
            self.add_module(name, module)

    def __getitem__(self, name: str) -> Module:
        """The module of this name."""
        return dict(self.named_children())[name]

    def __setitem__(self, name: str, module: Module) -> None:
        """Add, or replace, a module."""
        self.add_module(name, module)

    def __delitem__(self, name: str) -> None:
        """Drop a module."""
        self.pop(name)

    def pop(self, name: str) -> Module:
        """Take a module out."""
        module = self[name]
        delattr(self, name)
        return module

    def clear(self) -> None:
        """Drop all modules."""
        for name in list(self):
            del self[name]

    def __len__(self) -> int:
        """The number of modules."""
        return len(dict(self.named_children()))

    def __iter__(self) -> Iterator[str]:
        """The names."""
        return iter(dict(self.named_children()))

    def __contains__(self, name: object) -> bool:
        """Whether there is a module of this name."""
        return name in dict(self.named_children())

    def keys(self) -> KeysView[str]:
        """The names."""
        return dict(self.named_children()).keys()

    def values(self) -> ValuesView[Module]:
        """The modules."""
        return dict(self.named_children()).values()

    def items(self) -> ItemsView[str, Module]:
        """Names and modules."""
        return dict(self.named_children()).items()
