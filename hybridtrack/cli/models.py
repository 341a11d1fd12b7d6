"""``hybridtrack models``: the bundles in the package."""

from __future__ import annotations

import click

from hybridtrack.cli.command import RefusingGroup


@click.group(cls=RefusingGroup, invoke_without_command=True, short_help="List, describe and verify model bundles.")
@click.pass_context
def models(context: click.Context) -> None:
    """List, describe and verify the model bundles in the package."""
    if context.invoked_subcommand is None:
        context.invoke(show_list)


@models.command("list")
def show_list() -> None:
    """Print the bundles in the package, one a line."""
    from hybridtrack.detectors.bundle import find_bundle, list_bundles

    for name in list_bundles():
        manifest = find_bundle(name).manifest
        click.echo(f"{name}  {', '.join(manifest.models)}  {manifest.licence}  {manifest.summary}")


@models.command()
@click.argument("name")
def info(name: str) -> None:
    """Print what a bundle is: NAME of one in the package, or a folder."""
    from hybridtrack.detectors.bundle import find_bundle

    bundle = find_bundle(name)
    manifest = bundle.manifest
    width, height = bundle.input_size_px
    rows = {
        "name": bundle.name,
        "summary": manifest.summary,
        "classes": ", ".join(f"{label.name} ({label.role})" for label in bundle.classes),
        "input": f"{width}x{height} {manifest.input.channels}",
        "precisions": ", ".join(f"{p} (default)" if p == manifest.default_precision else p for p in manifest.models),
        "licence": manifest.licence,
        "origin": manifest.origin,
        "folder": str(bundle.folder),
    }
    for key, value in rows.items():
        click.echo(f"{key:<12}{value}")
    for file, digest in manifest.sha256.items():
        click.echo(f"{'sha256':<12}{digest}  {file}")


@models.command()
@click.argument("names", metavar="[NAME]...", nargs=-1)
def verify(names: tuple[str, ...]) -> None:
    """Check the sums of every file of the bundles: of those named, or of all in the package."""
    from hybridtrack.detectors import bundle

    for name in names or bundle.list_bundles():
        files = bundle.verify(bundle.find_bundle(name))
        click.echo(f"{name}: {len(files)} files are as they were made")
