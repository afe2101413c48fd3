"""Long runs with the real programs: what scripts/endurance plays, and how it judges."""
