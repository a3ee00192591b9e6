"""Impact: what was retired, when, of which type, for whom, and what that compares to."""

from lib.ui import data, filters, frame, impact

unit = frame.heading(
    "Impact",
    "Tonnes retired, by the year of their retirement, their type and their beneficiary.",
)
scope = filters.scope()

everybody = data.impact(scope)
if everybody.retired_g == 0:
    frame.empty("Nothing is retired here yet.")
else:
    named = impact.beneficiary(everybody)
    found = data.impact(scope, named)
    impact.headline(found, unit, named)
    impact.years(found, unit)
    impact.types_and_beneficiaries(found, unit)
    impact.comparisons(found)
impact.unmatched(data.unmatched(), unit)
impact.hosted_pages()
