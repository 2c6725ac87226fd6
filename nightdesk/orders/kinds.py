"""The three kinds of rows, and what each is called and keyed by. Pure."""

from dataclasses import dataclass
from typing import Final

from nightdesk.orders.models import NewInstrument, NewOrder, NewTrader, Recorded


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One kind of row: its name in paths and JSON, its model, and the column that says which one it is."""

    name: str
    model: type[Recorded]
    key: str

    @property
    def columns(self) -> tuple[str, ...]:
        """All columns, in the order of the model."""
        return tuple(self.model.model_fields)

    @property
    def required(self) -> tuple[str, ...]:
        """The columns that a file needs to have."""
        return tuple(name for name, field in self.model.model_fields.items() if field.is_required())


INSTRUMENTS: Final = Kind(name="instruments", model=NewInstrument, key="symbol")
TRADERS: Final = Kind(name="traders", model=NewTrader, key="name")
ORDERS: Final = Kind(name="orders", model=NewOrder, key="reference")
KINDS: Final = {kind.name: kind for kind in (INSTRUMENTS, TRADERS, ORDERS)}
