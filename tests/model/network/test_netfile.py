"""The network file: what goes in comes out, byte for byte the same, whole or not at all."""

import hashlib
import json
import os
import resource
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from spikewatt.base.errors import NetworkError, SpikewattError
from spikewatt.model.network.file import FORMAT, FORMAT_VERSION, load_network, save_network
from spikewatt.model.network.graph import Connection, Network, Population
from spikewatt.model.params import NeuronType
from tests.model.builders import flatten, random_network

ROOT = Path(__file__).resolve().parents[3]


def members(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_round_trip(small_network: Network, tmp_path: Path) -> None:
    save_network(small_network, tmp_path / "small.swn")
    loaded = load_network(tmp_path / "small.swn")
    assert flatten(loaded) == flatten(small_network)
    assert flatten(loaded) != flatten(replace(small_network, drain_ticks=7))
    assert {p.threshold.dtype for p in loaded.populations} == {np.dtype(np.int64)}


@pytest.mark.parametrize("seed", range(12))
def test_round_trip_of_random_networks(tmp_path: Path, seed: int) -> None:
    network = random_network(seed)
    save_network(network, str(tmp_path / "n.swn"))
    assert flatten(load_network(str(tmp_path / "n.swn"))) == flatten(network)


def test_files_are_reproducible(small_network: Network, tmp_path: Path) -> None:
    for name in ("a", "b"):
        save_network(small_network, tmp_path / name)
    save_network(load_network(tmp_path / "a"), tmp_path / "c")
    first = (tmp_path / "a").read_bytes()
    assert (tmp_path / "b").read_bytes() == first
    assert (tmp_path / "c").read_bytes() == first
    with zipfile.ZipFile(tmp_path / "a") as archive:
        assert {info.date_time for info in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}


def test_the_checksum_follows_its_specification(small_network: Network, tmp_path: Path) -> None:
    """docs/network-format.md, "Checksum", written a second time."""
    save_network(small_network, tmp_path / "small.swn")
    with np.load(tmp_path / "small.swn") as archive:
        arrays = {name: archive[name] for name in archive.files if name != "network.json"}
    manifest = json.loads(members(tmp_path / "small.swn")["network.json"])
    claimed = manifest.pop("sha256")
    text = json.dumps(manifest, sort_keys=True, separators=(",", ":"))
    parts = [text.encode("ascii")]
    for name in sorted(arrays):
        shape = repr(arrays[name].shape)
        parts.append(f"\n{name} {arrays[name].dtype.str} {shape}\n".encode())
        parts.append(arrays[name].tobytes("C"))
    assert hashlib.sha256(b"".join(parts)).hexdigest() == claimed
    assert (manifest["format"], manifest["version"]) == (FORMAT, FORMAT_VERSION)
    assert (FORMAT, FORMAT_VERSION) == ("spikewatt-network", 1)


def test_arrays_take_the_narrowest_type(small_network: Network, tmp_path: Path) -> None:
    hidden, output = small_network.populations
    wide = replace(hidden, threshold=np.array([4000, 1, 2]), bias=np.array([1 << 30, 0, 0]))
    save_network(replace(small_network, populations=(wide, output)), tmp_path / "small.swn")
    manifest = json.loads(members(tmp_path / "small.swn")["network.json"])
    with np.load(tmp_path / "small.swn") as archive:
        kinds = [
            archive[item[key]].dtype.str
            for item, key in [
                (manifest["connections"][0], "weights"),
                (manifest["connections"][2], "weights"),
                (manifest["populations"][0], "threshold"),
                (manifest["populations"][0], "bias"),
                (manifest["populations"][0], "bias_float"),
            ]
        ]
    assert kinds == ["|i1", "<i2", "<i2", "<i4", "<f4"]
    loaded = load_network(tmp_path / "small.swn").population("h")
    assert loaded.bias is not None
    assert loaded.bias.tolist() == [1 << 30, 0, 0]


@pytest.mark.parametrize("name", ["../up", "a/b", "a\0b", "ünï", "a\nb", ".", "network", " "])
def test_any_name_survives(small_network: Network, tmp_path: Path, name: str) -> None:
    hidden, output = small_network.populations
    named = replace(
        small_network,
        name=name,
        populations=(hidden, replace(output, name=name)),
        connections=(replace(small_network.connections[2], target=name),),
        readout=replace(small_network.readout, population=name),
    )
    save_network(named, tmp_path / "n.swn")
    assert flatten(load_network(tmp_path / "n.swn")) == flatten(named)


def test_metadata_becomes_plain_json(small_network: Network, tmp_path: Path) -> None:
    odd = replace(small_network, metadata={10: (1, 2), 2: None})
    save_network(odd, tmp_path / "n.swn")
    assert load_network(tmp_path / "n.swn").metadata == {"10": [1, 2], "2": None}


@pytest.mark.parametrize("value", [np.int64(3), {1}, float("nan"), b"bytes"])
def test_metadata_that_json_cannot_hold(
    small_network: Network, tmp_path: Path, value: object
) -> None:
    with pytest.raises(NetworkError, match="metadata must be plain JSON"):
        save_network(replace(small_network, metadata={"key": value}), tmp_path / "n.swn")
    assert list(tmp_path.iterdir()) == []


def test_floats_that_the_file_cannot_hold() -> None:
    with pytest.raises(NetworkError) as caught:
        Population(
            name="p",
            neuron=NeuronType(),
            threshold=np.array([1]),
            threshold_float=np.array([1e300]),
        )
    assert str(caught.value) == "population 'p': threshold_float must be finite float32 values"


def test_floats_are_stored_in_single_precision(small_network: Network, tmp_path: Path) -> None:
    link = small_network.connections[0]
    thirds = replace(link, weights_float=np.full((2, 3), 1 / 3))
    changed = replace(small_network, connections=(thirds, *small_network.connections[1:]))
    save_network(changed, tmp_path / "n.swn")
    loaded = load_network(tmp_path / "n.swn").connections[0].weights_float
    assert loaded is not None
    assert np.array_equal(loaded, np.full((2, 3), np.float32(1 / 3), np.float64))
    assert loaded.dtype == np.float64


def test_saving_into_a_missing_folder(small_network: Network, tmp_path: Path) -> None:
    path = tmp_path / "missing" / "small.swn"
    with pytest.raises(SpikewattError) as caught:
        save_network(small_network, path)
    why = "No such file or directory"
    assert str(caught.value) == f"cannot write to {path} ({why}): choose another file"


def test_saving_onto_a_folder(small_network: Network, tmp_path: Path) -> None:
    (tmp_path / "taken").mkdir()
    path = tmp_path / "taken"
    with pytest.raises(SpikewattError) as caught:
        save_network(small_network, path)
    assert str(caught.value) == f"cannot write to {path} (it is a folder): choose another file"
    assert [item.name for item in tmp_path.iterdir()] == ["taken"]


def test_a_full_disk_leaves_the_old_file(small_network: Network, tmp_path: Path) -> None:
    path = tmp_path / "small.swn"
    save_network(small_network, path)
    before = path.read_bytes()
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (200, limits[1]))
    try:
        with pytest.raises(SpikewattError) as caught:
            save_network(replace(small_network, name="other"), path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert str(caught.value) == f"cannot write to {path} (File too large): choose another file"
    assert [item.name for item in tmp_path.iterdir()] == ["small.swn"]
    assert path.read_bytes() == before


def test_an_interrupt_leaves_nothing(
    small_network: Network, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "rename", interrupt)
    with pytest.raises(KeyboardInterrupt):
        save_network(small_network, tmp_path / "small.swn")
    assert list(tmp_path.iterdir()) == []


def test_a_network_keeps_its_own_arrays() -> None:
    weights = np.array([[1, 2]])
    link = Connection(source="input", target="p", weights=weights)
    weights[0, 0] = 100
    assert link.weights.tolist() == [[1, 2]]
    with pytest.raises(ValueError, match="read-only"):
        link.weights[0, 0] = 3


def test_the_example_of_the_specification_runs(
    capsys: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = (ROOT / "docs" / "network-format.md").read_text()
    (example,) = [part.split("```")[0] for part in text.split("```python\n")[1:]]
    monkeypatch.chdir(ROOT)
    exec(compile(example, "network-format.md", "exec"), {})
    assert capsys.readouterr().out.splitlines() == [
        "digits: 64 inputs, 15 timesteps",
        "input -> hidden (64, 128) int8",
        "hidden -> output (128, 10) int8",
    ]
