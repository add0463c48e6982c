"""`gateway messages replay`: messages made pending again, some by id or many by a filter, at a pace."""

from collections.abc import Sequence
from pathlib import Path

import click

from gateway import operate, shown
from gateway.cli.bar import Bar
from gateway.cli.choosing import Picked, choosing
from gateway.cli.desk import Desk, by_option, confirmed, json_option, on_interrupt, tell_json, work
from gateway.cli.messages_list import line
from gateway.cli.options import config_option
from gateway.config.units import Rate
from gateway.message import MessageId
from gateway.operate import Chosen, Replayed
from gateway.records import Filter


def _rate(_context: click.Context, _option: click.Parameter, value: str | None) -> float | None:
    try:
        return None if value is None else Rate.parse(value).per_second
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


@click.command(
    name="replay",
    help="Make messages pending again, under their own ids: those named, or all that the options choose. "
    "Without --yes the latter only tells which they are. Without --state it chooses what is buried or expired.",
)
@click.argument("messages", metavar="[ID]...", nargs=-1)
@choosing
@click.option("--yes", is_flag=True, help="Do it.")
@click.option("--rate", metavar="RATE", callback=_rate, help='Not faster than "10/s"; Ctrl-C stops between two.')
@click.option("--unknown", is_flag=True, help="Unknown ones too, which may have been done; asks once more.")
@by_option
@json_option
@config_option
def command(  # noqa: PLR0913 - its options
    *,
    config: Path,
    messages: Sequence[str],
    picked: Picked,
    yes: bool,
    rate: float | None,
    unknown: bool,
    by: str,
    as_json: bool,
) -> None:
    """Replay."""

    async def act(desk: Desk) -> int:
        wanted = picked.filter(desk.clock.now(), desk.located.config.agency)
        if bool(messages) is (wanted != Filter()):
            raise click.UsageError("name messages by their ids, or choose them by options such as --agency")
        if messages:
            chosen = await operate.chosen_by_id(desk.ledger, [*map(MessageId, messages)], unknown=unknown)
        else:
            chosen = await operate.chosen_by_filter(desk.ledger, wanted, unknown=unknown)
        if not (messages or yes):
            _tell_dry(chosen, desk, as_json=as_json)
            return 0
        return await _replay(desk, chosen, rate, by, as_json=as_json)

    work(config, act)


def _tell_dry(chosen: Chosen, desk: Desk, *, as_json: bool) -> None:
    now = desk.clock.now()
    if as_json:
        tell_json(shown.chosen(chosen, now))
        return
    for row in chosen.sample:
        click.echo(line(row, now))
    more = len(chosen.ids) - len(chosen.sample)
    click.echo(f"... and {more} more" if more else "", nl=bool(more))
    doubt = f", {len(chosen.doubtful)} of them unknown" if chosen.doubtful else ""
    click.echo(f"would replay {len(chosen.ids)}{doubt}{'; do it with --yes' if chosen.ids else ''}", err=True)


async def _replay(desk: Desk, chosen: Chosen, rate: float | None, by: str, *, as_json: bool) -> int:
    said = confirmed(chosen)
    far = Replayed(done=0, skipped=0, total=len(chosen.ids))
    stop = on_interrupt()
    with Bar("replayed", quiet=as_json) as bar:
        going = operate.replay(desk.ledger, chosen, by=by, clock=desk.clock, rate=rate, confirm=said, stop=stop)
        async for far in going:
            bar.at(far.done + far.skipped, far.total)
    left = far.total - far.done - far.skipped
    if as_json:
        tell_json({**shown.replayed(far), "stopped": left > 0})
    else:
        click.echo(f"replayed {far.done} of {far.total}{_rest(far, left)}")
    return int(far.done < far.total)


def _rest(far: Replayed, left: int) -> str:
    skipped = f"; {far.skipped} skipped, something had happened to them or their bodies are gone" if far.skipped else ""
    return skipped + (f"; stopped, {left} left as they were" if left else "")
