// Who is signed in: by the browser's session, whose cookie no script reads; or, in development, as anybody, in this tab
// only: by a token in sessionStorage, gone with the tab, which counts before the cookie.
"use strict";
window.pleinSession = (() => {
  const KEY = "plein.session";
  const MARGIN_SECONDS = 60; // a token is renewed this long before its end, so that no request meets the end

  /** The session {token, expiresAt, account}, or null. */
  function current() {
    try {
      return JSON.parse(sessionStorage.getItem(KEY));
    } catch {
      return null;
    }
  }

  function keep(session) {
    if (session) sessionStorage.setItem(KEY, JSON.stringify(session));
    else sessionStorage.removeItem(KEY);
    window.dispatchEvent(new Event("plein:session"));
  }

  let cookieAccount = null;

  /** The name of whoever the browser's session is of, or null. */
  function cookieName() {
    return cookieAccount;
  }

  /** Ask the gateway whose session the browser has. */
  async function askCookie() {
    const query = "{ viewer { account { name } } }";
    const response = await fetch("/graphql", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ query }),
    }).catch(() => null);
    const answer = await response?.json().catch(() => null);
    cookieAccount = answer?.data?.viewer?.account?.name ?? null;
    window.dispatchEvent(new Event("plein:session"));
  }

  /** Sign in as this account. Throws an Error with a sentence for people. */
  async function signIn(accountId) {
    const response = await fetch("/dev/sign-in", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ accountId }),
    });
    const answer = await response.json().catch(() => ({}));
    if (!response.ok) throw new Error(answer.errors?.[0]?.message ?? `Signing in failed (${response.status}).`);
    keep(answer);
    return answer;
  }

  /** Forget the token. */
  function signOut() {
    keep(null);
  }

  /** A new token for the same account; where that fails nobody is signed in any more, and it throws. */
  async function renew() {
    try {
      return await signIn(current().account.id);
    } catch (error) {
      signOut();
      throw new Error(`You have been signed out. ${error.message}`);
    }
  }

  /** The Authorization header's value, renewed in time; null when nobody is signed in. */
  async function authorization() {
    let session = current();
    if (!session) return null;
    if (session.expiresAt - MARGIN_SECONDS < Date.now() / 1000) session = await renew();
    return `Bearer ${session.token}`;
  }

  return { current, cookieName, askCookie, signIn, signOut, renew, authorization };
})();
