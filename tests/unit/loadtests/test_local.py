"""How the operator and the data of a platform on this machine are found."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from loadtests import local

URL = "http://127.0.0.1:8080"


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("HAIHE_OPERATOR_EMAIL", "HAIHE_OPERATOR_PASSWORD"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HAIHE_DATA", str(tmp_path))
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "state.json").write_text(json.dumps({"url": URL}))
    (tmp_path / "sample.json").write_text(json.dumps({"operator_password": "made up"}))
    return tmp_path


def test_sample_data_have_an_operator(data: Path) -> None:
    assert local.find_operator("http://localhost:8080/") == (local.OPERATOR_EMAIL, "made up")
    assert local.find_data(URL) == data


def test_the_data_of_another_platform_are_left_alone(data: Path) -> None:
    for host in ("http://127.0.0.1:8081", "http://haihe.example:8080", ""):
        assert local.find_data(host) is None and local.find_operator(host) is None


def test_the_environment_comes_first(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HAIHE_OPERATOR_EMAIL", "ops@example.com")
    assert local.find_operator(URL) == (local.OPERATOR_EMAIL, "made up")
    monkeypatch.setenv("HAIHE_OPERATOR_PASSWORD", "their own")
    assert local.find_operator("https://haihe.example") == ("ops@example.com", "their own")


def test_data_that_no_demo_made_have_none(data: Path) -> None:
    (data / "sample.json").unlink()
    assert local.find_operator(URL) is None


def test_nothing_there(data: Path) -> None:
    (data / "run" / "state.json").unlink()
    assert local.find_data(URL) is None


def test_the_sample_operator_is_the_demos() -> None:
    from infra.demo.samples import OPERATOR_EMAIL

    assert local.OPERATOR_EMAIL == OPERATOR_EMAIL
