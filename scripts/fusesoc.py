"""Generator for FuseSoC: exports a core with the parameters that the core file asks for.

FuseSoC runs it in a folder of its own with the name of a YAML file: ``vlnv`` is what the core shall
be called; ``parameters`` are ``core``, ``fabric``, ``mesh``, and ``sizes``, as for the command
``spikewatt export``.
"""

import sys
from pathlib import Path

import yaml

from spikewatt.base.errors import SpikewattError
from spikewatt.flow.cli.export import read_sizes, write_core
from spikewatt.flow.synth.cores import Choice, Core
from spikewatt.model.params import Fabric


def main() -> None:
    """Write the Verilog and its core file here."""
    asked = yaml.safe_load(Path(sys.argv[1]).read_text())
    wanted = asked["parameters"]
    try:
        core, fabric = Core(wanted["core"]), Fabric(wanted.get("fabric", "fpga"))
        sizes = read_sizes(core, [f"{key}={value}" for key, value in wanted["sizes"].items()])
        write_core(Path(), Choice(core, fabric, sizes, wanted.get("mesh")), asked["vlnv"])
    except (SpikewattError, ValueError, KeyError) as error:
        sys.exit(f"spikewatt: {error}")


main()
