"""The functions of BFCL's executable categories that need no network, written from their docs.

The data describes each function for the model, and that description is all that these are
made from: the originals left BFCL with version 4. Money, dates and sizes are plain numbers
and texts; nothing is stored and nothing leaves the process. Sizes are bounded, so that no
call takes long.
"""

import ast
import math
import operator
import statistics
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from coalm.bench.bfcl import everyday
from coalm.bench.bfcl.arithmetic import compute

LARGEST = 5_000
"""Of a number that sizes a result: a factorial, a sequence, a set."""
LONGEST = 10**10
"""Of a number that is taken apart into its prime factors."""

_STEP = 1e-6
_MATH: Mapping[str, Any] = {
    f"{prefix}{name}": getattr(math, name)
    for prefix in ("", "math.")
    for name in ("sin", "cos", "tan", "exp", "log", "sqrt", "pi", "e")
}


def _sized(n: int) -> int:
    if not 0 <= n <= LARGEST:
        raise ValueError(f"{n} is not between 0 and {LARGEST}")
    return n


def add_binary_numbers(a: str, b: str) -> str:
    """The sum, in binary digits."""
    return f"{int(a, 2) + int(b, 2):b}"


def calc_binomial_probability(n: int, k: int, p: float) -> float:
    """The probability of exactly k successes."""
    return float(math.comb(_sized(n), k) * float(p) ** k * (1.0 - p) ** (n - k))


def calculate_cosine_similarity(vectorA: Sequence[float], vectorB: Sequence[float]) -> float:  # noqa: N803
    """Of two vectors of one length."""
    dot = sum(a * b for a, b in zip(vectorA, vectorB, strict=True))
    return dot / (math.hypot(*vectorA) * math.hypot(*vectorB))


def calculate_density(mass: float, volume: float) -> float:
    """Kilograms a cubic metre."""
    return mass / volume


def calculate_displacement(initial_velocity: float, acceleration: float, time: float) -> float:
    """Metres, under constant acceleration."""
    return initial_velocity * time + acceleration * time**2 / 2


def calculate_electrostatic_potential_energy(charge: float, voltage: float) -> float:
    """Joules."""
    return charge * voltage


def calculate_final_velocity(initial_velocity: float, acceleration: float, time: float) -> float:
    """Metres a second."""
    return initial_velocity + acceleration * time


def calculate_mean(numbers: Sequence[float]) -> float:
    """The arithmetic mean."""
    return math.fsum(numbers) / len(numbers)


def calculate_permutations(n: int, k: int) -> int:
    """Orders of k out of n."""
    return math.perm(_sized(n), k)


def calculate_standard_deviation(numbers: Sequence[float]) -> float:
    """Of a population."""
    return statistics.pstdev(map(float, numbers))


def calculate_triangle_area(base: float, height: float) -> float:
    """Square metres."""
    return base * height / 2


def estimate_derivative(function: str, x: float) -> float:
    """By the central difference; the function is a lambda of one number."""
    if len(function) > 1000:
        raise ValueError("longer than 1000 characters")
    tree = ast.parse(function.strip(), mode="eval").body
    if not isinstance(tree, ast.Lambda) or len(tree.args.args) != 1:
        raise ValueError("no lambda of one argument")
    name, body = tree.args.args[0].arg, tree.body

    def at(value: float) -> float:
        return float(compute(body, {**_MATH, name: value}))

    return (at(x + _STEP) - at(x - _STEP)) / (2 * _STEP)


def geometry_area_circle(radius: float) -> float:
    """Square feet."""
    return math.pi * radius**2


def get_distance(pointA: Sequence[float], pointB: Sequence[float]) -> float:  # noqa: N803
    """Between two points of the plane."""
    (ax, ay), (bx, by) = pointA, pointB
    return math.hypot(ax - bx, ay - by)


def get_fibonacci_sequence(n: int) -> list[int]:
    """The first n numbers, from 0, 1 on."""
    found, following = [], (0, 1)
    for _ in range(_sized(n)):
        found.append(following[0])
        following = (following[1], sum(following))
    return found


def get_fibonacci_number(n: int) -> int:
    """The number that n steps from 0 lead to."""
    return get_fibonacci_sequence(n + 1)[-1]


def get_prime_factors(number: int) -> list[int]:
    """In rising order, each as often as it divides."""
    if not 1 < number <= LONGEST:
        raise ValueError(f"{number} is not between 2 and {LONGEST}")
    found, factor = [], 2
    while factor * factor <= number:
        while number % factor == 0:
            found.append(factor)
            number //= factor
        factor += 1
    return [*found, number] if number > 1 else found


def linear_regression(x: Sequence[float], y: Sequence[float], point: float) -> float:
    """The least-squares line through the points, at a place."""
    slope, start = statistics.linear_regression(x, y)
    return slope * point + start


def mat_mul(
    matA: Sequence[Sequence[float]],  # noqa: N803
    matB: Sequence[Sequence[float]],  # noqa: N803
) -> list[list[float]]:
    """The product; of a row longer than the other's columns only the beginning counts."""
    columns = list(zip(*matB, strict=True))
    if len(matA) * len(matB) * len(columns) > LARGEST:
        raise ValueError("the matrices are too large")
    # One right answer of the data multiplies matrices that do not fit each other.
    return [[sum(map(operator.mul, row, column)) for column in columns] for row in matA]


def math_factorial(n: int) -> int:
    """1 times 2 times ... n."""
    return math.factorial(_sized(n))


def math_gcd(a: int, b: int) -> int:
    """The greatest common divisor."""
    return math.gcd(a, b)


def math_lcm(a: int, b: int) -> int:
    """The least common multiple."""
    return math.lcm(a, b)


def max_points(points: Sequence[Sequence[int]]) -> int:
    """The most points that lie on one line."""
    if len(points) > 50:
        raise ValueError("more than 50 points")
    best = min(len(points), 2)
    for i, (ax, ay) in enumerate(points):
        for bx, by in points[i + 1 :]:
            dx, dy = bx - ax, by - ay
            if dx or dy:
                best = max(best, sum((cx - ax) * dy == (cy - ay) * dx for cx, cy in points))
    return best


def polygon_area(vertices: Sequence[Sequence[float]]) -> float:
    """By the shoelace formula."""
    following = [*vertices[1:], vertices[0]]
    turned = sum(ax * by - bx * ay for (ax, ay), (bx, by) in zip(vertices, following, strict=True))
    return abs(turned) / 2


def quadratic_roots(a: float, b: float, c: float) -> list[complex]:
    """Both roots; they are complex where the parabola misses the axis."""
    root = (b * b - 4 * a * c) ** 0.5
    return [(-b + root) / (2 * a), (-b - root) / (2 * a)]


def sort_array(array: Sequence[float], reverse: bool = False) -> list[float]:
    """In rising order, or in falling."""
    return sorted(array, reverse=reverse)


LOCAL: Mapping[str, Callable[..., Any]] = {
    "maxPoints": max_points,
    **{
        f.__name__: f
        for f in (
            add_binary_numbers,
            calc_binomial_probability,
            calculate_cosine_similarity,
            calculate_density,
            calculate_displacement,
            calculate_electrostatic_potential_energy,
            calculate_final_velocity,
            calculate_mean,
            calculate_permutations,
            calculate_standard_deviation,
            calculate_triangle_area,
            estimate_derivative,
            everyday.book_room,
            everyday.calculate_future_value,
            everyday.calculate_investment_value,
            everyday.calculate_nutritional_needs,
            everyday.mortgage_calculator,
            everyday.order_food,
            geometry_area_circle,
            get_distance,
            get_fibonacci_number,
            get_fibonacci_sequence,
            get_prime_factors,
            linear_regression,
            mat_mul,
            math_factorial,
            math_gcd,
            math_lcm,
            polygon_area,
            quadratic_roots,
            sort_array,
        )
    },
}
"""By name, what can be executed here."""
