import json
import re
import shutil
import subprocess
from pathlib import Path

import jsonschema
import pytest
from promql_parser import parse

from streams.errors import WanglouError
from streams.grafana.build import boards, drift, files, write
from streams.grafana.verify import MAY_BE_EMPTY, expand, queries
from streams.metrics import CATALOGUE, Metrics

ROOT = Path(__file__).parents[3]
SCHEMAS = ROOT.parent / "shared" / "data" / "grafana-schemas"
PANELS = {"stat", "state-timeline", "timeseries", "bargauge", "table", "row"}
SQL = "grafana-postgresql-datasource"
OTHERS = {"up": ("job", "instance")}            # of Prometheus itself
EVERY_SERIES = {"job", "instance"}
DASHBOARDS = {board.uid: json.loads(board.json) for board in boards()}


def panels_of(dashboard: dict) -> list[dict]:
    """Its panels without the headings of rows."""
    return [panel for panel in dashboard["panels"] if panel["type"] != "row"]


every_board = pytest.mark.parametrize("dashboard", DASHBOARDS.values(), ids=DASHBOARDS)


def schema_faults(value: object, file: str, definition: str = "") -> list[str]:
    """Faults of one part against one definition of one schema file."""
    schema = json.loads((SCHEMAS / f"{file}.jsonschema.json").read_text(encoding="utf-8"))
    if definition:
        schema["$ref"] = f"#/definitions/{definition}"
    found = jsonschema.Draft7Validator(schema).iter_errors(value)
    return [f"{file}{'/' + definition if definition else ''} {error.json_path}: {error.message[:200]}" for error in found]


def dashboard_faults(dashboard: dict) -> list[str]:
    """Faults of a whole dashboard: itself, its targets, and what each panel type adds."""
    faults = schema_faults(dashboard, "dashboard")
    for panel in panels_of(dashboard):
        file = panel["type"].replace("-", "")
        own = schema_faults(panel.get("options", {}), file, "Options")
        custom = panel.get("fieldConfig", {}).get("defaults", {}).get("custom")
        if custom is not None and file != "stat":
            own += schema_faults(custom, file, "FieldConfig")
        for target in panel["targets"]:
            own += schema_faults(target, "prometheus") if "rawSql" not in target else []
        faults += [f"{panel['title']}: {fault}" for fault in own]
    return faults


def grid_faults(dashboard: dict) -> list[str]:
    """Ids that are missing or double, panels off the grid or over each other."""
    faults, cells, ids = [], {}, set()
    for panel in dashboard["panels"]:
        if not panel.get("id") or panel["id"] in ids:
            faults.append(f"id {panel.get('id')}")
        ids.add(panel.get("id"))
        at = panel["gridPos"]
        if at["x"] + at["w"] > 24 or at["w"] < 1 or at["h"] < 1:
            faults.append(f"off the grid: {at}")
        for cell in [(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])]:
            if cell in cells:
                faults.append(f"{panel['title']} over {cells[cell]}")
                break
            cells[cell] = panel["title"]
    return faults


def catalogue_faults(expr: str) -> list[str]:
    """Metrics and labels of an expression that nobody declares."""
    known = {**CATALOGUE, **OTHERS}
    bare = re.sub(r'"[^"]*"', '""', expand(expr))
    used = {word for word in re.findall(r"[a-z_]\w*(?=[{\[ )]|$)", re.sub(r"\{[^}]*\}", "{}", bare))}
    names = {word for word in used if word.startswith("wanglou_") or word in OTHERS}
    faults = [f"unknown metric {name}" for name in names - set(known)]
    labels = set()
    for body in re.findall(r"\{([^}]*)\}", bare):
        labels |= set(re.findall(r"(\w+)\s*(?:=~|!~|!=|=)", body))
    for body in re.findall(r"\b(?:by|on|group_left|without|ignoring)\s*\(([^)]*)\)", bare):
        labels |= set(re.findall(r"\w+", body))
    allowed = EVERY_SERIES.union(*(known.get(name, ()) for name in names))
    return faults + [f"unknown label {label}" for label in labels - allowed] + ([] if names else [f"no metric in {expr}"])


@every_board
def test_json_is_valid_against_grafanas_own_schemas(dashboard):
    """Every key, enum and option is one that Grafana's schemas know."""
    if not SCHEMAS.is_dir():
        pytest.skip(f"Grafana's JSON schemas are not at {SCHEMAS}: only our own checks ran")
    assert dashboard_faults(dashboard) == []


@every_board
def test_the_schema_check_finds_planted_faults(dashboard):
    """A typo in a key, a wrong enum and a wrong type are each found, so a clean result means something."""
    if not SCHEMAS.is_dir():
        pytest.skip(f"Grafana's JSON schemas are not at {SCHEMAS}")
    first = dashboard["panels"].index(panels_of(dashboard)[0])
    faults = [(("titel",), "x"), (("schemaVersion",), "42"), (("panels", first, "options", "colourMode"), "loud"),
              (("panels", first, "targets", 0, "expresion"), "up")]
    for path, value in faults[:3] if dashboard["uid"] == "wl-economy" else faults:      # there is no schema of SQL targets
        broken = json.loads(json.dumps(dashboard))
        at = broken
        for key in path[:-1]:
            at = at[key]
        at[path[-1]] = value
        assert dashboard_faults(broken), path


@every_board
def test_panels_are_numbered_placed_and_of_a_known_type(dashboard):
    """Unique ids from 1, nothing over anything, only types that the schemas cover."""
    assert grid_faults(dashboard) == []
    assert [panel["id"] for panel in dashboard["panels"]] == list(range(1, len(dashboard["panels"]) + 1))
    assert {panel["type"] for panel in dashboard["panels"]} <= PANELS


def test_the_grid_check_finds_planted_faults():
    """A double id, an overlap and a panel past column 24 are each found."""
    def panel(number, x, w):
        return {"id": number, "title": str(number), "gridPos": {"x": x, "y": 0, "w": w, "h": 2}}

    assert grid_faults({"panels": [panel(1, 0, 12), panel(2, 12, 12)]}) == []
    assert grid_faults({"panels": [panel(1, 0, 12), panel(1, 12, 12)]}) == ["id 1"]
    assert grid_faults({"panels": [panel(1, 0, 12), panel(2, 11, 12)]}) == ["2 over 1"]
    assert grid_faults({"panels": [panel(1, 20, 5)]}) != []


@every_board
def test_every_dashboard_has_the_frame(dashboard):
    """Fixed uid, v1 schema 42, Shanghai time, not editable, the variables, the link to the desk, the annotation."""
    assert re.fullmatch(r"wl-[a-z]+", dashboard["uid"])
    assert (dashboard["schemaVersion"], dashboard["timezone"], dashboard["editable"]) == (42, "Asia/Shanghai", False)
    variables = {variable["name"]: variable for variable in dashboard["templating"]["list"]}
    own = {"wl-domain": {"series"}, "wl-economy": {"sql", "series"}}
    assert set(variables) == {"ds", "area", "pack", "desk"} | own.get(dashboard["uid"], set())
    assert all(variables[name]["multi"] and variables[name]["includeAll"] for name in ("area", "pack"))
    assert [link["url"] for link in dashboard["links"]] == ["${desk}/?area=${area:csv}&pack=${pack:csv}"]
    source = "${sql}" if dashboard["uid"] == "wl-economy" else "${ds}"
    assert all(thing["datasource"]["uid"] == source for panel in panels_of(dashboard) for thing in (panel, *panel["targets"]))
    assert 'scope="real",level=~"orange|red"' in dashboard["annotations"]["list"][0]["expr"]


@every_board
def test_titles_are_chinese_first_and_every_panel_says_what_it_shows(dashboard):
    """Title and description of everything begin with Chinese; no data has words of its own."""
    for thing in [dashboard, *dashboard["panels"]]:
        assert re.match(r"[\u4e00-\u9fff]", thing["title"]), thing["title"]
        assert thing.get("type") == "row" or re.search(r"[\u4e00-\u9fff]", thing["description"]), thing["title"]
    assert all(panel["fieldConfig"]["defaults"]["noValue"] == "无数据" for panel in panels_of(dashboard))


@every_board
def test_nothing_is_green_and_no_colour_is_left_to_grafana(dashboard):
    """Colours are tokens of the dark theme, always with thresholds of our own: Grafana's default base is green."""
    text = json.dumps(dashboard)
    assert "green" not in text.lower() and "palette" not in text
    tokens = {"#c3aef0", "#3b454c", "#21282d", "#8fc0ff", "#6eabff", "#ffd84d", "#ff9b3f", "#ff625c"}
    assert set(re.findall(r"#[0-9a-f]{6}\b", text)) <= tokens
    for panel in panels_of(dashboard):
        assert panel["fieldConfig"]["defaults"]["thresholds"]["steps"][0]["value"] is None, panel["title"]


def test_levels_are_words_never_integers():
    """The state timeline and the worst level map -1 to 4 and null to words with the level colours."""
    for title in ("最高级别 Worst level", "各区域级别 Level by district"):
        panel, = [panel for panel in DASHBOARDS["wl-wall"]["panels"] if panel["title"] == title]
        values, null = panel["fieldConfig"]["defaults"]["mappings"]
        words = {value: (row["text"], row["color"]) for value, row in values["options"].items()}
        assert words == {"-1": ("失联", "#c3aef0"), "0": ("正常", "#3b454c"), "1": ("蓝 Ⅳ", "#6eabff"), "2": ("黄 Ⅲ", "#ffd84d"),
                         "3": ("橙 Ⅱ", "#ff9b3f"), "4": ("红 Ⅰ", "#ff625c")}
        assert null["options"]["result"]["text"] == "无数据"
        assert null["options"]["result"]["color"] not in [color for _, color in words.values()]


@pytest.mark.parametrize("query", queries(), ids=lambda query: f"{query.board}-{query.panel}")
def test_every_query_parses_and_uses_only_declared_metrics_and_labels(query):
    """promql-parser accepts it once variables are filled in, and the catalogue has each metric and label."""
    parse(expand(query.expr))
    assert catalogue_faults(query.expr) == []


@pytest.mark.parametrize(("expr", "fault"), [
    ("max(wanglou_area_levle)", "unknown metric wanglou_area_levle"),
    ('max(wanglou_area_level{pak="x"})', "unknown label pak"),
    ("sum by (distrct) (wanglou_area_level)", "unknown label distrct"),
    ("rate(wanglou_judge_seconds[5m])", "unknown metric wanglou_judge_seconds"),
    ("vector(1)", "no metric in vector(1)"),
])
def test_the_catalogue_check_finds_planted_faults(expr, fault):
    """A misspelt metric, a misspelt label and a histogram without its suffix are each found."""
    assert catalogue_faults(expr) == [fault]


def test_the_deployed_promtool_accepts_every_query(tmp_path):
    """The promtool of the Prometheus that will run them takes each expression as a rule."""
    if shutil.which("promtool") is None:
        pytest.skip("promtool is missing: apt-get install prometheus")
    rules = [{"record": f"panel:{number}", "expr": expand(query.expr)} for number, query in enumerate(queries())]
    (tmp_path / "rules.yml").write_text(json.dumps({"groups": [{"name": "panels", "rules": rules}]}))
    done = subprocess.run(["promtool", "check", "rules", str(tmp_path / "rules.yml")], capture_output=True, text=True, timeout=60,
                          check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_may_be_empty_names_only_panels_that_exist():
    """An excuse for a panel that is gone would hide the next one of that name."""
    assert set(MAY_BE_EMPTY) <= {query.panel for query in queries()}


def test_variables_are_filled_as_grafana_would():
    """`$__rate_interval`, `$pack`, `${area:csv}` and `${area}` are all replaced."""
    assert expand('rate(x{a=~"$pack",b=~"${area:csv}",c="${area}"}[$__rate_interval])') == 'rate(x{a=~".*",b=~".*",c=".*"}[1m])'


def test_the_same_source_gives_the_same_bytes():
    """Two builds are equal, and another desk changes only the constant that holds its address."""
    assert files() == files()
    for here, there in zip(boards(), boards("https://desk.example"), strict=True):
        assert here.json.replace(b"http://127.0.0.1:8080", b"https://desk.example") == there.json


def test_the_committed_files_are_what_the_source_makes():
    """deploy/grafana is generated: whoever changes a dashboard runs `wanglou dashboards build`."""
    assert drift(ROOT / "deploy" / "grafana") == []


def test_drift_names_what_is_missing_changed_and_left_over(tmp_path):
    """After `write` there is no drift; each kind of difference is named by its file."""
    write(tmp_path)
    assert drift(tmp_path) == [] and write(tmp_path) == []
    (tmp_path / "provisioning/dashboards/wanglou.yaml").unlink()
    (tmp_path / "dashboards/大屏/wl-wall.json").write_text("{}")
    (tmp_path / "dashboards/大屏/old.json").write_text("{}")
    assert drift(tmp_path) == ["missing: provisioning/dashboards/wanglou.yaml", "changed: dashboards/大屏/wl-wall.json",
                               "not made any more: dashboards/大屏/old.json"]


def test_the_command_builds_and_checks(tmp_path, capsys):
    """`dashboards build --check` fails on drift and passes after `build`; --json is one object."""
    from streams.cli.dashboards import build

    tmp_path.joinpath("x").mkdir()
    with pytest.raises(WanglouError, match=r"missing: dashboards/自身/wl-health\.json"):
        build(out=tmp_path / "x", check=True)
    build(out=tmp_path / "x", as_json=True)
    assert len(json.loads(capsys.readouterr().out)["changed"]) == len(files())
    build(out=tmp_path / "x", check=True)


def test_label_queries_of_variables_use_declared_labels():
    """The variables ask for labels that their metric has."""
    for dashboard in DASHBOARDS.values():
        for variable in dashboard["templating"]["list"]:
            if variable["type"] == "query" and variable["datasource"]["type"] != SQL:
                metric, label = re.fullmatch(r"label_values\((\w+), (\w+)\)", variable["query"]).groups()
                assert label in CATALOGUE[metric]


def test_every_gauge_that_is_declared_can_be_made():
    """The catalogue is of one class: a dashboard cannot use a name that no process could expose."""
    metrics = Metrics()
    assert {type(metric).__name__ for metric in (metrics.area_level, metrics.readings, metrics.judge_seconds)} == {
        "Gauge", "Counter", "Histogram"}
