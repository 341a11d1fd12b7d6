"""``hybridtrack plugins``: what is installed, what it offers, and whether its detectors keep the contract."""

from __future__ import annotations

import json
from contextlib import closing
from typing import TYPE_CHECKING, Any

import click

from hybridtrack.cli.command import RefusingGroup
from hybridtrack.errors import HybridTrackError, PluginError, UsageError, unknown_name
from hybridtrack.sinks.standard_output import reserved_for_results, results

if TYPE_CHECKING:
    from hybridtrack.hookspecs import Detector
    from hybridtrack.plugin_host import Offer, Plugin, PluginHost

KINDS = ("detector", "tracker", "relation", "sink")

as_json = click.option("--json", "is_json", is_flag=True, help="Print JSON.")


@click.group(cls=RefusingGroup, invoke_without_command=True, short_help="List, describe and check plugins.")
@as_json
@click.pass_context
def plugins(context: click.Context, is_json: bool) -> None:
    """List, describe and check plugins: where detectors, trackers, relations and sinks come from."""
    if context.invoked_subcommand is None:
        context.invoke(show_list, is_json=is_json)


@plugins.command("list")
@as_json
@reserved_for_results()
def show_list(is_json: bool) -> None:
    """Print the plugins, one a line: distribution, version, state, and what they offer or why they do not."""
    from hybridtrack.plugin_host import PluginHost

    host = PluginHost.load()
    rows = [_plugin_row(plugin, host) for plugin in host.plugins]
    if is_json:
        _print_json(rows)
        return
    head = [(row["name"], f"{row['distribution']} {row['version']}", row["state"]) for row in rows]
    widths = [max(map(len, column)) for column in zip(*head, strict=True)]
    for row, cells in zip(rows, head, strict=True):
        offers = "; ".join(f"{kind}s: {', '.join(row[f'{kind}s'])}" for kind in KINDS if row[f"{kind}s"])
        padded = [cell.ljust(width) for cell, width in zip(cells, widths, strict=True)]
        _print("  ".join([*padded, row["error"] or offers or "offers nothing"]))


@plugins.command()
@click.argument("name")
@as_json
@reserved_for_results()
def info(name: str, is_json: bool) -> None:
    """Print what NAME, a plugin or something that one offers, is. Detectors are built, to name their classes."""
    from hybridtrack.plugin_host import PluginHost

    host = PluginHost.load()
    found = [(plugin, _offers_called(name, plugin, host)) for plugin in host.plugins]
    rows = [
        _plugin_row(plugin, host) | {"offers": [_offer_row(offer) for offer in offers]}
        for plugin, offers in found
        if offers or plugin.name == name
    ]
    if not rows:
        known = {plugin.name for plugin in host.plugins} | {offer.spec.name for offer in host.offers}
        raise UsageError(unknown_name("plugin", name, known))
    if is_json:
        _print_json(rows)
        return
    for row in rows:
        _print(f"{row['name']}  {row['distribution']} {row['version']}  {row['state']}  {row['error']}".rstrip())
        for offer in row["offers"]:
            _print_offer(offer)


@plugins.command()
@click.argument("detector", metavar="NAME[,limit=T][,key=value...]")
@as_json
@reserved_for_results()
def check(detector: str, is_json: bool) -> None:
    """Try the detector NAME on generated frames, and print each rule of the contract that it breaks.

    limit= (default 30s) is how long it may take on a frame.
    """
    from hybridtrack.config import parse_choice
    from hybridtrack.detector_runner import HANG_LIMIT_S
    from hybridtrack.plugin_host import PluginHost
    from hybridtrack.testing import check_detector

    choice = parse_choice(detector, where="detector", has_cadence=True)
    offer = PluginHost.load().detector(choice.name)
    built = offer.build(offer.read_options(choice.options))
    broken = check_detector(built, hang_limit_s=choice.limit_s or HANG_LIMIT_S)
    if is_json:
        _print_json({"detector": choice.name, "plugin": offer.plugin.name, "broken": broken})
    else:
        for rule in broken:
            _print(rule)
    if broken:
        count = "1 rule" if len(broken) == 1 else f"{len(broken)} rules"
        raise PluginError(f"detector {choice.name!r} ({offer.plugin}) breaks {count}; mend it")
    if not is_json:
        _print(f"detector {choice.name!r} ({offer.plugin}) keeps all rules")


def _plugin_row(plugin: Plugin, host: PluginHost) -> dict[str, Any]:
    """Return what ``list`` says of a plugin: name, distribution, version, state, error, and its offers by kind."""
    clashes = _clashes(plugin, host)
    state = "disabled" if plugin.is_disabled else "broken" if plugin.error else "clash" if clashes else "ok"
    error = plugin.error or "; ".join(clashes)
    row = {"name": plugin.name, "distribution": plugin.distribution, "version": plugin.version, "state": state}
    names = {
        f"{kind}s": [offer.spec.name for offer in host.offers if offer.plugin is plugin and offer.kind == kind]
        for kind in KINDS
    }
    return row | {"error": error} | names


def _clashes(plugin: Plugin, host: PluginHost) -> list[str]:
    """Return why things that ``plugin`` offers cannot be selected; the built-in ones were there first and clash not."""
    from hybridtrack.hookspecs import PROJECT

    clashes: dict[str, None] = {}
    for offer in host.offers:
        if offer.plugin is plugin and plugin.distribution != PROJECT:
            try:
                getattr(host, offer.kind)(offer.spec.name)
            except PluginError as error:
                clashes[str(error)] = None
    return list(clashes)


def _offers_called(name: str, plugin: Plugin, host: PluginHost) -> list[Offer[Any]]:
    """Return what ``plugin`` offers under ``name``; all that it offers when that is its own name."""
    return [offer for offer in host.offers if offer.plugin is plugin and name in (plugin.name, offer.spec.name)]


def _offer_row(offer: Offer[Any]) -> dict[str, Any]:
    """Return what ``info`` says of an offer; of a detector also its classes, or why it cannot be built."""
    spec = offer.spec
    options = [{"name": one.name, "default": one.default, "help": one.help} for one in spec.options]
    row: dict[str, Any] = {"kind": offer.kind, "name": spec.name, "summary": spec.summary, "options": options}
    if offer.kind != "detector":
        return row
    row |= {"default_every": spec.default_every, "classes": [], "open_classes": False, "error": ""}
    try:
        with closing(offer.build(offer.read_options({}))) as built:
            detector: Detector = built
            row["open_classes"] = getattr(detector, "open_classes", False)
            row["classes"] = [{"name": x.name, "role": x.role, "identity": x.identity} for x in detector.classes]
    except HybridTrackError as error:
        row["error"] = str(error)
    return row


def _print_offer(offer: dict[str, Any]) -> None:
    _print(f"  {offer['kind']} {offer['name']}: {offer['summary']}")
    if offer.get("default_every"):
        _print(f"    every    {offer['default_every']}")
    if offer.get("classes"):
        _print(f"    classes  {', '.join(map(_class_text, offer['classes']))}")
    if offer.get("error"):
        _print(f"    error    {offer['error']}")
    for option in offer["options"]:
        default = "" if option["default"] is None else f" (default {option['default']})"
        _print(f"    option   {option['name']}={default}  {option['help']}".rstrip())


def _class_text(info: dict[str, str]) -> str:
    joined = "" if info["identity"] == info["name"] else f", kept as {info['identity']}"
    return f"{info['name']} ({info['role']}{joined})"


def _print(line: str) -> None:
    click.echo(line, file=results())


def _print_json(content: Any) -> None:
    _print(json.dumps(content, indent=2, ensure_ascii=False, default=str))
