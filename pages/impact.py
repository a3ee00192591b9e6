"""Impact: what was retired, when, of which type, for whom, and what that compares to."""

from lib.ui import filters, frame, impact, runtime

desk = runtime.desk()
unit = frame.heading(
    "Impact",
    "Tonnes retired, by the year of their retirement, their type and their beneficiary.",
)
scope = filters.scope()

found = desk.impact(**scope.equal())
if found.retired_g == 0:
    frame.empty("Nothing is retired here yet.")
else:
    impact.headline(found, unit)
    impact.years(found, unit)
    impact.types_and_beneficiaries(found, unit)
    impact.comparisons(found)
impact.unmatched(desk.unmatched(), unit)
impact.hosted_pages()
