#!/usr/bin/env python3
"""Makes a small store with the release that FRESHET names, as a file of the format that it writes, and its export.

    FRESHET=OLD/freshet tests/formats/make.py FORMAT

Leaves format-FORMAT.db and format-FORMAT.jsonl beside this file. It has orders, idempotency keys, some of them of two
events, a remembered refusal, dead letters and a discarded one, metadata and the ids of correlations in them. The events
come from an import, so that their times are fixed; what else a program draws or takes from the clock is set afterwards,
so that the file says the same each time.
"""

import json
import os
import random
import sqlite3
import subprocess
import sys
from pathlib import Path

ORDERS = 60
FOLDER = Path(__file__).parent

# Of payments, by the last digit of their order. Some name the ids of a correlation, and some look as if they did.
METADATA = {
    1: {"correlation_id": "click ä", "causation_id": "command/7@1"},
    2: {"causation_id": "command/7@1"},
    4: {"correlation_id": 4, "causation_id": "command/7@1"},
    5: ["correlation_id", "causation_id"],
    6: {"cause": {"correlation_id": "inner", "causation_id": "inner"}},
    9: {"correlation_id": "\u0001 \"quoted\" \\", "causation_id": "", "by": "ada"},
}


def events(seed):
    """Orders that are placed, paid and shipped; two of them begin with an event that no rule can read."""
    draw = random.Random(seed)
    log, versions = [], {}

    def add(order, kind, data, key=None, metadata=None):
        versions[order] = versions.get(order, 0) + 1
        time = f"2024-01-{1 + len(log) // 20:02}T00:00:{len(log) % 60:02}.{draw.randrange(10 ** 6):06}Z"
        event = {"position": len(log) + 1, "stream": f"order/{order}", "version": versions[order], "type": kind,
                 "occurred_at": time, "recorded_at": time, "data": data}
        if metadata is not None:
            event["metadata"] = metadata
        if key:
            event["idempotency_key"] = key
        log.append(event)

    for order in range(ORDERS):
        price = draw.randrange(1, 10_000)
        if order in (7, 8):
            add(order, "OrderPaid", {})
        add(order, "OrderCreated",
            {"customer": f"c{draw.randrange(9)}", "currency": "EUR", "freight_minor": 0, "amount_minor": 2 * price,
             "items": [{"sku": "book", "quantity": 2, "unit_price_minor": price}]}, f"place-{order}")
        if draw.random() < 0.7:
            # Created and paid by one command.
            key = f"place-{order}" if order % 5 == 3 else None
            add(order, "OrderPaid", {"amount_minor": 2 * price, "currency": "EUR"}, key, METADATA.get(order % 10))
            if draw.random() < 0.5:
                cause = {"by": "ada", "correlation_id": f"click {order}", "causation_id": f"order/{order}@2"}
                add(order, "OrderShipped", {"carrier": "dhl"}, None, cause if order % 2 else None)
    return log


def main():
    program, number = os.environ["FRESHET"], sys.argv[1]
    store, export = FOLDER / f"format-{number}.db", FOLDER / f"format-{number}.jsonl"
    store.unlink(missing_ok=True)

    def run(*words, code=0, text=None):
        done = subprocess.run([program, "--db", str(store), *words], input=text, text=True, capture_output=True,
                              check=False)
        if done.returncode != code:
            sys.exit(f"{words}: {done.stdout}{done.stderr}")
        return done.stdout

    log = events(seed=1)
    run("log", "import", "-", text="".join(json.dumps(event, separators=(",", ":")) + "\n" for event in log))
    run("order", "list", "--strong")
    run("order", "ship", "nowhere", "--idempotency-key", "refused", code=5)
    run("projection", "dead-letters", "discard", "--stream", "order/8")
    export.write_text(run("log", "export"))
    database = sqlite3.connect(store)
    database.executescript("""
        UPDATE store SET id = '0123456789abcdef0123456789abcdef', epoch = 'fedcba9876543210', created_at = 0;
        UPDATE dead_letters SET at = 1704067200000000, discarded_at = min(discarded_at, 1704067200000000);
        VACUUM;""")
    database.close()
    print(f"{store.name}: format {number}, {store.stat().st_size} bytes, {len(log)} events")


if __name__ == "__main__":
    main()
