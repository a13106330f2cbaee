# ruff: noqa: PLC0415 - torch and its like are imported by the command that needs them only
"""The command that measures a model: eval."""

from __future__ import annotations

from pathlib import Path

import click

from livevae.cli.console import new_console, print_report


@click.command("eval")
@click.argument("model")
@click.argument("data", type=click.Path(path_type=Path))
@click.option("--split", default="test", show_default=True, help="train, validation or test.")
@click.option("--json", "as_json", is_flag=True, help="JSON on stdout.")
def eval_model(model: str, data: Path, split: str, as_json: bool) -> None:
    """Measure how well MODEL reconstructs a split of DATA, beside copying the training set."""
    import msgspec

    from livevae.model.checkpoint import load_model
    from livevae.resources import find_model
    from livevae.training.dataset import load_split
    from livevae.training.evaluate import evaluate

    vae = load_model(find_model(model))
    report = evaluate(vae, load_split(data, "train"), load_split(data, split), split)
    if as_json:
        click.echo(msgspec.json.encode(report))
    else:
        print_report(new_console(), report)
