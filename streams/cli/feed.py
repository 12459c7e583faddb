"""`wanglou feed http|file|play|kafka`: readings come in, to Kafka."""
from __future__ import annotations

import asyncio
import json
import logging
import signal
import sys
from collections.abc import Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from streams.errors import UsageError, WanglouError

if TYPE_CHECKING:
    from detectors.pack import FeedSource
    from streams.feeds.run import Feed
    from streams.settings import Settings

app = typer.Typer(no_args_is_help=True,
                  help="Bring readings in: over HTTP, from files, from a foreign topic, or played from a scenario or a history.")
Broker = Annotated[str | None, typer.Option(help="Kafka's address (WANGLOU_BROKER).")]
Data = Annotated[Path | None, typer.Option(help="Folder for the buffer on disk (WANGLOU_DATA).")]
Name = Annotated[str, typer.Option(help="Name of this feed: label of its metrics, name of its buffer.")]
From = Annotated[str, typer.Option(help="Id of the source (feeds.yaml).")]
Idempotent = Annotated[bool, typer.Option(help="Off only for the embedded broker Tansu.")]
Json = Annotated[bool, typer.Option("--json", help="One JSON object at the end.")]
DecoderName = Annotated[str, typer.Option("--decoder", help="csv or json; default: of the source, else by the file's name.")]
Tz = Annotated[str, typer.Option(help="Zone of times that have none: Asia/Shanghai, +08:00.")]
Time = Annotated[str, typer.Option("--time", help="Column of the time, or columns: year,month,day,hour.")]
Site = Annotated[str, typer.Option(help="Column of the site; of a wide table also its one site.")]
Arrived = Annotated[str, typer.Option(help="Column of the arrival.")]
Map = Annotated[list[str] | None, typer.Option("--map", help="COL=indicator[,…]: a wide table.")]
Missing = Annotated[str, typer.Option(help="Words that mean no value: NA,-999.")]
Speed = Annotated[str, typer.Option(help="Times as fast as it was, or max; default: of the scenario, else 1.")]
Resume = Annotated[bool, typer.Option(help="Go on where a killed play of the same file stopped.")]
Tail = Annotated[str, typer.Option(help="How long the clock goes on after the last reading: 30min.")]


def register(root: typer.Typer) -> None:
    """Add the command."""
    root.add_typer(app, name="feed")


def say(text: str) -> None:
    """A line for whoever watches; stdout stays for results."""
    print(f"feed: {text}", file=sys.stderr, flush=True)


@app.command("http")
def http(port: Annotated[int | None, typer.Option(help="WANGLOU_FEED_PORT")] = None,
         host: Annotated[str, typer.Option()] = "127.0.0.1", source: From = "", name: Name = "http",
         broker: Broker = None, data: Data = None, idempotent: Idempotent = True) -> None:
    """POST /readings: one object, a list, NDJSON or CSV; answered once Kafka (or the disk) has it."""
    from streams.settings import settings

    _run(_http(settings(broker=broker, data=data, feed_port=port), host, source, name, idempotent))


@app.command("file")
def file(path: Annotated[Path, typer.Argument(help="A file (once), or a folder (watched).")], source: From = "file",
         name: Name = "file", decoder: DecoderName = "", tz: Tz = "", time: Time = "", site: Site = "", columns: Map = None,
         missing: Missing = "", broker: Broker = None, data: Data = None, idempotent: Idempotent = True,
         as_json: Json = False) -> None:
    """A CSV file once, or every file that comes into a folder; readings arrive now."""
    from streams.settings import settings

    if not path.exists():
        raise UsageError(f"{path}: no such file or folder")
    options = _options(tz=tz, time=time, site=site, map=",".join(columns or ()), missing=missing)
    _run(_file(settings(broker=broker, data=data), path, source, name, decoder, options, idempotent, as_json))


@app.command("play")
def play(path: Annotated[Path, typer.Argument(help="A scenario (.yaml) or a history (.csv, .csv.gz).")], source: From = "",
         speed: Speed = "", tail: Tail = "", resume: Resume = False,
         name: Name = "play", decoder: DecoderName = "", tz: Tz = "", time: Time = "", site: Site = "", arrived: Arrived = "",
         columns: Map = None, missing: Missing = "", broker: Broker = None, data: Data = None, idempotent: Idempotent = True,
         as_json: Json = False) -> None:
    """A story with its own clock: readings arrive when they did, ticks are written; judges run with --ticks log."""
    from streams.settings import settings

    if not path.is_file():
        raise UsageError(f"{path}: no such file")
    options = _options(tz=tz, time=time, site=site, arrived=arrived, map=",".join(columns or ()), missing=missing)
    chosen = settings(broker=broker, data=data)
    _run(_play(chosen, path, source, speed, tail, resume, name, decoder, options, idempotent, as_json))


@app.command("kafka")
def kafka(topic: Annotated[str, typer.Argument(help="The foreign topic; default: `topic` of the source.")] = "",
          source: From = "kafka", name: Name = "kafka",
          group: Annotated[str, typer.Option(help="Consumer group there; default: our prefix and the feed's name.")] = "",
          start: Annotated[str, typer.Option("--from-broker", help="Broker of the foreign topic; default: ours.")] = "",
          series: Annotated[str, typer.Option(help="Field with indicator@site; else --site and --indicator.")] = "",
          site: Annotated[str, typer.Option(help="Field of the site.")] = "",
          indicator: Annotated[str, typer.Option(help="Field of the indicator.")] = "",
          time: Annotated[str, typer.Option(help="Field of the time.")] = "",
          value: Annotated[str, typer.Option(help="Field of the value.")] = "",
          unit: Annotated[str, typer.Option(help="Of a time that is a number: ms, us or s; else iso.")] = "",
          form: Annotated[str, typer.Option("--format", help="json or msgpack.")] = "", tz: Tz = "",
          broker: Broker = None, data: Data = None) -> None:
    """A foreign topic with one reading a message, gathered into blocks; its offsets are committed once Kafka has them."""
    from streams.settings import settings

    options = _options(series=series, site=site, indicator=indicator, time=time, value=value, unit=unit, format=form, tz=tz,
                       topic=topic, broker=start, group=group)
    _run(_kafka(settings(broker=broker, data=data), source, name, options))


def _options(**given: str) -> dict[str, str]:
    return {key: value for key, value in given.items() if value}


def _run(work: Coroutine[Any, Any, None]) -> None:
    """Run to the end, or until SIGTERM or SIGINT: then what is under way is brought to safety."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s", stream=sys.stderr)

    async def main() -> None:
        task = asyncio.ensure_future(work)
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, task.cancel)
        try:
            await task
        except asyncio.CancelledError:
            say("stopped")

    asyncio.run(main())


async def _http(settings: Settings, host: str, source: str, name: str, idempotent: bool) -> None:
    from detectors.pack import FeedSource
    from streams.feeds.run import beside, opened
    from streams.feeds.transports.http import UNNAMED, make_app, serve

    def sources() -> list[FeedSource]:
        unnamed = [FeedSource(UNNAMED)] if feed.intake.sources.knows(UNNAMED) else []
        return [feed.plan.source(source)] if source else feed.plan.sources("http") or unnamed

    async with opened(settings, name, say, idempotent=idempotent) as feed:
        page = serve(make_app(feed.intake, feed.plan, source), host, settings.feed_port)
        say(f"listens on http://{host}:{settings.feed_port}/readings")
        await beside(*map(asyncio.ensure_future, (page, feed.plan.run(), feed.beat(sources))))


async def _file(settings: Settings, path: Path, source: str, name: str, decoder: str, options: dict[str, str],
                idempotent: bool, as_json: bool) -> None:
    from streams.feeds.run import beside, opened
    from streams.feeds.transports.file import Folder, take, watch

    async with opened(settings, name, say, idempotent=idempotent) as feed:
        await feed.plan.wait(say)
        beat = feed.beat(lambda: [_source(feed, source, "file", options)])
        if path.is_dir():
            folder = Folder(path, settings.data / "feeds" / f"{name}.taken")
            folder.recall()
            say(f"watches {path}")
            chosen = decoder or feed.plan.source(source).decoder
            work = watch(folder, feed.intake, lambda: feed.plan.rules(_source(feed, source, "file", options)),
                         chosen if decoder or _in_plan(feed, source) else "csv")
            await beside(*map(asyncio.ensure_future, (work, feed.plan.run(), beat)))
            return
        await feed.intake.outlet.ready()
        beating = asyncio.ensure_future(beat)
        try:
            rules = feed.plan.rules(_source(feed, source, "file", options, path))
            receipt = await take(path, feed.intake, rules, _decoder(feed, source, path, decoder))
            await feed.intake.outlet.ready()
        finally:
            beating.cancel()
    rows = [{"reason": r.reason, "place": r.place, "what": r.what} for r in receipt.rejected]
    _tell(as_json, {"file": str(path), "accepted": receipt.accepted, "rejected": rows, "durable": receipt.where},
          f"{path}: {receipt.accepted} accepted, {len(rows)} refused, safe in {receipt.where}")
    if rows:
        raise WanglouError("\n".join(f"{path}: {r['place']}: {r['what']}" for r in rows[:20]))


async def _kafka(settings: Settings, source: str, name: str, options: dict[str, str]) -> None:
    from streams.feeds.link import KafkaLink
    from streams.feeds.relay.columns import Fields
    from streams.feeds.run import beside, opened
    from streams.feeds.transports.kafka import Foreign, Relay

    async with opened(settings, name, say) as feed:
        await feed.plan.wait(say)
        found = _source(feed, source, "kafka", options).options
        if not found.get("topic"):
            raise UsageError("which topic? Name it, or give the source an option `topic`")
        Fields.of(found)
        foreign = Foreign(found.get("broker", settings.broker), found["topic"], found.get("group", settings.prefix + name),
                          settings.session_timeout)
        relay = Relay(foreign, feed.intake, lambda: feed.plan.rules(_source(feed, source, "kafka", options)),
                      lambda: KafkaLink.open(settings.broker, compression=None))
        say(f"relays {foreign.topic} of {foreign.broker} as group {foreign.group}")
        beat = feed.beat(lambda: [_source(feed, source, "kafka", options)])
        await beside(*map(asyncio.ensure_future, (relay.run(), feed.plan.run(), beat)))


async def _play(settings: Settings, path: Path, source: str, speed: str, tail: str, resume: bool, name: str, decoder: str,
                options: dict[str, str], idempotent: bool, as_json: bool) -> None:
    from dataclasses import replace

    from streams.feeds.decoders import decode
    from streams.feeds.run import opened
    from streams.feeds.story import scenario, told
    from streams.feeds.transports.file import load
    from streams.feeds.transports.play import Player, speed_of
    from streams.packs.units import UnitError, seconds

    async with opened(settings, name, say, played=True, idempotent=idempotent) as feed:
        await feed.plan.wait(say)
        options = {"missing": "na,n/a,nan,null,none", **options}
        rules = feed.plan.rules(_source(feed, source or "play", "play", options, path))
        if path.suffix in (".yaml", ".yml"):
            try:
                story = scenario(path.read_text("utf-8"), rules)
            except WanglouError as error:
                raise WanglouError("\n".join(f"{path}: {line}" for line in str(error).split("\n"))) from None
        else:
            story = told(decode(_decoder(feed, source, path, decoder), load(path), rules, None))
        try:
            story = replace(story, tail=seconds(tail)) if tail else story
        except UnitError as error:
            raise UsageError(f"--tail: {error}") from None
        player = Player(story, feed.intake, source or story.source or "play", speed_of(speed) if speed else story.speed,
                        settings.data / "feeds" / f"{name}.played" if resume else None)
        say(f"plays {path}{f' ({story.title})' if story.title else ''}{', invented' if story.invented else ''}: "
            f"{len(story.readings)} readings at ×{player.speed or 'max'}")
        await feed.intake.outlet.ready()
        count = await player.run(say)
        await feed.intake.outlet.ready()
    _tell(as_json, {"file": str(path), "accepted": count, "steps": player.done, "invented": story.invented,
                    "rejected": [{"reason": r.reason, "place": r.place, "what": r.what} for r in story.refused]},
          f"{path}: played {count} readings in {player.done} steps, {len(story.refused)} refused")


def _in_plan(feed: Feed, source: str) -> bool:
    return feed.plan.city is not None and any(s.id == source for s in feed.plan.city.feeds)


def _source(feed: Feed, source: str, transport: str, options: dict[str, str], path: Path | None = None) -> FeedSource:
    """The source of the plan (its factors, its options) with what this call says of its own."""
    from dataclasses import replace

    known = feed.plan.source(source)
    lines = {"format": "ndjson"} if path is not None and path.suffix in (".ndjson", ".jsonl") else {}
    return replace(known, transport=transport, options={**known.options, **lines, **options})


def _decoder(feed: Feed, source: str, path: Path, given: str) -> str:
    suffix = next((s for s in reversed(path.suffixes) if s != ".gz"), "")
    return given or (feed.plan.source(source).decoder if _in_plan(feed, source) else
                     "json" if suffix in (".json", ".ndjson", ".jsonl") else "csv")


def _tell(as_json: bool, result: dict[str, Any], text: str) -> None:
    print(json.dumps(result, ensure_ascii=False) if as_json else text)
