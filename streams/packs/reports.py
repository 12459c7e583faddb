"""`report: lead` and `budget:` of a detector or rule: a worklist instead of alerts."""
from __future__ import annotations

from detectors.pack import Report
from streams.packs.book import Book
from streams.packs.fields import Fields
from streams.packs.grammar import AREA, REPORT

KEYS = ("report", "budget")
AS = REPORT.words("as")


def read_report(book: Book, entry: Fields) -> Report | None:
    """`report: lead`, or `report: {as: lead, group: {tree: admin, depth: county}, top: 20, per: day}`; `budget: 20` is `top`."""
    node = entry.get("report")
    if node is not None and isinstance(node.value, dict):
        fields = Fields(node, entry.faults, "report", REPORT.names)
        lead = fields.choice("as", AS, "alert") == "lead"
        fields.choice("per", ["day"])
        fields.need("as")
    else:
        fields, lead = Fields(None, entry.faults, "report"), entry.choice("report", AS, "alert") == "lead"
    for given, key in ((entry, "budget"), (fields, "top")):
        if key in given and given.count(key, 1) == 0:
            entry.faults.add(given.at(key), f"{key}: 0 leads a day; for none at all take the entry out")
    if "budget" in entry and not lead:
        entry.faults.add(entry.at("budget"), "budget is for leads: write report: lead beside it; an alert is never left out")
    tree, depth = _group(book, fields)
    return None if not lead else Report(entry.count("budget", 0) or fields.count("top", 0), tree, depth)


def _group(book: Book, fields: Fields) -> tuple[str, str]:
    node = fields.get("group")
    if node is None or not isinstance(node.value, dict):
        return fields.choice("group", book.trees), ""
    group = Fields(node, fields.faults, "group", AREA.names)
    group.need("tree")
    tree = group.choice("tree", book.trees)
    return tree, group.choice("depth", dict.fromkeys(a.depth for a in book.trees[tree].values())) if tree else ""
