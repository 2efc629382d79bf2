"""What the promises are for: targets for a period, and what a revenue goal takes to reach."""
