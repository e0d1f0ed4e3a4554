"""The tar that carries files into a container."""

import base64
import io
import tarfile
from pathlib import Path
from typing import Any

import pytest
from galewatch_docker.errors import StandInError
from galewatch_docker.upload import archive


def unpacked(uploads: list[dict[str, Any]]) -> dict[str, tuple[int, bytes]]:
    packed = archive(uploads)
    assert packed is not None
    with tarfile.open(fileobj=io.BytesIO(packed)) as tar:
        found = {}
        for member in tar.getmembers():
            assert (0, 0, 0) == (member.uid, member.gid, member.mtime)
            content = tar.extractfile(member)
            assert content is not None
            found[member.name] = (member.mode, content.read())
        return found


def test_a_container_without_uploads_gets_no_tar() -> None:
    assert archive([]) is None


def test_each_kind_of_content_arrives_with_its_mode(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "secret").write_bytes(b"\x00\xff")
    found = unpacked(
        [
            {"file": "/etc/plain", "content": "grüß"},
            {"file": "/bin/run", "content": "#!", "executable": True},
            {"file": "/run/secret", "source": "secret", "permissions": "0444", "executable": True},
            {"file": "/data", "content_base64": base64.b64encode(b"\x01").decode()},
        ]
    )
    assert {
        "bin/run": (0o744, b"#!"),
        "data": (0o644, b"\x01"),
        "etc/plain": (0o644, "grüß".encode()),
        "run/secret": (0o444, b"\x00\xff"),
    } == found


def test_the_same_uploads_give_the_same_tar_whatever_the_order_of_the_set() -> None:
    one, two = {"file": "/a", "content": "1"}, {"file": "/b", "content": "2"}
    assert archive([one, two]) == archive([two, one])


def test_a_missing_source_is_named_with_its_target_and_the_folder() -> None:
    with pytest.raises(StandInError) as caught:
        archive([{"file": "/run/secret", "source": "no/such/file"}])
    assert caught.value.summary == "Cannot read no/such/file, the source of /run/secret"
    assert "No such file or directory" in caught.value.detail
    assert str(Path.cwd()) in caught.value.detail


def test_content_that_is_not_base64_is_refused_without_showing_it() -> None:
    with pytest.raises(StandInError, match="content_base64 of /a is not base64") as caught:
        archive([{"file": "/a", "content_base64": "hunter2!"}])
    assert "hunter2" not in caught.value.summary + caught.value.detail
