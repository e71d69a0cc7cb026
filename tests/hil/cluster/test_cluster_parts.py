"""A cluster's parts without a cluster: who may talk to whom, certificates, files by hash, what a host answers."""

import asyncio
import datetime
import json
import os
import sys
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from firmware_bridge.errors import FileError, UsageError
from hil.cli import main
from hil.cluster.address import CA, CERT, KEY, checked, security_of, tls_of
from hil.cluster.certs import make_certificates
from hil.cluster.crew import with_kept
from hil.cluster.files import Cache, Parts, here, parts_of
from hil.cluster.host import Host
from hil.models.verify import verify
from hil.scenario.afterwards.accept import accept
from hil.scenario.grammar.load import Loaded, parse_scenario
from hil.scenario.results.identity import identity_of
from hil.scenario.run import RunOptions, run_scenario
from hil.scenario.unit import result_of, unit_of

NOW = datetime.datetime(2026, 3, 1, tzinfo=datetime.UTC)


@pytest.mark.parametrize("url", ["tcp://127.0.0.1:8786", "tcp://localhost:1", "tcp://[::1]:2", "tls://bench.lab:8786"])
def test_this_machine_and_encrypted_ways_may_be_talked_to(url: str) -> None:
    assert checked(url) == url


@pytest.mark.parametrize("url", ["tcp://10.0.0.7:8786", "tcp://bench.lab:8786", "tcp://0.0.0.0:8786"])
def test_another_machine_is_refused_without_encryption_unless_it_is_meant(url: str) -> None:
    with pytest.raises(UsageError, match="--insecure"):
        checked(url)
    assert checked(url, insecure=True) == url


@pytest.mark.parametrize("url", ["bench.lab", "tls://bench.lab", "http://127.0.0.1:1", "tls://:1", "tls://h:x", ""])
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(UsageError, match="tls://HOST:PORT"):
        checked(url)


def test_certificates_are_found_by_option_or_folder_and_all_three_are_needed(tmp_path: Path) -> None:
    folder = tmp_path / "tls"
    make_certificates(folder, 30, NOW)
    assert tls_of(environ={}) is None
    found = tls_of(environ={"HIL_TLS_DIR": str(folder)})
    assert found == tls_of(folder / CA, folder / CERT, folder / KEY, {})
    with pytest.raises(UsageError, match="--tls-key is missing"):
        tls_of(folder / CA, folder / CERT, None, {})
    with pytest.raises(UsageError, match="no such file"):
        tls_of(environ={"HIL_TLS_DIR": str(tmp_path)})
    with pytest.raises(UsageError, match="certificates"):
        security_of("tls://127.0.0.1:1", None)
    assert security_of("tcp://127.0.0.1:1", found) is None


def test_an_authority_signs_one_key_that_only_its_owner_can_read(tmp_path: Path) -> None:
    from cryptography import x509

    folder = tmp_path / "tls"
    made = make_certificates(folder, 30, NOW)
    assert [path.name for path in made] == [CA, CERT, KEY] == sorted(os.listdir(folder), key=[CA, CERT, KEY].index)
    assert all(path.stat().st_mode & 0o077 == 0 for path in made)
    ca, cert = (x509.load_pem_x509_certificate((folder / name).read_bytes()) for name in (CA, CERT))
    cert.verify_directly_issued_by(ca)
    assert (cert.not_valid_after_utc - NOW).days == 30
    assert cert.not_valid_before_utc < NOW
    with pytest.raises(FileError, match="there already"):
        make_certificates(folder, 30, NOW)


SCENARIO = """
name = "recorded"
[board.watch]
recording = "watch.mcap"
[[check]]
metric = "link.watch.samples_lost"
equals = 0
[baseline]
file = "nothing.json"
"""


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Loaded:
    """A scenario on a recording that has marks beside it."""
    from firmware_bridge.faults import Schedule
    from hil.scenario.execution.execute import execute
    from hil.scenario.execution.targets import place_of

    folder = tmp_path_factory.mktemp("scenarios")
    text = SCENARIO.replace('recording = "watch.mcap"', 'virtual = "imu?rate=50"\n[readings]\nto_s = 2.0')
    made = Loaded(folder / "made.toml", text, parse_scenario(text, "made.toml"))
    place = place_of("watch", made.scenario.board["watch"], None, alone=True)
    execute(made, [place], 0, Schedule(), keep=folder / "watch.mcap")
    (folder / "watch.marks.jsonl").write_text("")
    return Loaded(folder / "s.toml", SCENARIO, parse_scenario(SCENARIO, "s.toml"))


def elsewhere(parts: Parts) -> Parts:
    """The same file, of a machine whose folders are not here."""
    return replace(parts, path=f"/nowhere/at/all/{Path(parts.path).name}", below="")


def test_a_file_counts_by_what_is_in_it_and_by_what_is_beside_it(recorded: Loaded, tmp_path: Path) -> None:
    (wanted,) = parts_of(recorded, recorded.path.parent)
    assert [part.file for part in wanted.parts] == ["watch.mcap", "watch.marks.jsonl"]
    assert wanted.below == "watch.mcap"
    assert Parts.from_dict(json.loads(json.dumps(asdict(wanted)))) == wanted
    copy = tmp_path / "watch.mcap"
    data = Path(wanted.path).read_bytes()
    copy.write_bytes(data)
    assert here(wanted, [copy]) is None  # its marks are missing
    (tmp_path / "watch.marks.jsonl").write_text("")
    assert here(wanted, [tmp_path / "none.mcap", copy]) == copy
    copy.write_bytes(data[:-1] + b"\x00")
    assert here(wanted, [copy]) is None
    alone = replace(wanted, parts=(wanted.parts[0], replace(wanted.parts[1], size=0, sha256="")))
    copy.write_bytes(data)
    assert here(alone, [copy]) is None  # marks that the sender does not have would change the truth


def test_a_cache_keeps_only_what_it_was_told_and_no_more_than_it_may(recorded: Loaded, tmp_path: Path) -> None:
    (wanted,) = parts_of(recorded, recorded.path.parent)
    data = Path(wanted.path).read_bytes()
    cache = Cache(tmp_path / "cache", limit_bytes=3 * len(data) // 2)
    assert cache.find(wanted) is None
    assert not cache.put(wanted, [data[:-1], b""])
    assert cache.find(wanted) is None
    assert cache.put(wanted, [data, b""])
    assert cache.put(wanted, [data, b""])
    found = cache.find(wanted)
    assert found is not None
    assert found.read_bytes() == data
    other = replace(wanted, parts=(replace(wanted.parts[0], file="../../other.mcap"), wanted.parts[1]))
    assert cache.put(other, [data, b""])
    kept = sorted(path.name for path in (tmp_path / "cache").rglob("*.mcap"))
    assert kept == ["other.mcap"]  # inside the cache, whatever the sender calls it, and the older one made room


def test_a_host_asks_for_files_that_it_lacks_and_then_gives_the_local_result(recorded: Loaded, tmp_path: Path) -> None:
    sent = [elsewhere(parts) for parts in parts_of(recorded, recorded.path.parent)]
    text = unit_of(0, recorded, RunOptions()).text
    plain = json.loads(text) | {"key": "k", "parts": [asdict(one) for one in sent]}
    plain["files"] = {"watch.mcap": sent[0].path, "nothing.json": str(recorded.find("nothing.json"))}
    host = Host((), 1, Cache(tmp_path / "cache"))
    try:
        assert host.run(json.dumps(plain), "tcp://host") == {"lacks": ["watch.mcap"], "at": "tcp://host"}
        assert host.keep(sent[0], [Path(recorded.find("watch.mcap")).read_bytes(), b""])
        result = result_of(host.run(json.dumps(plain), "tcp://host")["text"])
        rooted = Host((), 1, Cache(tmp_path / "empty"), root=recorded.path.parent)
        plain["parts"] = [asdict(replace(sent[0], below="watch.mcap"))]
        assert "text" in rooted.run(json.dumps(plain), "tcp://host")
        asyncio.run(rooted.teardown(None))
    finally:
        asyncio.run(host.teardown(None))
    assert identity_of([result]) == identity_of([run_scenario(recorded, RunOptions())])


def test_a_host_hands_back_the_recording_of_what_failed_and_keeps_none(tmp_path: Path) -> None:
    text = SCENARIO.replace('recording = "watch.mcap"', 'virtual = "imu?rate=50"\n[readings]\nto_s = 1.0')
    text = text.replace("equals = 0", "equals = 9")
    loaded = Loaded(tmp_path / "s.toml", text, parse_scenario(text, "s.toml"))
    options = RunOptions(keep=str(tmp_path / "asked"), update_baselines=True)
    plain = json.loads(unit_of(0, loaded, options).text) | {"key": "k", "parts": []}
    plain["files"] = {"nothing.json": str(tmp_path / "nothing.json")}
    host = Host((), 1, Cache(tmp_path / "cache"))
    try:
        answer = host.run(json.dumps(plain), "tcp://host")
    finally:
        asyncio.run(host.teardown(None))
    (name, data) = answer["kept"]["recording"]
    assert not (tmp_path / "asked").exists()
    assert not Path(result_of(answer["text"]).files["recording"]).exists()
    for number in ("", "-2"):
        path = Path(result_of(with_kept(answer, tmp_path / "here")).files["recording"])
        assert path == tmp_path / "here" / name.replace(".mcap", f"{number}.mcap")
        assert path.read_bytes() == data
        assert verify(path).verdict == "reproduced"
    (tmp_path / "file").write_text("")
    refused = result_of(with_kept(answer, tmp_path / "file" / "below"))
    assert (refused.files, "cannot be kept" in refused.remarks[-1]) == ({}, True)
    accepted = accept(result_of(answer["text"]), loaded, lambda heading, difference: True)
    assert json.loads((tmp_path / "nothing.json").read_text())["scenario"] == loaded.scenario.name
    assert {one.metric: one.outcome for one in accepted.checks}["baseline"] == "PASS"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["run", "{s}", "--cluster", "tcp://10.1.2.3:8786"], "--insecure"),
        (["run", "{s}", "--cluster", "tls://127.0.0.1:8786"], "hil cluster certs"),
        (["run", "{s}", "--cluster", "tcp://127.0.0.1:9", "--jobs", "2"], "give it to `hil worker`"),
        (["run", "{s}", "--cluster", "tcp://127.0.0.1:9", "--bench", "none.toml"], "give it to `hil worker`"),
        (["run", "{s}", "--cluster", "tcp://127.0.0.1:9", "--on", "/dev/ttyACM0"], "needs = "),
        (["worker", "tcp://10.1.2.3:8786"], "--insecure"),
        (["cluster", "scheduler", "--host", "0.0.0.0"], "--insecure"),
    ],
)
def test_what_a_cluster_cannot_mean_is_refused_in_one_sentence(
    recorded: Loaded,
    arguments: list[str],
    sentence: str,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    recorded.path.write_text(recorded.text)
    words = [word.format(s=recorded.path) for word in arguments]
    monkeypatch.delenv("HIL_TLS_DIR", raising=False)
    monkeypatch.setattr(sys, "argv", ["hil", *words])
    with pytest.raises(SystemExit) as ended:
        main()
    told = capfd.readouterr().err
    assert ended.value.code == 2, told
    assert sentence in told
    assert len(told.splitlines()) == 1
