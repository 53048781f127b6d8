import socket
from pathlib import Path

import pytest

from signaling import doctor
from signaling.doctor import Finding, Level
from signaling.settings import Settings
from tests.support.object_stores import s3


def found(subject: str, **settings: object) -> list[Finding]:
    values = {"listen_host": "127.0.0.1", "listen_port": 0, **settings}
    media = {"listen_ips": ["127.0.0.1"], "udp_port": 0, **values.pop("media", {})}  # type: ignore[dict-item]
    all_found = doctor.examine(Settings.model_validate({**values, "media": media}))
    return [finding for finding in all_found if finding.subject == subject]


def test_every_check_finds_something(tmp_path: Path):
    findings = doctor.examine(Settings(data_dir=tmp_path))
    assert len({finding.subject for finding in findings}) >= len(doctor.CHECKS)
    assert all(finding.advice for finding in findings if finding.level is Level.FAIL)


@pytest.mark.parametrize(
    ("subject", "kind", "where"),
    [
        ("HTTP port", socket.SOCK_STREAM, "listen_port"),
        ("media UDP port", socket.SOCK_DGRAM, "media.udp_port"),
        ("media TCP port", socket.SOCK_STREAM, "media.tcp_port"),
    ],
)
def test_a_port_in_use_fails(subject: str, kind: socket.SocketKind, where: str):
    with socket.socket(socket.AF_INET, kind) as taken:
        taken.bind(("127.0.0.1", 0))
        if kind is socket.SOCK_STREAM:
            taken.listen()
        port = taken.getsockname()[1]
        section, _, name = where.rpartition(".")
        (finding,) = found(subject, **({section: {name: port}} if section else {name: port}))
    assert finding.level is Level.FAIL
    assert where in finding.advice


def test_a_free_port_is_fine():
    (finding,) = found("HTTP port")
    assert finding.level is Level.OK


def test_an_address_of_another_machine_fails():
    (finding,) = found("media UDP port", media={"listen_ips": ["192.0.2.77"]})
    assert finding.level is Level.FAIL
    assert "announce" in finding.advice


@pytest.mark.parametrize(
    ("announced", "level"), [(["8.8.8.8"], Level.OK), (["10.0.0.1"], Level.WARN), (["10.0.0.1", "8.8.8.8"], Level.OK)]
)
def test_announced_addresses_should_be_public(announced: list[str], level: Level):
    (finding,) = found("addresses", media={"announced_ips": announced})
    assert finding.level is level
    assert announced[0] in finding.text


def test_a_certificate_that_cannot_be_read_fails(tmp_path: Path):
    file = tmp_path / "a.pem"
    for text in (None, "no certificate"):
        if text is not None:
            file.write_text(text)
        (finding,) = found("certificate", media={"certificate_file": file, "private_key_file": file})
        assert finding.level is Level.FAIL


def test_a_data_directory_below_a_file_fails(tmp_path: Path):
    (tmp_path / "file").touch()
    (finding,) = found("data directory", data_dir=tmp_path / "file" / "data")
    assert finding.level is Level.FAIL


def test_a_data_directory_that_is_yet_to_be_made_is_not_made(tmp_path: Path):
    (finding,) = found("data directory", data_dir=tmp_path / "new" / "data")
    assert finding.level is not Level.FAIL
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize(("allowed", "level"), [("212992", Level.WARN), ("8388608", Level.OK)])
def test_small_kernel_buffers_are_warned_about(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, allowed: str, level: Level
):
    for name in ("rmem_max", "wmem_max"):
        (tmp_path / name).write_text(f"{allowed}\n")
    monkeypatch.setattr(doctor, "SYSCTL", tmp_path)
    (finding,) = found("net.core.rmem_max")
    assert finding.level is level
    assert (level is Level.OK) or "sysctl -w net.core.rmem_max=4194304" in finding.advice


@pytest.mark.parametrize(
    ("base", "level"),
    [("https://meet.example", Level.OK), ("http://localhost:8080", Level.OK), ("http://meet.example", Level.WARN)],
)
def test_pages_without_tls_are_warned_about(base: str, level: Level):
    (finding,) = found("page", public_base_url=base)
    assert finding.level is level


@pytest.mark.parametrize(("keys", "level"), [([], Level.WARN), (["short"], Level.WARN), (["x" * 16], Level.OK)])
def test_missing_and_short_keys_are_warned_about(keys: list[str], level: Level):
    (finding,) = found("realtime keys", realtime_keys=keys)
    assert finding.level is level


def test_a_report_has_a_line_for_each_finding_and_one_for_each_advice():
    findings = [Finding(Level.OK, "core", "loads"), Finding(Level.FAIL, "HTTP port", "taken", "free it")]
    lines = doctor.report(findings).splitlines()
    assert [line.split()[0] for line in lines] == ["ok", "fail", "->"]
    assert doctor.failed(findings)
    assert not doctor.failed(findings[:1])


def test_an_object_store_that_can_be_written_is_fine(tmp_path: Path):
    assert found("object store")[0].level is Level.OK
    with s3() as store:
        (finding,) = found("object store", objects={"url": store.url, "options": store.options})
    assert finding.level is Level.OK


def test_an_object_store_that_cannot_be_written_fails():
    with s3() as store:
        (finding,) = found("object store", objects={"url": "s3://another", "options": store.options})
    assert finding.level is Level.FAIL
    assert "objects.options" in finding.advice
    assert "tests" not in finding.text, "a credential"
