"""What leaves the desk for others than the posts it calls: public warnings, feeds, work orders; and what keeps it quiet."""
