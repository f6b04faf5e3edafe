"""Many jobs at once, a limited number under way, results as they come."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable
from typing import TypeVar

I = TypeVar("I")  # noqa: E741  an item
R = TypeVar("R")


async def side_by_side(
    items: Iterable[I], job: Callable[[I], Awaitable[R]], limit: int
) -> AsyncGenerator[R, None]:
    """The results of `job` on each item, in the order in which they are done.

    Items are drawn as room comes free, so they may be many. Where a job raises, or the
    caller leaves early (close the iterator: `contextlib.aclosing`), the others are
    cancelled and waited for.
    """
    todo, under_way, done = iter(items), set[asyncio.Future[R]](), set[asyncio.Future[R]]()
    try:
        while True:
            while len(under_way) < limit:
                try:
                    item = next(todo)
                except StopIteration:
                    break
                under_way.add(asyncio.ensure_future(job(item)))
            if not under_way:
                return
            done, under_way = await asyncio.wait(under_way, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                yield task.result()
    finally:
        for task in under_way:
            task.cancel()
        await asyncio.gather(*under_way, *done, return_exceptions=True)
