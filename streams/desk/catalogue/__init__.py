"""What the city watches, as the desk shows it: plans in force and before, what their detectors did."""
