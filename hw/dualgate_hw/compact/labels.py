# SPDX-License-Identifier: BSD-2-Clause

"""Scoped labels of the compact engine's program."""


class Scope:
    """A namespace of labels.

    Scopes nest. A label is looked up in the scope that refers to it, then in the scopes around
    that one, so that different scopes can use the same label. Labels of the outermost scope are
    *entries*, which the whole program uses; no other label in scope may have the name of one.

    Parameters
    ----------
    name : str
        Name of the scope in error messages.
    parent : Scope, optional
        The scope around this one.
    """

    def __init__(self, name: str, parent: "Scope | None" = None) -> None:
        self.name = name
        self.parent = parent
        self._positions: dict[str, int] = {}

    def define(self, label: str, position: int) -> None:
        """Give a position a label.

        Parameters
        ----------
        label : str
            A label that the scope does not have yet; otherwise a ValueError is raised. A scope
            around this one may have it.
        position : int
            Position of an instruction in the program.
        """
        if label in self._positions:
            raise ValueError(f"{self.name} has two labels {label!r}; rename one")
        self._positions[label] = position

    @property
    def labels(self) -> tuple[str, ...]:
        """Labels defined so far in this scope itself."""
        return tuple(self._positions)

    def position(self, label: str) -> int:
        """Position of the instruction that a label names, as seen from this scope.

        Parameters
        ----------
        label : str
            A label of this scope or of one around it; a ValueError is raised if there is none, or
            if both a scope inside the outermost one and the outermost scope have it.
        """
        scopes = self._chain()
        found = [scope for scope in scopes if label in scope._positions]
        if not found:
            raise ValueError(
                f"{self.name} refers to {label!r}, but no label in scope has that name"
            )
        if found[0] is not found[-1] is scopes[-1]:
            raise ValueError(f"{found[0].name} has a label {label!r}, as an entry has; rename it")
        return found[0]._positions[label]

    def _chain(self) -> "list[Scope]":
        """This scope and those around it, outwards."""
        return [self, *(self.parent._chain() if self.parent else [])]
