"""Turns notebooks and Markdown files into parts of HTML pages, by nbconvert.

Reads from standard input {"mark", "styles", "documents": [{"from", "to"}, ...]}: writes the HTML of each document (.ipynb or
.md) to its place, and what its classes look like to `styles`. No script is among it, and what stands in outputs may be
foreign: of its markup only what ALLOWED names is left, the rest is shown as text. Mathematics of Markdown is not set but
marked, as <span class="MARK-inline"> or <span class="MARK-display"> around its TeX. A figure of Plotly is a picture with a
<script type="application/json"> beside it.
"""

import html
import json
import pathlib
import re
import sys

import bleach
import nbformat
from bleach.css_sanitizer import ALLOWED_CSS_PROPERTIES, CSSSanitizer
from jinja2 import pass_context
from nbconvert import HTMLExporter
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath
from traitlets.config import Config

PLOTLY = "application/vnd.plotly.v1+json"
ALLOWED = [
    *bleach.ALLOWED_TAGS, "br", "caption", "details", "div", "figcaption", "figure", "h1", "h2", "h3", "h4", "h5", "h6", "hr",
    "img", "p", "pre", "progress", "s", "small", "span", "sub", "summary", "sup", "table", "tbody", "td", "th", "thead", "tr",
    "del", "dl", "dt", "dd",
]


class Styles(CSSSanitizer):
    """Styles by property, and of no function such as url(...), whatever the property."""

    def sanitize_css(self, style):
        return "" if re.search(r"[(\\]", style) else super().sanitize_css(style)


STYLES = Styles(allowed_css_properties=[
    *ALLOWED_CSS_PROPERTIES, "background", "border", "border-radius", "image-rendering", "margin", "max-width", "padding",
])


def allowed_attribute(tag, name, value):
    """Whether a tag may have an attribute; pictures come in the page itself and not from elsewhere."""
    if name == "src":
        return tag == "img" and re.match(r"data:image/(png|jpeg|gif|webp);base64,", value) is not None
    if name == "href":
        return tag == "a" and not value.strip().lower().startswith("data:")
    if name == "id":
        return re.fullmatch("h[1-6]", tag) is not None
    return name in ("class", "style", "title", "alt", "width", "height", "colspan", "rowspan", "scope", "value", "max", "open")


def clean(text):
    """HTML of which only what is allowed is markup."""
    return bleach.clean(str(text), tags=ALLOWED, attributes=allowed_attribute, css_sanitizer=STYLES,
                        protocols=["http", "https", "mailto", "data"])


def picture_text(output):
    """What a picture shows, in words: the title of a figure, else the text that stands for it."""
    for annotation in reversed(output.data.get(PLOTLY, {}).get("layout", {}).get("annotations", [])):
        title = re.match(r"<b>(?!Note:)(.*?)</b>", str(annotation.get("text", "")))
        if title:
            return html.unescape(re.sub(r"<[^>]*>", " ", title[1]))
    return output.data.get("text/plain", "picture").strip("[]")


def to_html(text, mark):
    """Markdown as HTML, with marked mathematics."""

    class Renderer(IPythonRenderer):
        def block_math(self, body):
            return f'<span class="{mark}-display">{html.escape(body)}</span>'

        def inline_math(self, body):
            return f'<span class="{mark}-inline">{html.escape(body)}</span>'

        def latex_environment(self, name, body):
            return self.block_math(f"\\begin{{{name}}}{body}\\end{{{name}}}")

    return clean(MarkdownWithMath(renderer=Renderer(escape=False)).render(text))


class PartExporter(HTMLExporter):
    """The cells of a notebook without a page around them."""

    mark = ""

    @pass_context
    def markdown2html(self, context, source):
        return to_html(source, self.mark)

    def default_filters(self):
        yield from super().default_filters()
        yield "markdown2html", self.markdown2html
        yield "clean_html", clean
        yield "picture_text", picture_text


def exporter(mark):
    order = [PLOTLY, "text/html", "text/markdown", "image/png", "image/jpeg", "image/svg+xml", "text/plain"]
    made = PartExporter(template_name="course", sanitize_html=True, config=Config({
        "NbConvertBase": {"display_data_priority": order},
        "TemplateExporter": {"extra_template_basedirs": [str(pathlib.Path(__file__).parent / "nbconvert")]},
    }))
    made.mark = mark
    made.environment.globals["plotly"] = PLOTLY
    return made


def main():
    job = json.load(sys.stdin)
    part, inlined = exporter(job["mark"]), []
    for document in job["documents"]:
        source, target = map(pathlib.Path, (document["from"], document["to"]))
        if source.suffix == ".ipynb":
            text, resources = part.from_notebook_node(nbformat.read(source, as_version=4))
            inlined = resources["inlining"]["css"]
        else:
            _, _, own = re.fullmatch(r"(---\n(.*?\n)?---\n)?(.*)", source.read_text(encoding="utf-8"), re.DOTALL).groups()
            text = to_html(own, job["mark"])
        target.write_text(text, encoding="utf-8", errors="backslashreplace")  # a half surrogate is seen
    read = lambda name: part.environment.loader.get_source(part.environment, f"static/{name}.css")[0]  # noqa: E731
    pathlib.Path(job["styles"]).write_text("\n".join([*inlined, read("index"), read("theme-light")]), encoding="utf-8")


if __name__ == "__main__":
    main()
