"""Applications that write to the documents while they are swept.

Each owns the rows that are its number modulo the number of writers, so what it
last committed for a row is the row's truth (as model.py for PostgreSQL).
"""

import multiprocessing
import random
import time

import pymongo

import mongo_documents as documents

# An array turned round by the server itself, so that no writer puts back what
# it read before a sweep.
TURN = {True: -1, False: 1}


def _step(db, dice, model, row, fresh, scene):
    """One transaction of an application, and what it makes true."""
    uuids, can_turn = scene
    version, hot, turned = model.get(row, (0, 0, False))
    collection = db[documents.collection_of(row)]
    key = {"_id": documents.key_of(row, uuids)}
    kind = dice.random()
    if kind < 0.35:
        version += 1
        collection.update_one(key, {"$set": documents.changed(
            row, version, turned)})
    elif kind < 0.65:
        hot += 1
        collection.update_one(key, {"$inc": {"hot": 1}})
    elif kind < 0.75 and can_turn and collection.name == "tools":
        turned = not turned
        collection.update_one(key, {"$push": {"servers": {
            "$each": [], "$sort": {"name": TURN[turned]}}}})
    elif kind < 0.90:
        made = documents.document(fresh, 0, 0, False, uuids)
        db[documents.collection_of(fresh)].insert_one(made)
        model[fresh] = (0, 0, False)
        return
    else:
        collection.delete_one(key)
        model[row] = None
        return
    model[row] = (version, hot, turned)


def writer(uri, database, number, writers, rows, scene, stop, result, seed,
           pause, known):
    dice = random.Random(seed)
    client = pymongo.MongoClient(uri)
    db = client[database]
    model, longest, steps = known, 0.0, 0
    fresh = max([rows, *known]) + 1
    fresh += (number - fresh) % writers
    while not stop.is_set():
        row = dice.randrange(rows // writers) * writers + number
        row = row if row else writers
        if model.get(row, ()) is None:
            continue
        before = len(model)
        began = time.monotonic()
        _step(db, dice, model, row, fresh, scene)
        longest = max(longest, time.monotonic() - began)
        if len(model) > before and fresh in model:
            fresh += writers
        steps += 1
        time.sleep(pause)
    client.close()
    result.put((number, model, longest, steps))


class Writers:
    """Some of them, each a process."""

    def __init__(self, scene, can_turn, count=2, seed=1, pause=0.002,
                 known=None):
        self.stop_event = multiprocessing.Event()
        self.results = multiprocessing.Queue()
        self.processes = [
            multiprocessing.Process(target=writer, args=(
                scene.server.uri, scene.database, n, count, scene.rows,
                (scene.uuids, can_turn), self.stop_event, self.results,
                seed * 100 + n, pause,
                {row: state for row, state in (known or {}).items()
                 if row % count == n}))
            for n in range(count)]
        for process in self.processes:
            process.start()

    def stop(self):
        """(model of touched rows, longest statement in seconds, steps)."""
        self.stop_event.set()
        model, longest, steps = {}, 0.0, 0
        for _ in self.processes:
            _, part, slow, done = self.results.get(timeout=60)
            model.update(part)
            longest = max(longest, slow)
            steps += done
        for process in self.processes:
            process.join()
        return model, longest, steps
