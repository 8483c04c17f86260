"""The report as Markdown."""

from __future__ import annotations

from inline_snapshot import snapshot

from scrimp.report.markdown import render
from scrimp.report.numbers import gather
from scrimp.store.base import Rollup


def test_the_report(tell) -> None:
    assert render(tell()) == snapshot("""\
## Savings, 1 Nov 00:00 to 4 Nov 2026 04:00 (UTC)

| Step | USD | Of list | How known |
|---|---:|---:|---|
| **List price** | 164.3031 | 100% |  |
| Provider prompt cache | -41.0500 | -25% | measured |
| Routing | -10.0000 | -6% | estimated |
| Service tier | -2.0000 | -1% | measured |
| `zippy` | -1.0000 | -1% | estimated |
| Our own overhead | +0.0010 | +<1% |  |
| **Paid** | 110.2541 | 67% |  |

| Feature | Calls | List | Paid | Saved | Share |
|---|---:|---:|---:|---:|---:|
| `chat` | 1 | 151.3000 | 100.0000 | 34% | 91% |
| `docs` | 1 | 1.0000 | 1.2500 | -25% | 1% |
| `red<script>\\|'@team` | 1 | 0.0031 | 0.0041 | -32% | <1% |
| `東京の検索` | 1 | unknown | unknown | - | 0% |
| `(no tag)` | 1 | 12.0000 | 9.0000 | 25% | 8% |
| **Total** | 5 | 164.3031 | 110.2541 | 33% | 100% |

5 calls, 1 failed, 1 with usage counted by scrimp, as the provider reported none. 1,200 tokens in (200 from the provider's cache), 50 out. Amounts in USD.

1 call has no known price and no part in the amounts above. Give each model one in scrimp.toml: [models."NAME"] with input and output in USD per million tokens.

- `llama|9` at `groq`: 1
""")


def test_a_label_cannot_leave_its_code_span_or_its_cell() -> None:
    cell = Rollup(hour=0, feature="`x` | [a](http://b) @team\n# h", model="m`|", calls=1, unpriced=1)
    lines = render(gather([cell])).splitlines()
    assert "| `'x' \\| [a](http://b) @team # h` | 1 | unknown | unknown | - | - |" in lines
    assert "- `m'|` at `(no provider)`: 1" in lines


def test_no_calls(tell) -> None:
    assert render(tell(calls=[])).startswith("No calls yet.\n\n```\nNext:  scrimp serve\n")
