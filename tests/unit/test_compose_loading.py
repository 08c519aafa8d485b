"""What holds for every compose file: nothing leaks, nothing is read behind one's back."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from components.compose import ComposeError, StackSpec, load, required_variables
from tests.unit.compose_goldens import MISTAKES, lines, mistakes

SECRET = "x:9/%$ hunter2"

# Each place takes a value that fits nowhere, so that nearly all of them complain.
BAD_EVERYWHERE = """
services:
  web:
    image: ${S} ${S}
    command: "'${S}"
    dns: [$S]
    extra_hosts: ["${S}"]
    environment: ["${S}", "=${S}"]
    env_file: ${S}
    labels: ["=${S}"]
    stop_grace_period: ${S}
    read_only: ${S}
    restart: ${S}
    depends_on: ["${S}"]
    healthcheck: {test: ["${S}"], interval: "${S}", retries: "${S}", disable: "${S}"}
    logging: {driver: ["${S}"]}
    networks: ["${S}"]
    ports: ["${S}", {target: "${S}", published: "${S}", mode: "${S}"}]
    secrets: ["${S}", {source: tls, mode: "${S}"}]
    configs: ["${S}"]
    volumes: ["${S}", {type: "${S}", target: /s}, {type: tmpfs, target: /t, tmpfs: {size: "${S}"}}]
    deploy:
      mode: ${S}
      replicas: ${S}
      endpoint_mode: ${S}
      update_config: {order: "${S}", max_failure_ratio: "${S}", delay: "${S}"}
      restart_policy: {condition: "${S}"}
      resources: {limits: {cpus: "${S}", memory: "${S}"}}
      placement: {constraints: ["${S}"], preferences: ["${S}"]}
networks:
  front: {external: "${S}", ipam: {config: [{subnet: "${S}"}]}}
volumes:
  data: {external: "${S}"}
secrets:
  tls: {environment: "${S}"}
  key: {file: "${S}"}
  name: {name: "${S}", environment: S}
"""


def stack(
    text: str, variables: Mapping[str, str] | None = None, files: Mapping[str, bytes] | None = None
) -> StackSpec:
    def read(name: str) -> bytes:
        try:
            return (files or {})[name]
        except KeyError:
            raise FileNotFoundError(2, "No such file or directory", name) from None

    return load(text, source="shop.yml", stack="shop", variables=variables or {}, read=read)


def test_no_problem_repeats_the_value_of_a_variable() -> None:
    with pytest.raises(ComposeError) as caught:
        stack(BAD_EVERYWHERE, {"S": SECRET})
    assert len(caught.value.problems) > 35
    assert "hunter2" not in str(caught.value)
    assert "${S}" in str(caught.value), "what the file says may be shown"
    assert caught.value.__cause__ is None


def test_no_problem_repeats_a_line_of_an_env_file() -> None:
    text = "services: {web: {image: shop, env_file: my.env}}"
    with pytest.raises(ComposeError) as caught:
        stack(text, files={"my.env": b"hunter2 is no name\n=hunter2\n"})
    assert len(caught.value.problems) == 2
    assert "hunter2" not in str(caught.value)


def test_secrets_are_not_in_the_representation_of_a_stack() -> None:
    text = (
        "services: {web: {image: shop, environment: {P: '${P}'}}}\nsecrets: {a: {environment: P}}"
    )
    spec = stack(text, {"P": "hunter2"})
    assert spec.services["web"].environment == {"P": "hunter2"}
    assert spec.secrets["a"].data == b"hunter2"
    assert "hunter2" not in repr(spec)


def test_every_line_names_the_file_and_is_one_line() -> None:
    for path in MISTAKES.glob("*.yml"):
        for mistake in mistakes(path):
            told = lines(mistake)
            assert told
            for line in told:
                assert line.startswith(("shop.yml: ", "second.yml: "))
                assert line.isprintable()


def test_the_environment_of_the_process_plays_no_part(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TAG", "from the process")
    with pytest.raises(ComposeError, match="variable TAG is not defined"):
        stack("services: {web: {image: 'shop:${TAG}'}}")


def test_a_secret_file_may_hold_any_bytes() -> None:
    text = "services: {web: {image: shop}}\nsecrets: {key: {file: store.p12}}"
    assert stack(text, files={"store.p12": b"\x00\xff"}).secrets["key"].data == b"\x00\xff"


def test_a_secret_keeps_what_a_reader_of_text_returns() -> None:
    spec = load(
        "services: {web: {image: shop}}\nsecrets: {key: {file: a}}",
        source="shop.yml",
        stack="shop",
        variables={},
        read=lambda name: f"text of {name}",
    )
    assert spec.secrets["key"].data == b"text of a"


def test_a_file_that_aliases_blow_up_is_refused_quickly() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 10)]
    with pytest.raises(ComposeError, match="more than 100000 values"):
        stack("\n".join(lines))


@pytest.mark.slow
def test_a_file_nested_too_deeply_is_refused() -> None:
    with pytest.raises(ComposeError, match="nested too deeply"):
        stack("a: " + "[" * 1500 + "]" * 1500)


def test_a_long_name_is_refused_quickly() -> None:
    with pytest.raises(ComposeError, match="Swarm refuses this name"):
        stack("services:\n  " + "w" * 1000 + ".: {image: shop}\n")


def test_only_variables_without_a_default_are_required() -> None:
    text = """
x-unused: ${NOBODY}
services:
  web:
    image: shop:${TAG:-1}
    environment:
      A: ${PLAIN} $UNBRACED ${DEMANDED:?why} ${ALSO_DEMANDED?}
      B: ${EITHER:-${OR}} ${WITH:+${WITHOUT}}
      C: $$NOT
secrets:
  a: {environment: IN_A_SECRET}
  b: {external: true, x-cloudlet-environment: OUTSIDE_DOCKER}
"""
    assert required_variables(text, source="shop.yml") == {
        "PLAIN",
        "UNBRACED",
        "DEMANDED",
        "ALSO_DEMANDED",
        "OR",
        "IN_A_SECRET",
        "OUTSIDE_DOCKER",
    }


def test_fifty_services_load_in_a_blink() -> None:
    text = "services:\n" + "".join(
        f"  s{number}: {{image: shop, ports: ['{8000 + number}:80'], depends_on: [s0]}}\n"
        if number
        else "  s0: {image: shop}\n"
        for number in range(50)
    )
    assert len(stack(text).services) == 50
