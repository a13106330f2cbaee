"""`livevae status`, `set`, `get`, `panic`: speak to the running daemon."""

from __future__ import annotations

import click
import msgspec

from livevae.daemon.control import PATIENCE_S, Request, ask
from livevae.daemon.instrument import LOADS_WITHIN_S
from livevae.daemon.supervisor import Report
from livevae.parameters import PARAMETERS, Kind, Parameter, Value, find
from livevae.resources import find_model


def _report() -> Report:
    return msgspec.json.decode(ask(Request("status")), type=Report)


@click.command(short_help="How the running LiveVAE is doing.")
@click.option("--json", "as_json", is_flag=True, help="Everything, for machines.")
def status(as_json: bool) -> None:
    """Show clock, bars, decode times, timing and ports of the running LiveVAE."""
    if as_json:
        click.echo(ask(Request("status")))
        return
    report = _report()
    player, decoder = report.player, report.decoder
    clock = "locked" if player.locked else "not locked" if player.clock_alive else "none comes in"
    if player.clock == "midi":
        clock += f" from {player.clock_source}" * bool(player.clock_source)
        clock += f"; ignored: {', '.join(player.other_clocks)}" * bool(player.other_clocks)
    peers = f", {player.link_peers} Link peers" if player.clock == "link" else ""
    sent_out = ", sent out" if player.values["clock_out"] else ""
    bars = ", ".join(f"{count} {source}" for source, count in player.bars.items())
    trouble = f"; {decoder.reason}" * bool(decoder.reason)
    decodes = f"{decoder.decodes} decodes, p50 {decoder.p50_ms:.1f} ms, p99 {decoder.p99_ms:.1f} ms"
    heard = ", ".join(player.connections.inputs) or "nobody yet"
    sent = ", ".join(player.connections.outputs) or "nobody yet"
    restarts = ", ".join(f"{name} {count}" for name, count in report.restarts.items())
    lines = {
        "state": f"{'playing' if player.playing else 'stopped'} at beat {player.beats:.1f}",
        "clock": f"{player.clock}, {player.bpm:.1f} BPM{peers}{sent_out}, {clock}",
        "bars": bars,
        "timing": f"late by p99 {player.late_p99_ms:.2f} ms, at most {player.late_max_ms:.2f} ms",
        "decoder": f"{decoder.state} {decoder.device}".strip() + f", {decodes}{trouble}",
        "model": report.model,
        "ports": f"{player.port} ({player.backend}); hears {heard}; sends to {sent}",
        "priority": player.realtime,
        "restarts": restarts,
    }
    for name, text in lines.items():
        click.echo(f"{name:9} {text}")
    if player.fault:
        click.echo(f"fault     {player.fault}")


@click.command("set", short_help="Set a control.")
@click.argument("name")
@click.argument("value")
def set_control(name: str, value: str) -> None:
    """Set control NAME of the running LiveVAE to VALUE."""
    if find(name).kind is Kind.NAME:
        # A path means here what it means to who typed it, not to the daemon.
        folder = str(find_model(value).absolute())
        ask(Request("set", name, folder), patience_s=LOADS_WITHIN_S + PATIENCE_S)
        return
    find(name).parse(value)
    ask(Request("set", name, value))


@click.command(short_help="Show controls.")
@click.argument("name", required=False)
@click.option("--json", "as_json", is_flag=True, help="For machines.")
def get(name: str | None, as_json: bool) -> None:
    """Show control NAME of the running LiveVAE, or all of them."""
    shown = [find(name)] if name else [p for p in PARAMETERS.values() if p.kind is not Kind.TRIGGER]
    report = _report()
    named = {parameter.name: _value(parameter, report) for parameter in shown}
    if as_json:
        click.echo(msgspec.json.encode(named))
    elif name:
        click.echo(_text(named[name]))
    else:
        for parameter in shown:
            value = f"{_text(named[parameter.name])} {parameter.unit}".strip()
            click.echo(f"{parameter.name:20} {value:12} {parameter.help}")


def _value(parameter: Parameter, report: Report) -> Value:
    if parameter.kind is Kind.NAME:
        return report.model
    return parameter.to_value(report.player.values[parameter.name])


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    return f"{value:g}" if isinstance(value, float) else str(value)


@click.command(short_help="Silence every note at once.")
def panic() -> None:
    """Silence every note at once."""
    ask(Request("panic"))
