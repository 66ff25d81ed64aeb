// The page itself: the bar with who is signed in, the panel to sign in from (development only), and GraphiQL.
"use strict";
(() => {
  const session = window.pleinSession;
  const at = (id) => document.getElementById(id);
  const [who, enter, choose, leave, panel, notice] = ["who", "enter", "choose", "leave", "accounts", "notice"].map(at);
  const isDevelopment = document.documentElement.dataset.mode === "development";

  function showViewer() {
    const current = session.current();
    const name = current ? current.account.name : window.pleinSession.cookieName();
    who.textContent = name ?? "Not signed in";
    enter.hidden = Boolean(name);
    choose.hidden = !isDevelopment;
    choose.textContent = current ? "Switch" : "Sign in as";
    leave.hidden = !name;
    for (const button of panel.querySelectorAll("li button")) {
      if (button.dataset.id === current?.account.id) button.setAttribute("aria-current", "true");
      else button.removeAttribute("aria-current");
    }
  }

  function say(text) {
    notice.textContent = text;
  }

  function openPanel(open) {
    panel.hidden = !open;
    choose.setAttribute("aria-expanded", String(open));
    if (open) panel.querySelector("li button")?.focus();
  }

  function words({ platformRole, siteRole }) {
    const best = siteRole ? `${siteRole.toLowerCase()} of a site` : "on no site yet";
    return platformRole === "NONE" ? best : `${platformRole.toLowerCase()} of the platform, ${best}`;
  }

  function row(account) {
    const item = document.createElement("li");
    const button = document.createElement("button");
    const parts = [
      ["strong", account.name],
      ["span", account.siteCount === 1 ? "1 site" : `${account.siteCount} sites`],
      ["span", words(account)],
    ];
    for (const [tag, text] of parts) button.appendChild(document.createElement(tag)).textContent = text;
    button.type = "button";
    button.dataset.id = account.id;
    button.addEventListener("click", () => signIn(account));
    item.append(button);
    return item;
  }

  async function signIn(account) {
    try {
      await session.signIn(account.id);
      say("");
      openPanel(false);
      choose.focus();
    } catch (error) {
      say(error.message);
    }
  }

  async function loadAccounts() {
    const response = await fetch("/dev/accounts").catch(() => null);
    const answer = await response?.json().catch(() => null);
    if (!response?.ok) return say(answer?.errors?.[0]?.message ?? "The accounts could not be read.");
    panel.querySelector("ul").replaceChildren(...answer.accounts.map(row));
    if (!answer.accounts.length) {
      const [start, command, end] = ["There are no accounts yet. ", "plein demo", " fills the square with them."];
      const hint = panel.querySelector("p");
      const code = document.createElement("code");
      code.textContent = command;
      hint.replaceChildren(start, code, end);
    }
    showViewer();
  }

  at("place").textContent = location.host;
  choose.addEventListener("click", async () => {
    if (panel.hidden) await loadAccounts();
    openPanel(panel.hidden);
  });
  leave.addEventListener("click", () => {
    if (session.current()) session.signOut();
    else location.assign("/sign-out"); // a page that asks, as only a form of ours ends a session
  });
  window.addEventListener("plein:session", showViewer);
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && !panel.hidden) {
      openPanel(false);
      choose.focus();
    }
  });
  document.addEventListener("click", (event) => {
    if (!panel.hidden && !panel.contains(event.target) && event.target !== choose) openPanel(false);
  });
  showViewer();
  session.askCookie();

  /** Whether this browser comes here for the first time: then the examples are shown, with a site that exists. */
  async function welcome() {
    if (localStorage.getItem("graphiql:tabState")) return;
    const query = "{ sites(first: 50) { edges { node { id slug access } } } }";
    const answer = await window.pleinFetcher({ query }).catch(() => null);
    const sites = (answer?.data?.sites?.edges ?? []).map((edge) => edge.node);
    const site = sites.find((each) => each.access === "PUBLIC") ?? sites[0];
    const variables = JSON.stringify({ slug: site?.slug ?? "" }, null, 2);
    window.pleinExamples[0].variables = variables;
    window.pleinExamples.at(-1).variables = JSON.stringify({ site: site?.id ?? "" }, null, 2);
    // GraphiQL takes the first tab's query from `defaultTabs`, but its variables from here only.
    localStorage.setItem("graphiql:variables", variables);
  }

  welcome().then(() =>
    window.ReactDOM.createRoot(at("graphiql")).render(
      window.React.createElement(window.GraphiQL, {
        fetcher: window.pleinFetcher,
        defaultTabs: window.pleinExamples,
        shouldPersistHeaders: false,
        defaultEditorToolsVisibility: "variables",
      }),
    ),
  );
})();
