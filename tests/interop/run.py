"""Runs one row."""

from __future__ import annotations

from tests.interop import checks
from tests.interop.actions import ACTIONS
from tests.interop.laboratory import Exchange, Laboratory
from tests.interop.outcomes import REFUSALS
from tests.interop.scenario import UP, Scenario


def run_row(laboratory: Laboratory, scenario: Scenario) -> None:
    """Set up, check, act, check.

    Raises:
        AssertionError: something is not as the row says. So does any other exception.
    """
    hosts, daemon = laboratory.get(scenario)
    with Exchange(scenario, hosts, daemon) as exchange:
        if scenario.outcome != UP:
            REFUSALS[scenario.outcome](exchange)
            return
        exchange.establish()
        checks.first_role(exchange)
        checks.everything(exchange)
        if exchange.child is not None:
            exchange.traffic()
        for action in scenario.actions:
            ACTIONS[action](exchange)
