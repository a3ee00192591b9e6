"""The router: page configuration, navigation, and what stands on every page.

Streamlit runs this file for every visit, then the page it names. It lies alone in this folder
because Streamlit puts the folder first on the import path and would serve a `pages/` beside it
without this file.
"""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from lib.ui import frame, routes

IMAGES = Path(__file__).resolve().parents[1]

# A picture of our own: browsers would fetch a Material icon for the tab from another host.
st.set_page_config(page_title="Carbon Desk", page_icon=IMAGES / "icon.svg", layout="wide")
st.logo(IMAGES / "logo.svg", size="large", icon_image=IMAGES / "icon.svg")
page = st.navigation(routes.pages(), expanded=True)
if frame.desk_is_open():
    with frame.told():
        frame.sample_data_badge()
        page.run()
