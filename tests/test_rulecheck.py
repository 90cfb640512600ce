"""Rules are tried on their examples: what is not found is told; the tests' keys are not there."""

import dataclasses

from scanner import rulecheck, rules

SHIPPED = rules.load()


def test_recipes_are_left_to_the_tests() -> None:
    """Without the tests' keys, recipes are counted and not tried."""
    checked = rulecheck.check(SHIPPED, lambda _rule, _data: True)
    assert checked.left > 0
    assert all("counterexample" in problem for problem in checked.problems)


def test_an_example_that_is_not_found_is_a_problem() -> None:
    """Problems name the rule, the example and what is wrong; a rule needs an example."""
    rule = next(rule for rule in SHIPPED if rule.id == "pkcs8-der")
    checked = rulecheck.check((rule,), lambda _rule, _data: False)
    assert checked.problems == tuple(f"pkcs8-der: example {n} is not found" for n in (4, 5))
    bare = dataclasses.replace(rule, examples=(), counterexamples=())
    assert rulecheck.check((bare,), lambda _rule, _data: True).problems == (
        "pkcs8-der: a rule needs an example",
    )
