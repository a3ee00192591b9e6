"""Impact: what was retired, when, of which type, for whom, and what that compares to."""

from lib.ui import data, filters, frame, impact

unit = frame.heading(
    "Impact",
    "Tonnes retired, by the year of their retirement, their type and their beneficiary.",
)
scope = filters.scope()

found = data.impact(scope)
if found.retired_g == 0:
    frame.empty("Nothing is retired here yet.")
else:
    impact.headline(found, unit)
    impact.years(found, unit)
    impact.types_and_beneficiaries(found, unit)
    impact.comparisons(found)
impact.unmatched(data.unmatched(), unit)
impact.hosted_pages()
