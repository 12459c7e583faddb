"""What was measured, in SQL: for charts, warm-up, vintages and backtests. It may lag or die without touching the judging."""
