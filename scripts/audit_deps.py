"""Ask for known weaknesses of locked packages with pip-audit, and count what could not be asked.

pip-audit by itself passes when its service knows none of the packages, as behind a mirror without
such data.
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

EXIT_WEAK = 1
EXIT_UNKNOWN = 2


def main() -> int:
    """Audit each lock file. Returns 0 only if all packages were looked up and none is weak."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--service", choices=("pypi", "osv"), default="pypi", help="whom to ask (default pypi)")
    parser.add_argument("locks", nargs="+", help="lock files")
    args = parser.parse_args()
    return max(audit(lock, args.service) for lock in args.locks)


def audit(lock: str, service: str) -> int:
    """Audit one lock file, and print what was found."""
    tool = Path(sys.executable).with_name("pip-audit")
    command = [str(tool), "--vulnerability-service", service, "--require-hashes", "--disable-pip", "-r", lock]
    done = subprocess.run(
        [*command, "--format", "json", "--progress-spinner", "off"], capture_output=True, text=True, check=False
    )
    try:
        packages = json.loads(done.stdout)["dependencies"]
    except (ValueError, KeyError):
        lines = done.stderr.strip().splitlines()
        sys.stdout.write(f"{lock}: could not ask {service}: {lines[-1] if lines else 'no answer'}\n")
        return EXIT_UNKNOWN
    text, status = report(lock, packages)
    sys.stdout.write(text)
    return status


def report(lock: str, packages: list[dict[str, Any]]) -> tuple[str, int]:
    """Return what to print about the packages, and the exit status."""
    weak = [each for each in packages if each.get("vulns")]
    unknown = [each["name"] for each in packages if "skip_reason" in each]
    lines = [
        f"{lock}: {each['name']} {each['version']}: {found['id']}, "
        f"mended in {', '.join(found['fix_versions']) or 'no version yet'}"
        for each in weak
        for found in each["vulns"]
    ]
    asked = len(packages) - len(unknown)
    lines.append(f"{lock}: {asked} of {len(packages)} packages looked up, {len(weak)} with known weaknesses")
    if unknown or not packages:
        lines.append(f"{lock}: NOT looked up: {', '.join(unknown[:5]) or 'any'}{' …' if len(unknown) > 5 else ''}")
    status = EXIT_WEAK if weak else EXIT_UNKNOWN if unknown or not packages else 0
    return "".join(f"{line}\n" for line in lines), status


if __name__ == "__main__":
    raise SystemExit(main())
