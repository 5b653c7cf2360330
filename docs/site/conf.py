"""How sphinx makes a site of the pages, and of what `ansible-doc` shows (`make docs`)."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from docutils.nodes import Element
    from sphinx.application import Sphinx
    from sphinx.environment import BuildEnvironment

project = "aspera-sse"
copyright = "the aspera-sse contributors"  # noqa: A001
extensions = ["myst_parser", "sphinx_antsibull_ext"]
html_theme = "sphinx_ansible_theme"
html_title = "aspera-sse"
root_doc = "index"
myst_heading_anchors = 3
# Fonts and highlighting of the theme need nothing from elsewhere.
html_theme_options = {"display_version": False, "topbar_links": {}}
highlight_language = "yaml"

#: A link to something that is no page: a folder of examples, a schema, the license.
LINK = re.compile(r"(?<!!)\[([^\]]+)\]\((?!https:)([^)#\s]+)\)")
#: What antsibull-docs refers to in Ansible's own documentation, which a site of its own does not have.
OF_ANSIBLE = re.compile(
    r"action_plugins|common_return_values|ansible_configuration_settings|ansible_collections\.ansible\.builtin\..*"
)


def setup(app: Sphinx) -> None:
    """Let sphinx read the pages without links that lead out of the site."""
    app.connect("source-read", without_other_links)
    app.connect("missing-reference", text_of_ansible)


def without_other_links(app: Sphinx, name: str, source: list[str]) -> None:
    """Replace links to what is no page of the site by their text."""
    folder = (Path(app.srcdir) / name).parent

    def text_or_link(link: re.Match[str]) -> str:
        return link[0] if (folder / link[2]).suffix == ".md" and (folder / link[2]).exists() else link[1]

    source[0] = LINK.sub(text_or_link, source[0])


def text_of_ansible(app: Sphinx, env: BuildEnvironment, node: Element, content: Element) -> Element | None:
    """Show the text of a reference to Ansible's own documentation; any other one that leads nowhere is a warning."""
    return content if OF_ANSIBLE.fullmatch(node["reftarget"]) else None
