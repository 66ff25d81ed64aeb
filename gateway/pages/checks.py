"""What people fill in, looked at before anything is done with it: addresses, names, new passwords.

Promises: what is refused is told at its field, with what would be right.
"""

from __future__ import annotations

import re

from auth.local.password_rules import SHORTEST, fault_of
from auth.local.passwords import LONGEST
from gateway.pages.forms import Form

ADDRESS = re.compile(r"[^\s@<>\"(),:;\\\[\]\x00-\x20\x7f]{1,64}@[^\s@<>\"(),:;\\\[\]\x00-\x20\x7f]{1,253}")
LONGEST_ADDRESS = 254
LONGEST_NAME = 200
UNFIT = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def checked_email(form: Form, name: str = "email") -> str:
    """The address in a field; what is none is refused."""
    text = form[name].strip()
    if not text:
        form.refuse(name, "email.missing")
    elif len(text) > LONGEST_ADDRESS or not ADDRESS.fullmatch(text) or ".." in text or UNFIT.search(text):
        form.refuse(name, "email.wrong")
    return text


def checked_name(form: Form, name: str = "name") -> str:
    """The name in a field."""
    text = " ".join(form[name].split())
    if not text:
        form.refuse(name, "name.missing")
    elif len(text) > LONGEST_NAME or UNFIT.search(text):
        form.refuse(name, "name.wrong", most=LONGEST_NAME)
    return text


def checked_new_password(form: Form, *own: str, name: str = "password") -> str:
    """The new password in a field; `own` is what it may not be made of."""
    text = form[name]
    fault = fault_of(text, ("plein", *own)) if text else "missing"
    if fault is not None:
        form.refuse(name, f"password.{fault}", least=SHORTEST, most=LONGEST)
    return text
