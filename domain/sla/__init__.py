"""The service level agreement: calendars, clocks, pacing, and what both sides promise."""
