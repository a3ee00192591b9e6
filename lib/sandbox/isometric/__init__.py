"""The Isometric registry of the sandbox: a register, its API, and what the API cannot create.

Orders, issuances, deliveries, retirements and the credit batches they move, over SQLite or
PostgreSQL tables prefixed `isometric_`. The sandbox's core imports the names below, nothing else.
"""

from .api import create_api
from .control import control_create_issuance, control_create_order, control_transfer
from .history import history, register
from .section import check_catalogue
from .seeding import seed, truth

__all__ = [
    "check_catalogue",
    "control_create_issuance",
    "control_create_order",
    "control_transfer",
    "create_api",
    "history",
    "register",
    "seed",
    "truth",
]
