"""DataFrames to plotly figures: pure, no Streamlit, no I/O."""
