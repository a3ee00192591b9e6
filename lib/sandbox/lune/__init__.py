"""The Lune API of the sandbox: its own reading of Lune's API v1 (Lune contract).

For `lib.sandbox` only, which mounts what `create_api` gives at `/lune/v1` and calls the rest at
start, while history is filled and for the control plane.
"""

from .api import create_api
from .catalogue import check_catalogue
from .history import history
from .lifecycle import register
from .seeding import seed
from .truth import truth

__all__ = ["check_catalogue", "create_api", "history", "register", "seed", "truth"]
