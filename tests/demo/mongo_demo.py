#!/usr/bin/env python3
"""What the demo does to MongoDB beside the command, with pymongo.

    mongo_demo.py fill N | show ID | under KID | plain | untouched | drop

MONGODB_URL names the server, DEMO_DATABASE the database.
"""

import os
import sys

import bson.json_util
import pymongo

URL, NAME = os.environ["MONGODB_URL"], os.environ["DEMO_DATABASE"]
client = pymongo.MongoClient(URL)
tools = client[NAME].tools
verb, *rest = sys.argv[1:]

if verb == "fill":
    tools.insert_many([
        {"_id": n, "name": f"werkzeug-{n}", "limit": 1.50,
         "api_key": f"sk-demo-{n}", "servers": [
             {"name": "a", "headers": {"Authorization": f"Bearer demo-{n}"}}]}
        for n in range(1, int(rest[0]) + 1)])
elif verb == "show":
    found = tools.find_one({"_id": int(rest[0])})
    text = bson.json_util.dumps(found, ensure_ascii=False)
    print(text if len(text) < 420 else text[:420] + " ...")
elif verb == "under":
    envelope = {"$regex": f"^env1:{rest[0]}:"}
    print(tools.count_documents({
        "api_key": envelope, "servers.headers.Authorization": envelope}))
elif verb == "plain":
    print(tools.count_documents({"$or": [
        {"api_key": {"$regex": "demo"}},
        {"servers.headers.Authorization": {"$regex": "demo"}}]}))
elif verb == "untouched":
    print(tools.count_documents({"limit": 1.50,
                                 "name": {"$regex": "^werkzeug-"}}))
elif verb == "drop":
    client.drop_database(NAME)
    state = client["envelope_admin"]
    for name in state.list_collection_names():
        state[name].delete_many({"database": NAME})
