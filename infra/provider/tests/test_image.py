"""docker_image, through the real Terraform, on a real engine."""

import secrets
from pathlib import Path

import docker
import pytest
from provider_testing.workspace import Result, Workspace

pytest_plugins = ["provider_testing.fixtures"]
pytestmark = pytest.mark.engine


def image(key: str, name: str, base: str, more: str = "", build: str = "") -> str:
    """Give the configuration of an image that is built from the folder named as its key."""
    return f"""
resource "docker_image" "{key}" {{
  name = "{name}"
{more}
  build {{
    context    = "{key}"
    build_args = {{ BASE = "{base}" }}
{build}
  }}
}}
"""


def context(workspace: Workspace, key: str, *steps: str) -> Path:
    """Write the folder that an image is built from."""
    folder = workspace.folder / key
    folder.mkdir(exist_ok=True)
    (folder / "Dockerfile").write_text("\n".join(("ARG BASE", "FROM ${BASE} AS first", *steps)) + "\n")
    return folder


@pytest.fixture(scope="module")
def failed(module_workspace: Workspace, module_prefix: str, tiny_image: str) -> Result:
    """One apply in which each image fails in its own way."""
    context(module_workspace, "step", "RUN echo one step before", "RUN echo could not find the jar; exit 9")
    context(module_workspace, "dockerfile")
    return module_workspace.apply_failing(
        image("step", f"{module_prefix}/step:1", tiny_image)
        + image("context", f"{module_prefix}/context:1", tiny_image)
        + image(
            "dockerfile",
            f"{module_prefix}/dockerfile:1",
            tiny_image,
            "",
            '    dockerfile = "none/Dockerfile"',
        )
        + 'resource "docker_image" "pulled" {\n  name = "example.invalid/no/such:1"\n}\n'
    )


def test_a_failed_build_names_the_image_and_the_step_and_shows_its_log(
    failed: Result, engine: docker.DockerClient, module_prefix: str
) -> None:
    assert (
        f"Building image {module_prefix}/step:1 failed at Step 4/4 : RUN echo could not find" in failed.text
    )
    assert "one step before" in failed.text
    assert "returned a non-zero code: 9" in failed.text
    commands = [str(item["Command"]) for item in engine.api.containers(all=True)]
    assert not any("could not find the jar" in command for command in commands)


def test_a_context_or_a_dockerfile_that_is_not_there_is_named(failed: Result, module_prefix: str) -> None:
    assert f"Cannot build image {module_prefix}/context:1: its context context is no directory" in failed.text
    assert (
        f"Cannot build image {module_prefix}/dockerfile:1: there is no none/Dockerfile in its" in failed.text
    )


def test_an_image_that_cannot_be_pulled_is_named(failed: Result) -> None:
    assert "The engine has no image example.invalid/no/such:1, and cannot pull it" in failed.text


def test_context_arguments_labels_target_and_tags_reach_the_image(
    workspace: Workspace, engine: docker.DockerClient, prefix: str, tiny_image: str
) -> None:
    ignoring = context(workspace, "ignoring", "COPY . /context")
    for name in ("kept/deep/a.py", "kept/deep/a.pyc", "left/b.py", "left/wanted.py"):
        (ignoring / name).parent.mkdir(parents=True, exist_ok=True)
        (ignoring / name).write_text("x")
    (ignoring / ".dockerignore").write_text("# only this\n*\n!kept\n!left/wanted.py\n**/*.pyc\n")
    stages = (
        "FROM first AS second",
        "ARG GREETING",
        "ENV SAID=${GREETING}",
        "FROM second AS third",
        "RUN exit 1",
    )
    arguing = context(workspace, "arguing", *stages)
    (arguing / "other").mkdir()
    (arguing / "Dockerfile").rename(arguing / "other" / "Dockerfile")
    build = f"""
    dockerfile = "other/Dockerfile"
    target     = "second"
    label      = {{ one = "1" }}
    tag        = ["{prefix}/arguing:extra"]
"""
    workspace.apply(
        image("ignoring", f"{prefix}/ignoring:1", tiny_image)
        + image("arguing", f"{prefix}/arguing:1", tiny_image, "", build).replace(
            "{ BASE", '{ GREETING = "hi", BASE'
        )
        # One that is there already is taken as it is, without a pull.
        + f'resource "docker_image" "there" {{\n  name = "{tiny_image}"\n  keep_locally = true\n}}\n'
    )
    assert {} == workspace.changes()
    listed = engine.containers.run(f"{prefix}/ignoring:1", ["find", "/context", "-type", "f"], remove=True)
    assert {"/context/kept/deep/a.py", "/context/left/wanted.py"} == set(listed.decode().split())
    built = engine.images.get(f"{prefix}/arguing:1")
    assert "SAID=hi" in built.attrs["Config"]["Env"]
    assert "1" == built.labels["one"]
    assert f"{prefix}/arguing:extra" in built.tags
    attributes = workspace.attributes("docker_image.arguing")
    assert (built.id, f"{built.id}{prefix}/arguing:1") == (attributes["image_id"], attributes["id"])
    assert engine.images.get(tiny_image).id == workspace.attributes("docker_image.there")["image_id"]


def test_only_a_tag_that_names_its_content_is_not_built_again(
    workspace: Workspace, engine: docker.DockerClient, prefix: str, tiny_image: str
) -> None:
    names = {
        "hashed": f"{prefix}/hashed:{secrets.token_hex(6)}",
        "triggered": f"{prefix}/triggered:{secrets.token_hex(6)}",
        "latest": f"{prefix}/latest:latest",
    }

    def apply(content: str) -> dict[str, str]:
        keep = dict.fromkeys(names, "  keep_locally = true\n")
        keep["triggered"] += f'  triggers = {{ content = "{content}" }}\n'
        for key in names:
            context(workspace, key, f"RUN echo {content} > /which")
        workspace.apply("".join(image(key, names[key], tiny_image, keep[key]) for key in names))
        return {key: engine.images.get(name).id for key, name in names.items()}

    before = apply("one")
    workspace.destroy()
    after = apply("two")
    assert ["hashed"] == [key for key in names if before[key] == after[key]]


def test_a_container_follows_its_image(
    workspace: Workspace, engine: docker.DockerClient, prefix: str, tiny_image: str
) -> None:
    container = f"""
resource "docker_container" "it" {{
  name  = "{prefix}-it"
  image = docker_image.it.image_id
  init  = true
}}
"""
    context(workspace, "it", "RUN echo one > /which")
    workspace.apply(image("it", f"{prefix}/it:1", tiny_image) + container)
    context(workspace, "it", "RUN echo two > /which")
    workspace.write(image("it", f"{prefix}/it:2", tiny_image) + container)
    assert {"docker_image.it": "replace", "docker_container.it": "replace"} == workspace.changes()
    workspace.apply()
    assert engine.images.get(f"{prefix}/it:2").id == engine.containers.get(f"{prefix}-it").attrs["Image"]


def test_an_image_is_created_again_kept_or_removed_as_configured(
    workspace: Workspace, engine: docker.DockerClient, prefix: str, tiny_image: str
) -> None:
    for key in ("gone", "kept", "used"):
        context(workspace, key, f"RUN touch /{key}")
    images = {key: image(key, f"{prefix}/{key}:1", tiny_image) for key in ("gone", "kept", "used")}
    workspace.apply("".join(images.values()))
    engine.images.remove(f"{prefix}/gone:1", force=True)
    engine.containers.create(f"{prefix}/used:1", name=f"{prefix}-user")
    images["kept"] = image("kept", f"{prefix}/kept:1", tiny_image, "  keep_locally = true\n")
    workspace.write("".join(images.values()))
    assert {"docker_image.gone": "create", "docker_image.kept": "update"} == workspace.changes()
    workspace.apply()

    result = workspace.run("destroy", "-auto-approve")
    assert result.code == 1
    assert f"Image {prefix}/used:1 is in use by {prefix}-user" in result.text
    assert engine.images.get(f"{prefix}/kept:1")
    assert [] == engine.images.list(name=f"{prefix}/gone")
