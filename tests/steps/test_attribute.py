"""Labels are found in their order of precedence, made safe, and never fail a call."""

from types import SimpleNamespace

from hypothesis import given
from hypothesis import strategies as st

from scrimp.call import Ask, Call
from scrimp.config import Config
from scrimp.steps.attribute import LONGEST, attribute, clean
from scrimp.world import Bounded


def world(**config):
    return SimpleNamespace(
        config=Config(**config),
        fingerprints=Bounded(10),
        tenant=lambda key: "anonymous" if not key else "t" + key.decode(),
    )


def attributed(headers=(), ask=None, query=b""):
    call = Call(id="c", at=0, mono=0, headers=list(headers), ask=ask or Ask(), query=query)
    attribute(call, world())
    return call.who


def test_our_headers_win_over_the_body_and_the_body_over_other_gateways():
    ask = Ask(labels={"feature": "body", "user": "body-user"})
    headers = [(b"x-scrimp-feature", b"mine"), (b"x-portkey-metadata", b'{"_user":"p","team":"pt","region":"eu"}')]
    who = attributed(headers, ask)
    assert (who.feature, who.feature_from, who.user, who.team) == ("mine", "header", "body-user", "pt")
    assert who.tags == ("region=eu",)


def test_labels_of_other_gateways_are_read():
    who = attributed(
        [
            (b"helicone-user-id", b"u"),
            (b"helicone-property-feature", b"chat"),
            (b"helicone-property-plan", b"pro"),
            (b"x-litellm-tags", b"a, b"),
        ]
    )
    assert (who.user, who.feature, who.feature_from, who.tags) == ("u", "chat", "other-gateway", ("plan=pro", "a", "b"))


def test_calls_that_share_a_system_prompt_are_one_feature_named_by_its_words():
    system = b'"You sort invoices. Invoices have totals; today is 2026-11-24."'
    first = attributed(ask=Ask(system=system, opening=b'"one"'))
    again = attributed(ask=Ask(system=system.replace(b"24", b"25"), opening=b'"another"'))
    assert first.feature == again.feature
    assert first.feature.startswith("invoices-")
    assert first.feature_from == "fingerprint"
    assert attributed(ask=Ask(opening=b'"What is up?"')).feature == ""


def test_the_tenant_comes_from_whatever_carries_the_credential():
    assert attributed([(b"authorization", b"Bearer k")]).tenant == "tk"
    assert attributed([(b"x-api-key", b"k")]).tenant == "tk"
    assert attributed(query=b"a=1&key=k").tenant == "tk"
    assert attributed().tenant == "anonymous"


@given(st.text())
def test_a_clean_label_is_one_short_line_without_controls(text):
    label = clean(text)
    assert len(label) <= LONGEST
    assert all(ord(c) >= 32 and not 0x7F <= ord(c) <= 0x9F for c in label)
    assert not any(c in "\u202e\u2066\u200b\n\r\x1b" for c in label)


@given(
    st.lists(
        st.tuples(st.sampled_from([b"x-portkey-metadata", b"x-litellm-tags", b"helicone-property-x"]), st.binary())
    )
)
def test_no_label_ever_fails_a_call(headers):
    attributed(headers, Ask(labels={"tags": {"not": "a list"}, "user": [1], "x": None}))
