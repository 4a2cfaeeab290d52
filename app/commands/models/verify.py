"""`headrace models verify`: checks artefacts on the machine that runs them."""

import argparse
from dataclasses import asdict

from app.artefacts.verify import verify_models
from app.commands.models.arguments import add_common, add_inference, folder_of, print_result, tell
from app.errors import HeadraceError
from app.settings import Settings
from models.inference.manifest import FILE_NAME
from models.inference.settings import InferenceSettings

SUMMARY = "check sums, shapes and canonical vectors of every artefact"


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    add_common(parser)
    add_inference(parser)


def execute(args: argparse.Namespace, settings: Settings) -> int:
    """Check everything. The exit status is 0 if every artefact is right."""
    folder = folder_of(args, settings)
    findings = list(verify_models(folder, InferenceSettings(provider=args.provider, threads=args.threads)))
    for finding in findings:
        if finding.fallback:
            tell(f"WARNING: {finding.fallback}")
    if not findings:
        raise HeadraceError(f"{folder / FILE_NAME} lists no model; make one with `headrace models export`")
    good = all(finding.problem is None for finding in findings)
    lines = []
    for finding in findings:
        near = finding.comparison
        measured = f"{near.measure} {near.worst:.5f} (bound {near.bound}) on {finding.provider}" if near else ""
        lines.append(finding.problem or f"{finding.name}: sums and shapes as listed, {measured}")
    print_result(
        args.json, {"ok": good, "models": [asdict(each) for each in findings]}, lambda: "\n".join(lines) + "\n"
    )
    return 0 if good else 1
