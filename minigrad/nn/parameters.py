"""Parameters in a list, or by name, where a module has as many as it is told."""

from __future__ import annotations

from collections.abc import ItemsView, Iterable, Iterator, KeysView, Mapping, ValuesView
from typing import Any, Self

from minigrad.nn.module import Module, Parameter


class _Held(Module):
    """A module that only holds parameters, under the names it is given for them."""

    def _hold(self, name: str, value: Any) -> None:
        setattr(self, name, value if isinstance(value, Parameter) else Parameter(value))

    def _parameters(self) -> dict[str, Parameter]:
        return {name: p for name, p in vars(self).items() if isinstance(p, Parameter)}

    def __len__(self) -> int:
        """The number of parameters."""
        return len(self._parameters())


class ParameterList(_Held):
    """A list of parameters that `Module.parameters` sees; tensors become parameters.

    >>> self.scales = nn.ParameterList([mg.ones(4) for _ in range(3)])
    """

    def __init__(self, values: Iterable[Any] | None = None) -> None:
        self.extend(values or ())

    def __iter__(self) -> Iterator[Parameter]:
        """The parameters in their order."""
        return iter(self._parameters().values())

    def __getitem__(self, index: int | slice) -> Any:
        """One parameter; or, for a slice, a list of the same ones."""
        found = list(self)[index]
        return ParameterList(found) if isinstance(found, list) else found

    def __setitem__(self, index: int, value: Any) -> None:
        """Put a parameter in the place of another."""
        self._hold(str(range(len(self))[index]), value)

    def append(self, value: Any) -> Self:
        """Add a parameter at the end."""
        self._hold(str(len(self)), value)
        return self

    def extend(self, values: Iterable[Any]) -> Self:
        """Add parameters at the end."""
        for value in values:
            self.append(value)
        return self


class ParameterDict(_Held):
    """Parameters by name, in order, that `Module.parameters` sees; tensors become parameters."""

    def __init__(self, values: Mapping[str, Any] | None = None) -> None:
        self.update(values or {})

    def update(self, values: Mapping[str, Any] | Iterable[tuple[str, Any]]) -> None:
        """Add, or replace, parameters by name."""
        for name, value in dict(values).items():
            self[name] = value

    def __getitem__(self, name: str) -> Parameter:
        """The parameter of this name."""
        return self._parameters()[name]

    def __setitem__(self, name: str, value: Any) -> None:
        """Add, or replace, a parameter."""
        self._refuse_name(name, Parameter)
        self._hold(name, value)

    def __delitem__(self, name: str) -> None:
        """Drop a parameter."""
        self.pop(name)

    def pop(self, name: str) -> Parameter:
        """Take a parameter out."""
        parameter = self[name]
        delattr(self, name)
        return parameter

    def __iter__(self) -> Iterator[str]:
        """The names."""
        return iter(self._parameters())

    def __contains__(self, name: object) -> bool:
        """Whether there is a parameter of this name."""
        return name in self._parameters()

    def keys(self) -> KeysView[str]:
        """The names."""
        return self._parameters().keys()

    def values(self) -> ValuesView[Parameter]:
        """The parameters."""
        return self._parameters().values()

    def items(self) -> ItemsView[str, Parameter]:
        """Names and parameters."""
        return self._parameters().items()
