"""Lets strangers' tools judge a built workspace: its documents, and its services, which run meanwhile.

    python tests/judges/judge.py --workspace target/workspaces/shop --programs target/workspaces/target/shop/debug

Each judge has every service that it is made for, and says what it has exercised: less than the contracts declare is a
failure. Then it has one on a spoiled copy and must object. `exceptions.toml` lists where a judge is wrong.
"""

import argparse
import os
import random
import sys
import time
import traceback

import abuse
import abuse_graphql
import abuse_grpc
import documents
import fuzz
import graphql_http
import grpc_client
import headers
import streams
from system import System
from verdict import Exceptions, Verdict

JUDGES = [
    documents.OpenApi(),
    documents.Buf(),
    documents.AsyncApi(),
    documents.Sdl(),
    headers.Headers(),
    graphql_http.Audit(),
    grpc_client.Reflection(),
    streams.Events(),
    streams.WebSockets(),
    streams.Talks(),
    abuse.Abuse(),
    abuse_grpc.AbuseGrpc(),
    abuse_graphql.AbuseGraphql(),
    fuzz.Fuzz(),
]
# More would be no news.
SHOWN = 40


class Court:
    """What was judged, counted."""

    def __init__(self, seed, thorough):
        self.seed, self.thorough = seed, thorough
        self.exceptions = Exceptions()
        self.passed = self.failed = 0

    def verdict(self, judge, service, **settings):
        verdict = Verdict(judge.name, self.exceptions)
        try:
            judge.judge(service, verdict, Depth(self.seed, self.thorough, **settings))
        except Exception:
            verdict.find("broken off", service.name, traceback.format_exc())
        return verdict

    def hear(self, judge, services):
        """One judge, each service that it is made for, and one of them spoiled."""
        known = set()
        for service in services:
            start = time.monotonic()
            verdict = self.verdict(judge, service)
            known |= {rule for rule, _, _ in verdict.findings} | {"broken off", "coverage"}
            self.outcome(not verdict.findings, f"{judge.name} {service.name}: {verdict}", start)
            for rule, where, message in verdict.findings[:SHOWN]:
                print(f"  {rule} at {where}: {message}")
            if len(verdict.findings) > SHOWN:
                print(f"  … and {len(verdict.findings) - SHOWN} more")
        start = time.monotonic()
        with judge.spoiled(services[0]) as spoiled:
            verdict = self.verdict(judge, spoiled, spoiled=True)
        objections = [rule for rule, _, _ in verdict.findings if rule not in known]
        heard = f"objects with {objections[0]}" if objections else f"has nothing to say but {verdict.findings}"
        self.outcome(objections, f"{judge.name} {services[0].name}, spoiled: {heard}", start)

    def outcome(self, good, what, start):
        print(f"{'ok    ' if good else 'FAILED'} {what} ({time.monotonic() - start:.1f} s)", flush=True)
        self.passed, self.failed = self.passed + bool(good), self.failed + (not good)


class Depth:
    """How far a judge goes."""

    def __init__(self, seed, thorough, spoiled=False):
        self.seed, self.thorough, self.spoiled = seed, thorough, spoiled


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--workspace", required=True)
    parser.add_argument("--programs", required=True, help="the folder with its built services")
    parser.add_argument("--judges", help="only these: fuzz,headers")
    parser.add_argument("--thorough", action="store_true", help="many more cases")
    args = parser.parse_args()
    seed = int(os.environ.get("JUDGES_SEED", random.randrange(2**32)))
    print(f"JUDGES_SEED={seed}")
    court = Court(seed, args.thorough)
    wanted = args.judges.split(",") if args.judges else [judge.name for judge in JUDGES]
    with System(args.workspace, args.programs) as system:
        drips = [abuse.Drip(service) for service in system.services if service.document("openapi.json")]
        for judge in JUDGES:
            services = [service for service in system.services if judge.wants(service)]
            if judge.name in wanted and services:
                court.hear(judge, services)
        start, verdict = time.monotonic(), Verdict("drip", court.exceptions)
        for drip in drips:
            drip.verdict(verdict)
        court.outcome(not verdict.findings, f"slow callers: {verdict} {verdict.findings or ''}", start)
        start, troubles = time.monotonic(), system.troubles()
        court.outcome(not troubles, "\n  ".join(["all services go on, and none has panicked", *troubles]), start)
    ok = "ok" if court.failed == 0 else "FAILED"
    print(f"test result: {ok}. {court.passed} passed; {court.failed} failed; 0 ignored")
    return 0 if court.failed == 0 else 1


if __name__ == "__main__":
    sys.exit(main())
