"""Everyday functions of BFCL's executable categories: rooms, food, money.

Written from the descriptions in the data, as those in `functions` are.
"""

from collections.abc import Sequence
from typing import Any

MOST_YEARS = 5_000


def book_room(
    room_type: str,
    check_in_date: str,
    check_out_date: str,
    customer_id: str,
    price: float = 0.0,
    discount_code: str | None = None,
) -> dict[str, Any]:
    """The booking."""
    return {
        "room_type": room_type,
        "price": price,
        "dates": (check_in_date, check_out_date),
        "customer": customer_id,
        "discount": discount_code,
    }


def calculate_future_value(present_value: float, interest_rate: float, periods: int) -> float:
    """With yearly compounding."""
    return float(present_value * (1.0 + interest_rate) ** periods)


def calculate_investment_value(
    initial_investment: float,
    annual_contribution: float,
    years: int,
    annual_return: float,
    inflation_rate: Sequence[float],
    adjust_for_inflation: bool = True,
) -> float:
    """What it has grown to; each year's inflation divides it where that is asked for."""
    value = float(initial_investment)
    for year in range(min(years, MOST_YEARS)):
        value = value * (1 + annual_return) + annual_contribution
        if adjust_for_inflation:
            value /= 1 + inflation_rate[year]
    return value


def calculate_nutritional_needs(
    weight: float, height: float, age: float, gender: str, activity_level: int, goal: str
) -> float:
    """Kilocalories a day: the Mifflin-St Jeor rate, times the activity, plus what the goal asks."""
    sex = {"male": 5.0, "female": -161.0, "other": -78.0}[gender]
    active = (1.2, 1.375, 1.55, 1.725, 1.9)[activity_level - 1]
    change = {"lose": -500.0, "gain": 500.0, "maintain": 0.0}[goal]
    return (10 * weight + 6.25 * height - 5 * age + sex) * active + change


def mortgage_calculator(loan_amount: float, interest_rate: float, loan_period: int) -> float:
    """The payment a month."""
    monthly, months = interest_rate / 12, loan_period * 12
    if not monthly:
        return loan_amount / months
    grown = (1.0 + monthly) ** months
    return float(loan_amount * monthly * grown / (grown - 1))


def order_food(item: Sequence[str], quantity: Sequence[int], price: Sequence[float]) -> float:
    """The total."""
    return sum(n * each for _, n, each in zip(item, quantity, price, strict=True))
