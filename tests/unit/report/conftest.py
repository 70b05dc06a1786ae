"""Reports of synthetic boxes, and a reader of HTML that knows nothing of how they are made."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any

import pytest

from ipsecbench.dataset.model import Dataset
from ipsecbench.recommend import recommend
from ipsecbench.recommend.model import Recommendation
from ipsecbench.recommend.policies.policy import load_policy
from ipsecbench.recommend.requirements.records import Requirements
from ipsecbench.report.box.page import render_page

VOID = frozenset({"meta", "br", "input", "link", "img", "hr", "wbr", "source", "base", "col", "embed"})


@dataclass
class Node:
    """One element of a parsed page."""

    name: str
    attributes: dict[str, str]
    children: list[Node] = field(default_factory=list)
    parts: list[str] = field(default_factory=list)
    """Text directly within it."""

    def all(self, name: str | None = None) -> list[Node]:
        """The descendants, in document order."""
        found: list[Node] = []
        for child in self.children:
            if name is None or child.name == name:
                found.append(child)
            found += child.all(name)
        return found

    @property
    def text(self) -> str:
        """All text within it."""
        return "".join(self.parts) + "".join(child.text for child in self.children)


class Page(HTMLParser):
    """A parsed page; end tags that close nothing, or the wrong element, are collected in ``faults``."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.html = html
        self.root = Node("#document", {})
        self.faults: list[str] = []
        self._open = [self.root]
        self.feed(html)
        self.close()
        self.faults += [f"<{node.name}> is never closed" for node in self._open[1:]]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = [name for name, _ in attrs]
        if len(names) != len(set(names)):
            self.faults.append(f"<{tag}> has an attribute twice")
        node = Node(tag, {name: value or "" for name, value in attrs})
        self._open[-1].children.append(node)
        if tag not in VOID:
            self._open.append(node)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._open[-1].children.append(Node(tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        if self._open[-1].name != tag:
            self.faults.append(f"</{tag}> closes <{self._open[-1].name}>")
        else:
            self._open.pop()

    def handle_data(self, data: str) -> None:
        self._open[-1].parts.append(data)

    def all(self, name: str | None = None) -> list[Node]:
        """Every element of a name, in document order."""
        return self.root.all(name)

    def by_id(self, identifier: str) -> Node:
        """The one element with an id."""
        (node,) = (node for node in self.all() if node.attributes.get("id") == identifier)
        return node


@pytest.fixture
def make_answer(make_dataset: Callable[..., Dataset]) -> Callable[..., tuple[Dataset, Recommendation]]:
    """A function that builds a dataset and what is recommended from it."""

    def make(
        box: str = "x86-aes",
        *,
        policy: str = "modern",
        requirements: Requirements | None = None,
        **options: Any,
    ) -> tuple[Dataset, Recommendation]:
        dataset = make_dataset(box, **options)
        return dataset, recommend(dataset, load_policy(policy), requirements or Requirements())

    return make


@pytest.fixture
def make_page(make_answer: Callable[..., tuple[Dataset, Recommendation]]) -> Callable[..., Page]:
    """A function that builds the report of a synthetic box and parses it."""

    def make(box: str = "x86-aes", **options: Any) -> Page:
        return Page(render_page(*make_answer(box, **options), "box.ipsecbench.json"))

    return make


@pytest.fixture
def read_page() -> Callable[[str], Page]:
    """The reader of HTML."""
    return Page
