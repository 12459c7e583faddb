"""The closed words of the two forms of a public warning, and how our levels map to them. Pure.

Source: OASIS Common Alerting Protocol 1.2 (2010-07-01), section 3.2 and its schema; the national form
(国家突发事件预警信息发布系统; GB/T 34283-2017, GB/T 35965.1-2018, QX/T 433-2018).
"""
from __future__ import annotations

from detectors.level import Level

CATEGORIES = ("Geo", "Met", "Safety", "Security", "Rescue", "Fire", "Health", "Env", "Transport", "Infra", "CBRNE", "Other")
STATUSES = ("Actual", "Exercise", "System", "Test", "Draft")
KINDS = ("Alert", "Update", "Cancel", "Ack", "Error")
SCOPES = ("Public", "Restricted", "Private")
RESPONSES = ("Shelter", "Evacuate", "Prepare", "Execute", "Avoid", "Monitor", "Assess", "AllClear", "None")
URGENCIES = ("Immediate", "Expected", "Future", "Past", "Unknown")
SEVERITIES = ("Extreme", "Severe", "Moderate", "Minor", "Unknown")
CERTAINTIES = ("Observed", "Likely", "Possible", "Unlikely", "Unknown")
METHODS = ("SMS", "LED", "SPEAKER", "TV", "BROADCAST", "WEB", "PHONE", "FAX")
"""How the national system spreads a message."""

SEVERITY = {Level.RED: "Extreme", Level.ORANGE: "Severe", Level.YELLOW: "Moderate", Level.BLUE: "Minor", Level.NORMAL: "Unknown"}
"""Our level -> CAP severity: Ⅰ 特别重大 = extraordinary threat, Ⅱ 重大 = significant, Ⅲ 较大 = possible, Ⅳ 一般 = minimal
(CAP 1.2, 3.2.2 severity). The standard of the colours does not say so: the mapping is the one commonly used in China.
"""
COLOUR = {Level.RED: "Red", Level.ORANGE: "Orange", Level.YELLOW: "Yellow", Level.BLUE: "Blue", Level.NORMAL: "Unknown"}
"""Our level -> severity of the national form, and parameter CN-Colour of the CAP message."""


def urgency(level: int, ahead: bool, over: bool) -> str:
    """CAP 1.2 urgency: how soon to act. What is only foreseen is Expected; what is over is Past.

    >>> urgency(4, False, False), urgency(2, False, False), urgency(4, True, False), urgency(4, False, True)
    ('Immediate', 'Expected', 'Expected', 'Past')
    """
    return "Past" if over else "Immediate" if level >= Level.ORANGE and not ahead else "Expected"


def certainty(good: bool, ahead: bool) -> str:
    """CAP 1.2 certainty: measured is Observed, foreseen is Likely (p > ~50 %), decided by a doubtful reading is Possible.

    >>> certainty(True, False), certainty(True, True), certainty(False, False)
    ('Observed', 'Likely', 'Possible')
    """
    return "Possible" if not good else "Likely" if ahead else "Observed"


def ring(text: str) -> str:
    """What is wrong with a polygon `lat,lon lat,lon …`: pairs on Earth, four or more, the last the first; "" = nothing.

    >>> ring("29.1,119.4 29.2,119.4 29.2,119.6 29.1,119.4"), ring("29.1,119.4 29.2,119.4 29.1,119.4")
    ('', 'needs 4 pairs or more, has 3')
    """
    pairs = text.split()
    for pair in pairs:
        if not point(pair):
            return f"{pair!r} is no lat,lon on Earth"
    if len(pairs) < 4:
        return f"needs 4 pairs or more, has {len(pairs)}"
    return "" if pairs[0] == pairs[-1] else "is open: the last pair must be the first"


def point(pair: str) -> bool:
    """Whether `lat,lon` is a place (WGS-84, degrees)."""
    lat, comma, lon = pair.partition(",")
    try:
        return bool(comma) and abs(float(lat)) <= 90 and abs(float(lon)) <= 180
    except ValueError:
        return False
