"""One call of each operation of a service, in an order in which they have something to work on."""

import copy

VERBS = ["create", "replace", "list", "get", "patch", None, "delete"]


class Story:
    """What to call, and with what; what calls answer is remembered for later ones."""

    def __init__(self, service, transport):
        self.service = service
        self.operations = service.over(transport)
        self.items = {}

    def steps(self):
        """Each operation with the id of the item that it is on, and its input. Items are made twice."""
        ranks = {resource["name"]: rank for rank, resource in enumerate(self.service.resources)}

        def order(operation):
            verb, rank = operation.get("verb"), ranks.get(operation.get("resource"), -1)
            # Who refers to others comes later and goes earlier.
            return (VERBS.index(verb), -rank if verb == "delete" else rank)

        for operation in sorted(self.operations, key=order):
            for turn in range(2 if operation.get("verb") in ("create", "replace") else 1):
                yield operation, self.item(operation, turn), self.input(operation, turn)

    def item(self, operation, turn):
        if not operation.get("takes_id"):
            return None
        resource = self.service.resource(operation["resource"])
        made, ids = self.items.get(resource["name"]), resource["ids"]
        if operation.get("verb") == "replace" and resource["natural"] and turn < len(ids):
            return ids[turn]
        return made[turn % len(made)] if made else (ids or [resource["unknown"]])[0]

    def input(self, operation, turn):
        examples = operation.get("examples") or [{}]
        given = copy.deepcopy(examples[turn % len(examples)])
        resource = self.service.resource(operation.get("resource"))
        for member, of in (resource or {}).get("references", {}).items():
            if given.get(member) is not None and self.items.get(of):
                there = self.items[of]
                given[member] = there if isinstance(given[member], list) else there[turn % len(there)]
        return given

    def heard(self, operation, item, answer):
        """What an operation has answered."""
        verb = operation.get("verb")
        if verb in ("create", "replace") and isinstance(answer, dict):
            resource = self.service.resource(operation["resource"])
            made = self.items.setdefault(resource["name"], [])
            id = answer.get(resource["id"], item)
            if id is not None and id not in made:
                made.append(id)
