"""Things side by side that have nothing to do with each other."""

from concurrent.futures import ThreadPoolExecutor


def together(*works):
    """Does all of them, and answers what each answers, or fails as the first of them that does, once all have ended."""
    with ThreadPoolExecutor(max_workers=len(works)) as pool:
        ends = [pool.submit(work) for work in works]
    return [end.result() for end in ends]
