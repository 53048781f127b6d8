"""Settings from files and the environment, and the lines that tell what is wrong with them."""

from pathlib import Path

import pytest

from signaling.configuration import BadSettings, load
from signaling.settings import Settings


def mistakes(environment: dict[str, str] | None = None, file: Path | None = None) -> tuple[str, ...]:
    with pytest.raises(BadSettings) as raised:
        load(file, environment or {})
    return raised.value.mistakes


def written(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def test_without_a_word_the_defaults_hold():
    settings = load(None, {})
    assert settings == Settings()
    assert (settings.media.udp_port, settings.media.tcp_port) == (7881, 7881)
    assert settings.realtime.max_participants.mesh == 4
    assert settings.realtime.max_participants.sfu == 100
    assert settings.webhooks.backoff_seconds == (1, 5, 30, 120, 600, 3600)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.yaml", "listen_port: 9000\nmedia:\n  udp_port: 9001\nrealtime_keys: [one, two]\n"),
        ("a.yml", '{"listen_port": 9000, "media": {"udp_port": 9001}, "realtime_keys": ["one", "two"]}'),
        ("a.toml", 'listen_port = 9000\nrealtime_keys = ["one", "two"]\n[media]\nudp_port = 9001\n'),
    ],
)
def test_a_file_is_yaml_or_toml(tmp_path: Path, name: str, text: str):
    settings = load(written(tmp_path / name, text), {})
    assert (settings.listen_port, settings.media.udp_port) == (9000, 9001)
    assert settings.realtime_keys == ("one", "two")


def test_the_environment_wins_over_the_file_and_the_command_line_over_both(tmp_path: Path):
    file = written(tmp_path / "a.yaml", "listen_port: 1\nlisten_host: a\nmedia: {udp_port: 1, tcp_port: 1}\n")
    environment = {"FOLKMOOT_LISTEN_PORT": "2", "FOLKMOOT_LISTEN_HOST": "b", "FOLKMOOT_MEDIA__UDP_PORT": "2"}
    settings = load(file, environment, {"listen_host": "c"})
    assert (settings.listen_port, settings.listen_host) == (2, "c")
    assert (settings.media.udp_port, settings.media.tcp_port) == (2, 1)


def test_an_empty_file_changes_nothing(tmp_path: Path):
    assert load(written(tmp_path / "a.yaml", "# nothing\n"), {}) == Settings()


def test_lists_and_objects_come_as_json():
    settings = load(
        None,
        {
            "FOLKMOOT_REALTIME_KEYS": '["one"]',
            "FOLKMOOT_ICE_SERVERS": '[{"urls": "stun:stun.example.org"}]',
            "FOLKMOOT_TURN": '{"shared_secret": "s"}',
            "FOLKMOOT_REALTIME__MAX_PARTICIPANTS": '{"MESH": 3}',
            "FOLKMOOT_FETCH__ALLOW_PRIVATE_ADDRESSES": "true",
        },
    )
    assert settings.realtime_keys == ("one",)
    assert settings.ice_servers[0].urls == ("stun:stun.example.org",)
    assert settings.turn.shared_secret == "s"
    assert settings.realtime.max_participants.mesh == 3
    assert settings.fetch.allow_private_addresses is True


@pytest.mark.parametrize(
    ("variable", "text", "line"),
    [
        ("MEDIA__UDP_PORT", "70000", "media.udp_port: must be between 0 and 65535 (got 70000)"),
        ("LISTEN_PORT", "http", "listen_port: must be a whole number (got http)"),
        ("MAX_PARTICIPANTS", "0", "max_participants: must be between 1 and 10000 (got 0)"),
        ("EMPTY_TIMEOUT_SECONDS", "-1", "empty_timeout_seconds: must be between 0 and 31622400 (got -1)"),
        ("SHUTDOWN_GRACE_SECONDS", "nan", "shutdown_grace_seconds: must be between 0 and 31622400 (got nan)"),
        ("FETCH__ALLOW_PRIVATE_ADDRESSES", "maybe", "fetch.allow_private_addresses: must be true or false (got maybe)"),
        ("MEDIA__LISTEN_IPS", '["here"]', "media.listen_ips.0: must be an IPv4 or IPv6 address (got here)"),
        ("MEDIA__TPC_PORT", "1", "media.tpc_port: is not a setting; did you mean media.tcp_port?"),
        ("COLOUR", "red", "colour: is not a setting"),
        ("REALTIME_KEYS", "one", 'FOLKMOOT_REALTIME_KEYS: must be JSON, such as ["a", "b"] or {"a": 1}'),
        ("CORS", "5", "cors: must be a section with settings in it (got 5)"),
        ("PUBLIC_BASE_URL", "meet", "public_base_url: must be a URL such as https://meet.example.org (got meet)"),
        ("LOG__LEVEL", "loud", "log.level: must be 'debug', 'info', 'warning' or 'error' (got loud)"),
        ("DATABASE_URL", "mysql://u:word@h/d", "database_url: must begin with sqlite:/// or postgresql://"),
        ("REALTIME_KEYS", '["word", ""]', "realtime_keys.1: must not be empty"),
        (
            "MEDIA__CERTIFICATE_FILE",
            "a.pem",
            "media: certificate_file and private_key_file must be given together",
        ),
    ],
)
def test_a_mistake_is_one_clear_line(variable: str, text: str, line: str):
    assert mistakes({f"FOLKMOOT_{variable}": text}) == (line,)


def test_every_mistake_has_its_line(tmp_path: Path):
    file = written(tmp_path / "a.yaml", "listen_port: true\napi_keys: [{key: k}]\nmedia: 5\n")
    assert set(mistakes({"FOLKMOOT_LISTEN_HOST__A": "b"}, file)) == {
        "listen_port: must be a number (got True)",
        "api_keys.0.team: is missing",
        "media: must be a section with settings in it (got 5)",
        "listen_host: must be text",
    }


@pytest.mark.parametrize(
    ("name", "text", "line"),
    [
        ("a.yaml", "- a\n- b\n", "must hold settings by name"),
        ("a.yaml", "a: [", "expected the node content"),
        ("a.toml", "a = ", "Invalid value"),
        ("a.yaml", None, "cannot be read: No such file or directory"),
    ],
)
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, name: str, text: str | None, line: str):
    file = tmp_path / name
    if text is not None:
        file.write_text(text)
    (told,) = mistakes(file=file)
    assert told.startswith(f"{file}: ")
    assert line in told
    assert "\n" not in told


@pytest.mark.parametrize(
    "variable", ["FOLKMOOT_TEST_POSTGRESQL", "FOLKMOOT_PORT", "FOLKMOOT_SERVICE_HOST", "FOLKMOOTS"]
)
def test_variables_of_others_are_passed_over(variable: str):
    assert load(None, {variable: "tcp://10.0.0.1:8080"}) == Settings()


@pytest.mark.parametrize(
    ("values", "base"),
    [
        ({}, "http://localhost:8080"),
        ({"listen_host": "192.0.2.1", "listen_port": 80}, "http://192.0.2.1:80"),
        ({"listen_host": "2001:db8::1"}, "http://[2001:db8::1]:8080"),
        ({"public_base_url": "https://meet.example.org/"}, "https://meet.example.org"),
    ],
)
def test_links_begin_with_what_leads_here(values: dict, base: str):
    assert Settings.model_validate(values).base_url == base


def test_the_database_is_in_the_data_directory_unless_said_otherwise():
    assert load(None, {"FOLKMOOT_DATA_DIR": "/srv/x"}).database == "sqlite:////srv/x/folkmoot.db"
    assert load(None, {"FOLKMOOT_DATABASE_URL": "postgresql://h/d"}).database == "postgresql://h/d"
