"""Tokens, verified against a real HTTP key server; each attack is one that has worked on someone."""

import base64
import contextlib
import hashlib
import hmac
import json
import threading
import time
import uuid
from datetime import timedelta

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import ECAlgorithm, RSAAlgorithm
from werkzeug import Response

from sqlchat.config import ConfigError, Settings
from sqlchat.errors import UnauthorizedError, UnavailableError
from sqlchat.tokens import PublicKeys, TokenVerifier, mint_token

USER = "6f1c3a52-9d0e-4c7b-8a63-2b1f0e9d8c7a"
LEGACY = "a legacy secret of forty characters long"
JWKS_PATH = "/auth/v1/.well-known/jwks.json"
EC_KEY = ec.generate_private_key(ec.SECP256R1())
OTHER_EC_KEY = ec.generate_private_key(ec.SECP256R1())
RSA_KEY = rsa.generate_private_key(65537, 2048)


def jwk(key, kid, **more):
    algorithm, name = (
        (ECAlgorithm, "ES256") if isinstance(key, ec.EllipticCurvePrivateKey) else (RSAAlgorithm, "RS256")
    )
    return algorithm.to_jwk(key.public_key(), as_dict=True) | {"kid": kid, "alg": name, "use": "sig"} | more


class KeyServer:
    """A Supabase project's JWKS endpoint that counts its calls."""

    def __init__(self, server):
        self.keys = [jwk(EC_KEY, "ec"), jwk(RSA_KEY, "rsa")]
        self.answer = None
        self.fetches = 0
        self.url = server.url_for("").rstrip("/")
        server.expect_request(JWKS_PATH).respond_with_handler(self.handle)

    def handle(self, request):
        self.fetches += 1
        return self.answer or Response(json.dumps({"keys": self.keys}), content_type="application/json")


@pytest.fixture
def keys(httpserver):
    return KeyServer(httpserver)


@pytest.fixture
def project(keys, tmp_path):
    return Settings(supabase_url=keys.url + "/", data_dir=tmp_path)


@pytest.fixture
def verifier(project):
    return TokenVerifier(project)


@pytest.fixture
def local(tmp_path):
    return Settings(data_dir=tmp_path)


def claims(issuer=None, **more):
    now = int(time.time())
    base = {"sub": USER, "aud": "authenticated", "role": "authenticated", "email": "ann@example.com", "iat": now}
    base |= {"exp": now + 600} | ({"iss": issuer} if issuer else {}) | more
    return {key: value for key, value in base.items() if value is not None}


def signed(keys, key=EC_KEY, algorithm="ES256", kid="ec", headers=None, **more):
    issued = claims(f"{keys.url}/auth/v1", **more)
    return jwt.encode(issued, key, algorithm=algorithm, headers={"kid": kid} | (headers or {}))


def by_hand(header, payload, secret=b""):
    """A token that no library would sign."""

    def part(data):
        return base64.urlsafe_b64encode(json.dumps(data).encode()).rstrip(b"=")

    body = part(header) + b"." + part(payload)
    mac = base64.urlsafe_b64encode(hmac.new(secret, body, hashlib.sha256).digest()).rstrip(b"=") if secret else b""
    return (body + b"." + mac).decode()


class TestSupabaseKeys:
    @pytest.mark.parametrize(("key", "algorithm", "kid"), [(EC_KEY, "ES256", "ec"), (RSA_KEY, "RS256", "rsa")])
    def test_a_users_token_names_the_user(self, verifier, keys, key, algorithm, kid):
        caller = verifier.verify(signed(keys, key, algorithm, kid))
        assert (caller.id, caller.email) == (USER, "ann@example.com")

    def test_a_user_without_an_address_has_none(self, verifier, keys):
        assert verifier.verify(signed(keys, email="")).email is None
        assert verifier.verify(signed(keys, email=None)).email is None

    def test_a_user_is_one_whatever_the_case_of_the_id(self, verifier, keys):
        assert verifier.verify(signed(keys, sub=USER.upper())).id == USER

    def test_ten_seconds_of_clock_skew_are_forgiven(self, verifier, keys):
        now = int(time.time())
        assert verifier.verify(signed(keys, exp=now - 5))
        assert verifier.verify(signed(keys, iat=now + 5, nbf=now + 5))

    @pytest.mark.parametrize(
        "change",
        [
            {"exp": timedelta(minutes=-1)},
            {"iat": timedelta(hours=1)},
            {"nbf": timedelta(hours=1)},
            {"exp": "soon"},
            {"exp": None},
            {"iat": None},
            {"sub": None},
            {"aud": None},
            {"iss": None},
            {"aud": "anon"},
            {"aud": ["authenticated"]},
            {"aud": ["other", "authenticated"]},
            {"iss": "https://evil.example.com/auth/v1"},
            {"role": "anon"},
            {"role": "service_role"},
            {"role": None},
            {"role": ["authenticated"]},
            {"sub": "ann"},
            {"sub": "{" + USER + "}"},
            {"sub": f"urn:uuid:{USER}"},
            {"sub": USER.replace("-", "")},
            {"sub": f"{USER}\n"},
            {"sub": ""},
        ],
        ids=str,
    )
    def test_a_claim_that_does_not_hold_is_401(self, verifier, keys, change):
        now = int(time.time())
        change = {
            claim: now + int(value.total_seconds()) if isinstance(value, timedelta) else value
            for claim, value in change.items()
        }
        with pytest.raises(UnauthorizedError):
            verifier.verify(signed(keys, **change))

    @pytest.mark.parametrize("change", [{"sub": 7}, {"iss": ["x"]}, {"exp": 1e400}, {"exp": "1e400"}], ids=str)
    def test_a_claim_of_another_type_is_401(self, verifier, keys, change):
        payload = claims(f"{keys.url}/auth/v1")
        signing_input = by_hand({"alg": "ES256", "kid": "ec"}, payload | change).rsplit(".", 1)[0]
        signature = jwt.algorithms.ECAlgorithm(ECAlgorithm.SHA256).sign(signing_input.encode(), EC_KEY)
        token = f"{signing_input}.{base64.urlsafe_b64encode(signature).decode().rstrip('=')}"
        with pytest.raises(UnauthorizedError):
            verifier.verify(token)

    def test_another_keys_signature_is_401(self, verifier, keys):
        with pytest.raises(UnauthorizedError, match="signature"):
            verifier.verify(signed(keys, OTHER_EC_KEY))

    @pytest.mark.parametrize("encoding", ["PEM", "DER"])
    @pytest.mark.parametrize("legacy", ["", LEGACY])
    def test_the_public_key_is_no_hs256_secret(self, keys, tmp_path, encoding, legacy):
        verifier = TokenVerifier(Settings(supabase_url=keys.url, supabase_jwt_secret=legacy, data_dir=tmp_path))
        assert verifier.verify(signed(keys))
        for key, kid in ((EC_KEY, "ec"), (RSA_KEY, "rsa")):
            secret = key.public_key().public_bytes(
                getattr(serialization.Encoding, encoding), serialization.PublicFormat.SubjectPublicKeyInfo
            )
            payload = claims(f"{keys.url}/auth/v1")
            with pytest.raises(UnauthorizedError):
                verifier.verify(by_hand({"alg": "HS256", "kid": kid, "typ": "JWT"}, payload, secret))

    def test_a_key_serves_its_own_algorithm_alone(self, verifier, keys):
        with pytest.raises(UnauthorizedError):
            verifier.verify(signed(keys, RSA_KEY, "RS256", "ec"))
        with pytest.raises(UnauthorizedError):
            verifier.verify(signed(keys, RSA_KEY, "PS256", "rsa"))
        with pytest.raises(UnauthorizedError):
            verifier.verify(signed(keys, RSA_KEY, "RS512", "rsa"))

    def test_a_shared_secret_among_the_public_keys_is_not_used(self, verifier, keys):
        secret = b"published for all to read, 32 bytes"
        keys.keys.append({"kty": "oct", "k": base64.urlsafe_b64encode(secret).decode().rstrip("="), "kid": "oct"})
        token = jwt.encode(claims(f"{keys.url}/auth/v1"), secret, algorithm="HS256", headers={"kid": "oct"})
        with pytest.raises(UnauthorizedError):
            verifier.verify(token)

    @pytest.mark.parametrize("algorithm", ["none", "None", "NONE", "", None, "HS256", "HS512", ["ES256"], 5])
    def test_unsigned_tokens_and_strange_algorithms_are_401(self, verifier, keys, algorithm):
        payload = claims(f"{keys.url}/auth/v1")
        for token in (by_hand({"alg": algorithm, "kid": "ec"}, payload), by_hand({"kid": "ec"}, payload)):
            with pytest.raises(UnauthorizedError):
                verifier.verify(token)

    def test_a_key_that_the_token_brings_along_is_not_used(self, verifier, keys):
        headers = {"jwk": jwk(OTHER_EC_KEY, "mine"), "jku": "http://127.0.0.1:1/jwks.json"}
        with pytest.raises(UnauthorizedError):
            verifier.verify(signed(keys, OTHER_EC_KEY, kid="mine", headers=headers))

    @pytest.mark.parametrize(
        "token",
        ["", ".", "..", "...", "x", "a.b.c", "Bearer", "ü.ü.ü", "\ud800", "e30.e30.", "bnVsbA.bnVsbA.", "\0"],
        ids=repr,
    )
    def test_rubbish_is_401(self, verifier, token):
        with pytest.raises(UnauthorizedError):
            verifier.verify(token)

    @pytest.mark.parametrize("kid", [None, 5, [], {}, "", "x" * 4000], ids=repr)
    def test_a_strange_key_id_is_401(self, verifier, keys, kid):
        with pytest.raises(UnauthorizedError):
            verifier.verify(by_hand({"alg": "ES256", "kid": kid}, claims()))

    def test_a_huge_token_is_401_and_read_by_nobody(self, verifier, keys):
        with pytest.raises(UnauthorizedError, match="8 KB"):
            verifier.verify(signed(keys, padding="x" * 8192))
        assert keys.fetches == 0
        assert verifier.verify(signed(keys, padding="x" * 5000))


class TestFetchingKeys:
    def test_200_tokens_with_unknown_key_ids_cause_at_most_two_fetches(self, verifier, keys):
        def flood():
            for _ in range(25):
                with contextlib.suppress(UnauthorizedError):
                    verifier.verify(signed(keys, OTHER_EC_KEY, kid=str(uuid.uuid4())))

        threads = [threading.Thread(target=flood) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert keys.fetches <= 2
        assert verifier.verify(signed(keys))
        assert keys.fetches <= 2

    @pytest.mark.parametrize("body", ['{"keys": []}', "rubbish", "[]", '{"keys": 5}', '{"keys": [{"kty": "EC"}]}'])
    def test_a_flood_causes_few_fetches_from_an_empty_or_broken_endpoint_too(self, verifier, keys, body):
        keys.answer = Response(body, content_type="application/json")
        for _ in range(50):
            with contextlib.suppress(UnauthorizedError, UnavailableError):
                verifier.verify(signed(keys))
        assert keys.fetches <= 2

    def test_a_new_key_is_found_after_the_cooldown(self, verifier, keys, monkeypatch):
        verifier.verify(signed(keys))
        keys.keys.append(jwk(OTHER_EC_KEY, "new"))
        with pytest.raises(UnauthorizedError):
            verifier.verify(signed(keys, OTHER_EC_KEY, kid="new"))
        let_time_pass(monkeypatch, PublicKeys.COOLDOWN + 1)
        assert verifier.verify(signed(keys, OTHER_EC_KEY, kid="new"))
        assert keys.fetches == 2

    def test_a_key_that_was_withdrawn_is_401_after_ten_minutes(self, verifier, keys, monkeypatch):
        token = signed(keys, exp=int(time.time()) + 7200)
        verifier.verify(token)
        keys.keys = [jwk(RSA_KEY, "rsa")]
        let_time_pass(monkeypatch, PublicKeys.LIFESPAN + 1)
        with pytest.raises(UnauthorizedError):
            verifier.verify(token)

    @pytest.mark.parametrize("status", [500, 404, 302])
    def test_without_any_keys_it_is_503_and_recovers(self, verifier, keys, status, monkeypatch):
        keys.answer = Response("x", status, headers={"Location": "/elsewhere"})
        with pytest.raises(UnavailableError) as caught:
            verifier.verify(signed(keys))
        assert caught.value.retry_after
        keys.answer = None
        let_time_pass(monkeypatch, PublicKeys.COLD_COOLDOWN + 1)
        assert verifier.verify(signed(keys))

    def test_with_keys_at_hand_it_goes_on_without_the_endpoint(self, verifier, keys, monkeypatch):
        token = signed(keys)
        verifier.verify(token)
        keys.answer = Response("x", 500)
        let_time_pass(monkeypatch, PublicKeys.LIFESPAN + 1)
        for _ in range(20):
            assert verifier.verify(token)
        assert keys.fetches == 2

    def test_keys_do_not_serve_for_ever_without_the_endpoint(self, verifier, keys, monkeypatch):
        verifier.verify(signed(keys))
        keys.answer = Response("x", 500)
        let_time_pass(monkeypatch, PublicKeys.STALE + 1)
        with pytest.raises(UnavailableError):
            verifier.verify(signed(keys))

    def test_nobody_listening_is_503(self, tmp_path):
        verifier = TokenVerifier(Settings(supabase_url="http://127.0.0.1:9", data_dir=tmp_path))
        token = jwt.encode(claims(), EC_KEY, algorithm="ES256", headers={"kid": "ec"})
        with pytest.raises(UnavailableError):
            verifier.verify(token)


def let_time_pass(monkeypatch, seconds):
    """Move the monotonic clock, which only the cache of keys goes by."""
    real = time.monotonic
    monkeypatch.setattr("sqlchat.tokens.time.monotonic", lambda: real() + seconds)


class TestLegacySecret:
    @pytest.fixture
    def settings(self, tmp_path):
        return Settings(supabase_jwt_secret=LEGACY, data_dir=tmp_path)

    def test_its_tokens_are_valid(self, settings):
        token = jwt.encode(claims("https://whoever.supabase.co/auth/v1"), LEGACY, algorithm="HS256")
        assert TokenVerifier(settings).verify(token).id == USER

    def test_with_the_url_known_its_issuer_must_fit(self, keys, tmp_path):
        verifier = TokenVerifier(Settings(supabase_url=keys.url, supabase_jwt_secret=LEGACY, data_dir=tmp_path))
        assert verifier.verify(jwt.encode(claims(f"{keys.url}/auth/v1"), LEGACY, algorithm="HS256"))
        with pytest.raises(UnauthorizedError):
            verifier.verify(jwt.encode(claims("https://whoever.supabase.co/auth/v1"), LEGACY, algorithm="HS256"))

    def test_without_the_url_there_are_no_public_keys(self, settings, keys):
        with pytest.raises(UnauthorizedError):
            TokenVerifier(settings).verify(signed(keys))

    def test_local_tokens_are_not_valid(self, settings, local):
        with pytest.raises(UnauthorizedError):
            TokenVerifier(settings).verify(mint_token(local, "ann@example.com"))

    def test_it_mints(self, settings):
        assert TokenVerifier(settings).verify(mint_token(settings, "ann@example.com")).email == "ann@example.com"


class TestLocalTokens:
    def test_a_minted_token_is_its_users(self, local):
        caller = TokenVerifier(local).verify(mint_token(local, "me@example.com"))
        assert caller.email == "me@example.com"
        assert caller.id == TokenVerifier(local).verify(mint_token(local, "ME@example.com")).id
        assert caller.id != TokenVerifier(local).verify(mint_token(local, "you@example.com")).id

    def test_the_id_may_be_chosen(self, local):
        assert TokenVerifier(local).verify(mint_token(local, "me@example.com", USER)).id == USER
        with pytest.raises(UnauthorizedError):
            mint_token(local, "me@example.com", "me")

    def test_another_services_token_is_401(self, local, tmp_path):
        with pytest.raises(UnauthorizedError):
            TokenVerifier(local).verify(mint_token(Settings(data_dir=tmp_path / "other"), "me@example.com"))

    def test_tokens_outlive_a_rotation_of_the_key(self, tmp_path):
        old, new = "old-" * 10, "new-" * 10
        token = mint_token(Settings(data_dir=tmp_path, secret_key=old), "me@example.com")
        assert TokenVerifier(Settings(data_dir=tmp_path, secret_key=f"{new},{old}")).verify(token)
        with pytest.raises(UnauthorizedError):
            TokenVerifier(Settings(data_dir=tmp_path, secret_key=new)).verify(token)

    def test_the_secret_key_itself_signs_nothing(self, tmp_path):
        key = "k" * 40
        token = jwt.encode(claims("sqlchat"), key, algorithm="HS256")
        with pytest.raises(UnauthorizedError):
            TokenVerifier(Settings(data_dir=tmp_path, secret_key=key)).verify(token)

    def test_only_supabase_mints_where_it_signs_with_key_pairs(self, project):
        with pytest.raises(ConfigError, match="Supabase"):
            mint_token(project, "me@example.com")

    def test_local_tokens_stop_once_supabase_is_configured(self, local, verifier):
        with pytest.raises(UnauthorizedError):
            verifier.verify(mint_token(local, "me@example.com"))
