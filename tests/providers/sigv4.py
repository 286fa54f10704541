"""AWS Signature Version 4, checked from its public description alone: was this
request signed with this secret key?"""
import hashlib
import hmac


def _hmac(key, text):
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


def signed(method, path, headers, body, secret):
    """None if the signature is right, else what is wrong with it."""
    headers = {k.lower(): v for k, v in headers.items()}
    auth = headers.get("authorization", "")
    if not auth.startswith("AWS4-HMAC-SHA256 "):
        return "no signature"
    parts = dict(p.strip().split("=", 1) for p in
                 auth.split(" ", 1)[1].split(","))
    _, date, region, service, end = parts["Credential"].split("/")
    names = parts["SignedHeaders"].split(";")
    for name in ("host", "x-amz-date", "x-amz-target"):
        if name not in names:
            return name + " is not signed"
    if "x-amz-security-token" in headers and \
            "x-amz-security-token" not in names:
        return "the session token is not signed"
    canonical = "\n".join([
        method, path, "",
        "".join("%s:%s\n" % (n, " ".join(headers[n].split()))
                for n in names),
        ";".join(names), hashlib.sha256(body).hexdigest()])
    scope = "/".join((date, region, service, end))
    text = "\n".join(["AWS4-HMAC-SHA256", headers["x-amz-date"], scope,
                      hashlib.sha256(canonical.encode()).hexdigest()])
    key = ("AWS4" + secret).encode()
    for part in (date, region, service, end):
        key = _hmac(key, part)
    right = hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
    return None if hmac.compare_digest(right, parts["Signature"]) \
        else "the signature is another"
