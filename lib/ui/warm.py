"""What the first visitor would otherwise wait for, loaded at start-up. app.py imports it."""

from __future__ import annotations

import plotly.graph_objects as go
import pyarrow as pa


def load() -> None:
    """Import and use once what a first page needs: plotly's validators, arrow, pandas."""
    go.Figure(go.Bar(x=[1], y=[1])).to_json()
    pa.array([1]).to_pandas()
