"""The backtest report: one HTML file that needs nothing beside it, and the same numbers as JSON."""
