"""Durations, sizes, CPUs, words and numbers, read and written as Docker does it."""

from __future__ import annotations

import pytest

from components.compose.interpolate import TemplateError, substitute
from components.compose.units import go_duration, parse_cpus, parse_duration, parse_size
from components.compose.words import split_words
from components.compose.yaml_text import go_text, parse

MS, S, M, H = 10**6, 10**9, 60 * 10**9, 3600 * 10**9


@pytest.mark.parametrize(
    ("text", "nanoseconds"),
    [
        ("0", 0),
        ("0s", 0),
        ("5s", 5 * S),
        ("90s", 90 * S),
        ("1m30s", 90 * S),
        ("1.5h", 90 * M),
        (".5s", S // 2),
        ("1.s", S),
        ("100ms", 100 * MS),
        ("1us", 1000),
        ("1µs", 1000),
        ("1h1m1s1ms1us1ns", H + M + S + MS + 1001),
        ("2562047h47m16.854775807s", 2**63 - 1),
    ],
)
def test_a_duration_is_read_as_go_reads_it(text: str, nanoseconds: int) -> None:
    assert parse_duration(text) == nanoseconds


@pytest.mark.parametrize(
    "text", ["", "5", "s", "5 s", "-5s", "+5s", "5x", "1e3s", "٣s", "9999999h", "9" * 5000 + "s"]
)
def test_what_is_no_duration_is_refused_without_repeating_it(text: str) -> None:
    with pytest.raises(ValueError, match=r"^not a duration; write a number with a unit"):
        parse_duration(text)


@pytest.mark.parametrize(
    ("nanoseconds", "text"),
    [
        (0, "0s"),
        (1, "1ns"),
        (1500, "1.5µs"),
        (100 * MS, "100ms"),
        (S, "1s"),
        (S + S // 2, "1.5s"),
        (M, "1m"),
        (75 * S, "1m15s"),
        (90 * S, "1m30s"),
        (H, "1h"),
        (90 * M, "1h30m"),
        (H + S, "1h0m1s"),
        (H + M + S // 2, "1h1m0.5s"),
        (24 * H, "24h"),
    ],
)
def test_a_duration_is_written_as_the_provider_reads_it_back(nanoseconds: int, text: str) -> None:
    assert go_duration(nanoseconds) == text
    assert parse_duration(text) == nanoseconds


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("0", 0),
        ("1024", 1024),
        ("1b", 1),
        ("1k", 1024),
        ("64M", 64 * 2**20),
        ("64mb", 64 * 2**20),
        ("64MiB", 64 * 2**20),
        ("1.5 G", 3 * 2**29),
        ("1t", 2**40),
        ("1p", 2**50),
    ],
)
def test_a_size_is_read_in_powers_of_1024(text: str, size: int) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize(
    "text", ["", "G", "-1", "1x", "1mm", "1bb", "1ib", "1ki", "1 000", "٣", "9" * 5000]
)
def test_what_is_no_size_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a size"):
        parse_size(text)


@pytest.mark.parametrize(
    ("text", "nano"),
    [("0.5", 500_000_000), ("2", 2 * 10**9), ("1/4", 250_000_000), (".001", 10**6)],
)
def test_cpus_are_read_in_billionths(text: str, nano: int) -> None:
    assert parse_cpus(text) == nano


@pytest.mark.parametrize("text", ["", "half", "-1", "1/0", "1e3", "0.0000000001", "9" * 5000])
def test_what_is_no_number_of_cpus_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="write"):
        parse_cpus(text)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("", ()),
        ("  a\tb\n c ", ("a", "b", "c")),
        ("a 'b c' \"d e\"", ("a", "b c", "d e")),
        ("a''b ''", ("ab", "")),
        (r"a\ b \'", ("a b", "'")),
        (r"'a\b'", (r"a\b",)),
        (r'"a\"b\nc"', ('a"bnc',)),
        ("a#b #c d\ne", ("a#b", "e")),
    ],
)
def test_a_command_is_split_as_docker_splits_it(line: str, words: tuple[str, ...]) -> None:
    assert split_words(line) == words


@pytest.mark.parametrize("line", ["'a", '"a', "a\\", '"a\\'])
def test_a_command_that_ends_within_a_quote_is_refused(line: str) -> None:
    with pytest.raises(ValueError, match="write the words as a list"):
        split_words(line)


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("1.0", "1"),
        ("0777", "511"),
        ("0o17", "15"),
        ("08", "8"),
        ("0x1F", "31"),
        ("-017", "-15"),
        ("0b11", "3"),
        ("1_000", "1000"),
        ("1e5", "100000"),
        ("1e6", "1e+06"),
        ("123456789.5", "1.234567895e+08"),
        ("0.0001", "0.0001"),
        ("0.00001", "1e-05"),
        ("1.5e-7", "1.5e-07"),
        ("18446744073709551615", "18446744073709551615"),
        ("18446744073709551616", "1.8446744073709552e+19"),
        ("yes", "yes"),
        ("22:22", "22:22"),
        ("True", "true"),
        ("~", ""),
        ("+.inf", "+Inf"),
        ("-.inf", "-Inf"),
        (".nan", "NaN"),
        ("'1.0'", "1.0"),
        ("!!str 1.0", "1.0"),
    ],
)
def test_a_value_becomes_the_text_that_docker_makes_of_it(written: str, read: str) -> None:
    value = parse(f"a: {written}", source="a.yml")["a"]
    assert not isinstance(value, list | dict)
    assert go_text(value) == read


def test_a_default_is_looked_at_only_where_it_is_used() -> None:
    assert substitute("${A:-${B}}", {"A": "1"}).missing == ()
    assert [missing.name for missing in substitute("${A:-${B}}", {}).missing] == ["B"]


def test_the_values_of_variables_are_not_filled_in_again() -> None:
    assert substitute("${A} ${B:-x}", {"A": "$B ${C}"}).text == "$B ${C} x"


@pytest.mark.parametrize(
    "template", ["$", "a$", "$1", "${", "${}", "${1}", "${A", "${A:x}", "$A-b"]
)
def test_a_template_that_is_none_is_refused(template: str) -> None:
    with pytest.raises(TemplateError, match=r"write|needs"):
        substitute(template, {"A": "1"})
