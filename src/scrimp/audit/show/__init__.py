"""The audit's report in each of its forms, all drawn from the same numbers."""
