"""Who may come in by the browser."""

import importlib
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_bridge.errors import MissingPart, UsageError
from hil.tui.web.tab import Tab
from hil.tui.web.webdoor import admitted, checked_host, same_origin


@given(st.text(min_size=1), st.none() | st.text())
def test_only_the_token_itself_opens(token, shown) -> None:
    assert admitted(shown, token) == (shown == token)
    assert admitted(token, token)


@pytest.mark.parametrize(("host", "expose", "encrypted", "said"), [
    ("127.0.0.1", False, False, ""), ("localhost", False, False, ""), ("::1", False, False, ""),
    ("0.0.0.0", True, True, ""), ("bench.example", True, False, "without TLS whoever listens"),
])  # fmt: skip
def test_other_machines_are_let_in_with_tls_or_a_warning(host, expose, encrypted, said) -> None:
    assert checked_host(host, expose, encrypted).startswith(said)
    assert bool(checked_host(host, expose, encrypted)) == bool(said)


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.7", "bench.example", "::"])
@pytest.mark.parametrize("encrypted", [False, True])
def test_nobody_is_let_in_from_elsewhere_by_accident(host, encrypted) -> None:
    with pytest.raises(UsageError, match="say --expose") as refused:
        checked_host(host, False, encrypted)
    assert refused.value.exit_code == 2


def test_another_page_of_the_same_machine_is_a_stranger() -> None:
    assert same_origin("http://127.0.0.1:8023", "127.0.0.1:8023")
    assert same_origin(None, "127.0.0.1:8023")
    assert not same_origin("http://127.0.0.1:8024", "127.0.0.1:8023")
    assert not same_origin("null", "127.0.0.1:8023")


def test_without_textual_serve_one_sentence_says_what_to_install(monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "textual_serve.server", None)
    monkeypatch.delitem(sys.modules, "hil.tui.web.server", raising=False)
    with pytest.raises(MissingPart, match=r"pip install 'hil-testbench\[web\]'") as missing:
        importlib.import_module("hil.tui.web.server")
    assert missing.value.exit_code == 2


def test_what_a_tab_attaches_to_comes_through_its_environment() -> None:
    tab = Tab("127.0.0.1:5", "secret", 4.0, "recordings", "scenarios", "models")
    assert Tab.of(tab.as_environment()) == tab
