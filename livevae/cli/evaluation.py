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
@click.option("--plots", type=click.Path(path_type=Path), help="Draw pictures into this folder.")
@click.option("--card", is_flag=True, help="Write the split's figures into MODEL's card.")
@click.option(
    "--refined",
    type=click.IntRange(0),
    help="How many windows the rate-distortion curve is measured on; 0 leaves it out.  "
    "[default: 240, and 0 for decoders that go step by step]",
)
@click.option(
    "--pairs",
    type=click.IntRange(1, 1_000_000),
    help="How many pairs are interpolated between.  [default: 1024, and 64 for those]",
)
@click.option("--seed", type=click.IntRange(0, 2**32 - 1), default=0, show_default=True)
def eval_model(
    model: str,
    data: Path,
    split: str,
    as_json: bool,
    plots: Path | None,
    card: bool,
    refined: int | None,
    pairs: int | None,
    seed: int,
) -> None:
    """Measure MODEL on a split of DATA, beside copying the training set: some minutes on a CPU.

    With --card the figures go into README.md in MODEL's folder, in place of those of the same
    split; what else that file says stays.
    """
    import msgspec

    from livevae.latent.prior import PRIOR_FILE
    from livevae.latent.space import SPACE_FILE
    from livevae.model.checkpoint import load_model
    from livevae.model.folder import matching_prior, matching_space
    from livevae.resources import find_model
    from livevae.training.card import CARD_FILE, read_card, write_figures
    from livevae.training.dataset import load_split
    from livevae.training.report import Extent, evaluate_fully

    folder = find_model(model)
    vae = load_model(folder)
    training, evaluated = load_split(data, "train"), load_split(data, split)
    if plots:
        from livevae.files import make_folder
        from livevae.training.pictures import require_matplotlib

        require_matplotlib()
        make_folder(plots)
    if card:
        read_card(folder)  # one that is no text is told of before minutes of measuring
    extent = Extent.of(vae.config)
    if refined is not None:
        extent = msgspec.structs.replace(extent, refined=refined)
    if pairs is not None:
        extent = msgspec.structs.replace(extent, pairs=pairs)

    console = new_console()
    with console.status("") as status:
        report = evaluate_fully(
            vae,
            training,
            evaluated,
            split,
            extent,
            space=matching_space(folder) if (folder / SPACE_FILE).exists() else None,
            prior=matching_prior(folder) if (folder / PRIOR_FILE).exists() else None,
            seed=seed,
            watch=lambda section: status.update(f"{section[0].upper()}{section[1:]}"),
        )
        if plots:
            from livevae.training.metrics import read
            from livevae.training.pictures import draw

            status.update("Drawing")
            draw(plots, vae, evaluated, report, read(folder), seed)
    if as_json:
        click.echo(msgspec.json.encode(report))
    else:
        print_report(console, report)
    if card:
        write_figures(folder, report, vae.config.bars)
        console.print(f"The figures are in {folder / CARD_FILE}", soft_wrap=True)
    if plots:
        console.print(f"The pictures are in {plots}", soft_wrap=True)
