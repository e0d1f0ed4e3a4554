"""The page of versions says what the files pin, and nothing else."""

from pathlib import Path

import pytest

from pipeline.infra import pins, versions

ROOT = Path(__file__).parents[3]
HINT = "run `make versions`"


def test_the_committed_page_is_up_to_date() -> None:
    assert (ROOT / versions.TARGET).read_text(encoding="utf-8") == versions.render(), HINT


def test_every_image_has_a_section() -> None:
    page = versions.render()
    for dockerfile in ROOT.glob("infra/images/*/Dockerfile"):
        assert f"\n## {dockerfile.parent.name}\n" in page


def test_a_reason_for_something_that_no_image_has_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(versions.REASONS, "gone", "It was needed once.")
    with pytest.raises(ValueError, match="gives reasons for gone, in no image"):
        versions.render()


def test_an_image_that_is_not_listed_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(versions.IMAGES, "pipeline")
    with pytest.raises(ValueError, match="does not list pipeline"):
        versions.render()


def test_a_version_given_by_a_property_is_filled_in(tmp_path: Path) -> None:
    pom = tmp_path / "pom.xml"
    pom.write_text(
        '<project xmlns="http://maven.apache.org/POM/4.0.0"><properties><v>1.2</v></properties><dependencies>'
        "<dependency><artifactId>a_${v}</artifactId><version>${v}.3</version></dependency>"
        "</dependencies></project>",
        encoding="utf-8",
    )
    assert list(pins.maven(pom, tmp_path)) == [pins.Pin("jar", "a_1.2", "1.2.3", "pom.xml")]


def test_packages_on_continued_lines_are_found_and_removed_ones_are_not() -> None:
    install = "apt-get -q update && apt-get -q -y install one \\\n  two"
    stage = f"\nFROM x\nRUN {install}; dpkg --remove --force-depends two\n"
    assert [pin.name for pin in pins.debian(stage, Path("Dockerfile"))] == ["one"]


def test_only_what_is_asked_for_is_listed_with_the_extras_that_it_includes(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(
        '[project]\nname = "p"\ndependencies = ["base_pkg>=1"]\n[project.optional-dependencies]\n'
        'inner = ["In.Ner[x]>=1"]\nouter = ["p[inner]", "outer>=1"]\n',
        encoding="utf-8",
    )
    pinned = tmp_path / "requirements"
    pinned.mkdir()
    (pinned / "outer.txt").write_text(
        "base-pkg==1.0 \\\n    --hash=sha256:00\nin-ner==2.0\nouter==3.0\ntransitive==4.0\n", encoding="utf-8"
    )
    found = list(pins.requirements_copied_by("COPY requirements/outer.txt /build/\n", tmp_path))
    assert [(pin.name, pin.version) for pin in found] == [
        ("base-pkg", "1.0"),
        ("in-ner", "2.0"),
        ("outer", "3.0"),
    ]


def test_a_page_that_is_out_of_date_is_told_and_written_anew(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "versions.md"
    monkeypatch.setattr(versions, "TARGET", page)
    assert 1 == versions.main(["--check"])
    assert f"{page} is out of date: make versions" in capsys.readouterr().err
    assert 0 == versions.main([])
    assert versions.render() == page.read_text(encoding="utf-8")
    assert 0 == versions.main(["--check"])
    page.write_text("old", encoding="utf-8")
    assert 1 == versions.main(["--check"])
