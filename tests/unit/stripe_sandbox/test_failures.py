"""The sandbox's bad days: keys, lost answers, 429 and 500, restarts and torn files."""

import json
import subprocess
import sys
import threading

import pytest
import stripe

from infra.stripe_sandbox.server import Sandbox
from infra.stripe_sandbox.store import Store, StoreBusy, StoreDamaged
from tests.unit.stripe_sandbox.conftest import KEY, SECRET

CREATE = {"on": "request", "method": "POST", "path": "/v1/payment_intents"}


def intents(client):
    return client.v1.payment_intents.list({"limit": 100}).data


def test_the_same_key_gives_the_same_answer(client, pay):
    first, again = pay(key="charge:1:1"), pay(key="charge:1:1")
    assert first.id == again.id
    assert again.last_response.headers["Idempotent-Replayed"] == "true"
    assert len(intents(client)) == 1
    with pytest.raises(stripe.IdempotencyError):
        pay(key="charge:1:1", amount=10_001)


def test_a_decline_is_replayed_too(client, pay):
    for _ in range(2):
        with pytest.raises(stripe.CardError):
            pay(key="k", payment_method="pm_card_chargeDeclined")
    assert len(intents(client)) == 1


def test_keys_are_pruned_after_a_day(client, pay, admin):
    first = pay(key="k")
    assert admin("clock", advance_s=24 * 3600 - 60)["pruned"] == 0
    assert pay(key="k").id == first.id
    assert admin("clock", advance_s=60)["pruned"] == 1
    assert pay(key="k").id != first.id


def test_a_parallel_request_with_the_key_is_409_and_the_first_one_counts(client, pay, admin):
    admin("scripts", **CREATE, fault="hang", seconds=0.6)
    outcomes = []

    def try_once():
        try:
            outcomes.append(pay(key="k").status)
        except stripe.StripeError as refused:
            outcomes.append((refused.http_status, refused.error.code))

    threads = [threading.Thread(target=try_once) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes, key=str) == [(409, "idempotency_key_in_use"), "succeeded"]
    assert len(intents(client)) == 1


def test_429_does_nothing_and_keeps_nothing(client, pay, admin):
    admin("scripts", **CREATE, fault="status", status=429)
    with pytest.raises(stripe.RateLimitError):
        pay(key="k")
    assert intents(client) == []
    assert pay(key="k").status == "succeeded"


def test_a_500_is_replayed_for_its_key(client, pay, admin):
    admin("scripts", **CREATE, fault="status", status=500)
    for _ in range(2):
        with pytest.raises(stripe.APIError) as refused:
            pay(key="k")
    assert refused.value.headers["Idempotent-Replayed"] == "true"
    assert intents(client) == []
    assert pay(key="k:2").status == "succeeded"


def test_a_500_after_the_commit_hides_a_charge(client, pay, admin):
    admin("scripts", **CREATE, fault="status_after_commit", status=500)
    for _ in range(2):
        with pytest.raises(stripe.APIError):
            pay(key="k")
    assert [intent.status for intent in intents(client)] == ["succeeded"]


def test_a_lost_answer_is_found_again_by_its_key(client, pay, admin):
    admin("scripts", **CREATE, fault="lose_answer")
    with pytest.raises(stripe.APIConnectionError):
        pay(key="k")
    assert pay(key="k").id == intents(client)[0].id
    assert len(intents(client)) == 1


def test_a_dropped_request_did_nothing(client, pay, admin):
    admin("scripts", **CREATE, fault="drop")
    with pytest.raises(stripe.APIConnectionError):
        pay(key="k")
    assert intents(client) == []


def test_the_sdk_rides_out_two_bad_answers(sandbox, admin):
    patient = stripe.StripeClient(KEY, base_addresses={"api": sandbox.url}, max_network_retries=2)
    admin("scripts", **CREATE, fault="lose_answer")
    params = {"amount": 500, "currency": "eur", "payment_method": "pm_card_visa", "confirm": True}
    assert patient.v1.payment_intents.create(params, {"idempotency_key": "k"}).status == "succeeded"
    assert len(intents(patient)) == 1


def test_a_decline_can_be_scripted(client, pay, admin):
    admin("scripts", on="card", decline="insufficient_funds")
    with pytest.raises(stripe.CardError) as refused:
        pay()
    assert refused.value.error.decline_code == "insufficient_funds"
    assert pay().status == "succeeded"


@pytest.mark.parametrize("script", [{"on": "moon"}, {"on": "card", "fault": "drop"}, {"on": "webhook", "action": []}])
def test_a_script_that_cannot_be_understood_is_refused(admin, script):
    with pytest.raises(Exception, match="400"):
        admin("scripts", **script)


def test_a_restart_forgets_nothing(path, sandbox, pay):
    intent = pay(key="k", metadata={"payment_id": "p1"})
    sandbox.stop()
    with_restart = Sandbox(path, api_key=KEY, webhook_secret=SECRET).start()
    try:
        client = stripe.StripeClient(KEY, base_addresses={"api": with_restart.url}, max_network_retries=0)
        found = client.v1.payment_intents.retrieve(intent.id)
        assert found.to_dict() == intent.to_dict()
        params = {"amount": 10_000, "currency": "eur", "payment_method": "pm_card_visa", "confirm": True}
        params["metadata"] = {"payment_id": "p1"}
        assert client.v1.payment_intents.create(params, {"idempotency_key": "k"}).id == intent.id
    finally:
        with_restart.stop()
        sandbox.stop = lambda: None


def test_kill_9_of_the_process_loses_nothing(path):
    (path.parent / "key").write_text(KEY)
    (path.parent / "secret").write_text(SECRET)
    process, client = start_process(path)
    params = {"amount": 500, "currency": "eur", "payment_method": "pm_card_visa", "confirm": True}
    intent = client.v1.payment_intents.create(params)
    process.kill()
    process.wait()
    process, client = start_process(path)
    assert client.v1.payment_intents.retrieve(intent.id).to_dict() == intent.to_dict()
    process.terminate()
    assert process.wait(timeout=10) == 0


def start_process(path):
    folder = path.parent
    files = ["--key-file", folder / "key", "--webhook-secret-file", folder / "secret"]
    command = [sys.executable, "-m", "infra.stripe_sandbox", "--data", path, "--port", "0", *files]
    command += ["--webhook-url", "http://127.0.0.1:9/"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    while "listens on" not in (line := process.stderr.readline()):
        assert line, "the sandbox did not start"
    url = line.split()[-1]
    return process, stripe.StripeClient(KEY, base_addresses={"api": url}, max_network_retries=0)


def test_a_torn_last_line_is_cut_and_a_damaged_one_is_refused(path):
    store = Store(path)
    with store.transaction():
        store.put("things", {"id": "a"})
    with pytest.raises(StoreBusy):
        Store(path)
    store.close()
    whole = path.read_bytes()
    path.write_bytes(whole + b'[["things","b",{"id"')
    store = Store(path)
    assert (store.get("things", "a"), store.get("things", "b")) == ({"id": "a"}, None)
    store.close()
    assert path.read_bytes() == whole
    path.write_bytes(b"nonsense\n" + whole)
    with pytest.raises(StoreDamaged, match="line 1"):
        Store(path)


def test_a_failed_transaction_changes_nothing(path):
    store = Store(path)
    with store.transaction():
        store.put("things", {"id": "a", "n": 1})
    with pytest.raises(ZeroDivisionError), store.transaction():
        store.put("things", {"id": "a", "n": 2})
        store.drop("things", "a")
        store.put("things", {"id": "b"})
        raise ZeroDivisionError
    assert store.oldest_first("things") == [{"id": "a", "n": 1}]
    assert len(path.read_bytes().splitlines()) == 1
    store.close()


def test_a_long_file_is_made_short_at_the_start(path, monkeypatch):
    monkeypatch.setattr("infra.stripe_sandbox.store.COMPACT_ABOVE_LINES", 10)
    store = Store(path)
    for number in range(20):
        with store.transaction():
            store.put("things", {"id": str(number % 3), "n": number})
    store.close()
    store = Store(path)
    assert [row["n"] for row in store.oldest_first("things")] == [18, 19, 17]
    assert len(path.read_bytes().splitlines()) == 1
    assert len(json.loads(path.read_bytes())) == 3
    store.close()
