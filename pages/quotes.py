"""Quotes: what every provider would charge, side by side, for an activity, a mass or a budget."""

from lib.ui import frame, placing, quote_board, quote_inputs

unit = frame.heading(
    "Quotes",
    "What it costs to retire credits equal to estimated emissions, at every provider.",
    follow=False,
)
draft, chosen = placing.current_draft(), placing.chosen()
if draft:
    placing.review(draft, unit)
elif chosen:
    placing.form(chosen, unit)
else:
    with frame.told():
        wish = quote_inputs.wish()
        board = quote_board.ask(wish)
        if board is not None:
            quote_board.estimates(board, unit)
            quote_board.offers(board, unit)
            quote_board.table(board, unit)
