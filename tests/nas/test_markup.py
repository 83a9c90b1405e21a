"""A card's Markdown as HTML: its own few forms, and nothing that a title could smuggle in."""

from html.parser import HTMLParser

from hypothesis import given
from hypothesis import strategies as st

from nas.markup import html

CARD = """# Demo <script>

A network for `a & b`.

## Files
- `model.py`: the source
  on two lines
- `x`

| | Winner |
|---|---|
| Accuracy | 98.00 % ± 0.10 % |
"""


class Reader(HTMLParser):
    """Collects tags and the text of the body."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.texts = [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)

    def handle_data(self, data):
        self.texts.append(data)


def test_headings_lists_tables_and_code_become_elements():
    page = html(CARD)
    assert "<h1>Demo &lt;script&gt;</h1>" in page
    assert "<title>Demo &lt;script&gt;</title>" in page
    assert "<p>A network for <code>a &amp; b</code>.</p>" in page
    assert "<ul><li><code>model.py</code>: the source\n  on two lines</li><li><code>x</code></li></ul>" in page
    assert "<tr><th></th><th>Winner</th></tr><tr><td>Accuracy</td><td>98.00 % ± 0.10 %</td></tr>" in page


def test_a_picture_stands_under_its_heading_and_nowhere_else():
    page = html("# Demo\n\n## Curves\nAs numbers.\n\n## Other\nCurves", {"Curves": "<svg></svg>"})
    assert "<h2>Curves</h2><svg></svg>\n<p>As numbers.</p>" in page
    assert page.count("<svg>") == 1


@given(st.text(alphabet="<>&\"'`|#- \nab", max_size=60))
def test_whatever_is_in_it_stays_text(text):
    reader = Reader(html(f"# Title\n{text}"))
    allowed = {
        "html",
        "meta",
        "title",
        "style",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "p",
        "ul",
        "li",
        "table",
        "tr",
        "th",
    }
    assert set(reader.tags) <= allowed | {"td", "code"}
