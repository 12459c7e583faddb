"""Three Apache Kafka brokers on loopback (KRaft, each broker and controller), replication 3: for what one broker cannot show."""
from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

from streams import broker, clock

tools: Any = __import__("sys").modules["wanglou_drills_tools"]
JAVA = ("-Xms64m", "-Xmx200m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")
NODES = (1, 2, 3)
META = "node.id={id}\ndirectory.id={directory}\nversion=1\ncluster.id={cluster}\n"
DIRECTORY = "AAAAAAAAAAAAAAAAAAAA{}Q"
"""Any 22 characters that are a UUID, one a node."""
MORE = """broker.session.timeout.ms=6000
broker.heartbeat.interval.ms=1000
controller.quorum.election.timeout.ms=1000
controller.quorum.fetch.timeout.ms=2000
min.insync.replicas=2
offsets.topic.replication.factor=3
offsets.topic.num.partitions=3
transaction.state.log.replication.factor=3
transaction.state.log.min.isr=2
share.coordinator.state.topic.replication.factor=3
share.coordinator.state.topic.min.isr=2
log.cleaner.dedupe.buffer.size=8388608
num.replica.fetchers=1
num.network.threads=2
num.io.threads=4
"""


class Cluster:
    """The three. `address` names all of them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.ports = {n: (broker.free_port(), broker.free_port()) for n in NODES}
        self.processes: dict[int, subprocess.Popen[bytes]] = {}
        self.address = ",".join(f"127.0.0.1:{port}" for port, _ in self.ports.values())

    def start(self, *nodes: int) -> None:
        """These, on the data that they have."""
        home, java = broker.find_kafka(), broker.find_java()
        assert home and java, broker.missing_kafka()
        for node in nodes:
            at = self.folder / f"node-{node}"
            data = at / "data"
            if not data.exists():
                at.mkdir(parents=True)
                self._format(home, node, data)
            (at / "server.properties").write_text(self._properties(node, data))
            command = [java, *JAVA, f"-Dlog4j2.configurationFile={home / 'log4j2.properties'}", "-cp", f"{home / 'libs'}/*",
                       "kafka.Kafka", str(at / "server.properties")]
            with (at / "broker.log").open("ab") as out:
                self.processes[node] = subprocess.Popen(command, stdout=out, stderr=out, stdin=subprocess.DEVNULL,
                                                        start_new_session=True)
        for node in nodes:
            broker.wait_for_broker(f"127.0.0.1:{self.ports[node][0]}", lambda _: None, 120,
                                   lambda node=node: self.processes[node].poll() is None)     # type: ignore[misc]

    def _format(self, home: Path, node: int, data: Path) -> None:
        """As the formatted template, with a name of its own: a format would cost a JVM."""
        data.mkdir()
        for file in (home / "template").iterdir():
            if file.is_file():
                (data / file.name).write_bytes(file.read_bytes())
        (data / "meta.properties").write_text(META.format(id=node, directory=DIRECTORY.format(node), cluster=broker.CLUSTER))

    def _properties(self, node: int, data: Path) -> str:
        port, control = self.ports[node]
        voters = ",".join(f"{n}@127.0.0.1:{c}" for n, (_, c) in self.ports.items())
        own = {"node.id": str(node), "controller.quorum.voters": voters}
        said = dict(line.split("=", 1) for line in MORE.split())
        lines = dict(line.split("=", 1) for line in broker.SERVER.format(port=port, control=control, data=data.absolute()).split())
        return "".join(f"{key}={value}\n" for key, value in (lines | said | own).items())

    def leader(self, topic: str, partition: int) -> int:
        """The node that leads a partition, as those alive say; -1 = none does."""
        return next((int(p["leader_id"]) for p in self.described(topic) if p["partition_index"] == partition), -1)

    def described(self, topic: str) -> list[dict[str, Any]]:
        """The topic's partitions; [] while nobody answers."""
        from kafka import KafkaAdminClient
        from kafka.errors import KafkaError

        alive = [f"127.0.0.1:{self.ports[n][0]}" for n, process in self.processes.items() if process.poll() is None]
        try:
            client = KafkaAdminClient(bootstrap_servers=alive, bootstrap_timeout_ms=5000)
            try:
                return list(client.describe_topics([topic])[0]["partitions"])
            finally:
                client.close()
        except KafkaError:
            return []

    def kill(self, node: int) -> None:
        """As kill -9 does."""
        self.processes[node].kill()
        self.processes[node].wait()

    def whole(self, topic: str, seconds: float = 60.0) -> None:
        """Wait until every replica of the topic is in sync again."""
        tools.until(lambda: (found := self.described(topic)) and all(len(p["isr_nodes"]) == len(NODES) for p in found),
                    "all replicas are in sync", seconds)

    def close(self) -> None:
        """No process stays."""
        for process in self.processes.values():
            if process.poll() is None:
                process.kill()
            process.wait()


def drill(ground: Any, row: Any) -> None:
    """Under load the leader of a partition of readings is killed, and comes back later: nothing lost, nothing twice."""
    lives, source_of = tools.here("live"), tools.here("d05_broker_away")
    cluster = Cluster(ground.home())
    ground.mine.callback(cluster.close)
    cluster.start(*NODES)
    live = lives.Live(ground, lives.brisk(silent=1e6), address=cluster.address, replication=3)
    web, topic = live.run.ports["http"], live.bench.settings.topic("readings")
    live.start("judge", "judge2", "combine", "desk")
    live.run.start("http", "feed", "http")

    def online() -> bool:
        state = ground.chain.http(f"http://127.0.0.1:{web}/healthz") or {}
        return bool(state.get("kafka")) and not state["buffer_bytes"]

    tools.until(online, "the feed has its brokers")
    live.working("judge", 2)
    live.working("desk")
    source = source_of.Source(web)
    source.thread.start()

    def more(pushes: int) -> None:
        before = source.accepted.total()
        tools.until(lambda: source.accepted.total() >= before + 24 * pushes and online(), "readings flow", 120)

    more(20)
    stalls = []
    for partition in (0, 1):
        node, begun = cluster.leader(topic, partition), clock.monotonic()
        cluster.kill(node)
        tools.until(lambda n=node, p=partition: cluster.leader(topic, p) not in (n, -1), "another leads", 60)
        more(30)
        stalls.append(clock.monotonic() - begun)
        cluster.start(node)
        cluster.whole(topic)
        more(10)
    source.ended.set()
    source.thread.join()
    live.end("http")
    live.finish(180)
    live.calls(row, live.compare(row, None))
    source_of.account(row, live, source)
    row.note = f"leader killed twice, {source.buffered} pushes over the disk, on again after {max(stalls):.0f} s at most"
