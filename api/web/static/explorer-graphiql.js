// GraphiQL over this very address, with the documented operations in its sidebar and a sign-in.
// It is loaded after GraphiQL and React, which are no modules: they are globals.

import { kept, operations, send } from "./explorer-send.js";
import { Session } from "./explorer-session.js";

const { GraphiQL, React, ReactDOM } = globalThis;
const { createElement: h, useEffect, useMemo, useRef, useState } = React;
const { PluginContextProvider, useEditorContext } = GraphiQL.React;
const named = (name) => operations.find((operation) => operation.name === name);

const FIRST = `# Choose an operation on the left, or write your own; Ctrl-Enter runs it.
# Ctrl-Space says what can stand at the cursor.

${named("viewer").document}`;

const OPERATIONS = {
  title: "Operations",
  icon: () =>
    h(
      "svg",
      { viewBox: "0 0 24 24", fill: "none", stroke: "currentColor", strokeWidth: 1.5 },
      h("path", { d: "M9 6h11M9 12h11M9 18h11M4 6h.01M4 12h.01M4 18h.01", strokeLinecap: "round" }),
    ),
  content: Menu,
};
const PLUGINS = [OPERATIONS];

// GraphiQL decides how its panes stand before it learns which of them is to be seen, so it is told
// beforehand; they share one store.
function Opened() {
  const [told, setTold] = useState(false);
  useEffect(() => setTold(true), []);
  return told
    ? h(App)
    : h(PluginContextProvider, { plugins: PLUGINS, visiblePlugin: OPERATIONS }, null);
}

function App() {
  // Whoever asks, by the token they came with.
  const [asking, setAsking] = useState(kept());
  const [account, setAccount] = useState(null);
  const session = useMemo(() => new Session((token, renewed) => renewed || setAsking(token)), []);
  // With another person it is another fetcher, so that GraphiQL reads the schema again.
  const fetcher = useMemo(() => fetcherOf(session, () => setAccount(null)), [asking]);

  useEffect(() => {
    let current = true;
    accountOf(session.token).then((found) => current && setAccount(found));
    return () => {
      current = false;
    };
  }, [asking]);

  return h(
    GraphiQL,
    {
      fetcher,
      storage: storage(),
      plugins: PLUGINS,
      visiblePlugin: OPERATIONS,
      defaultQuery: FIRST,
      defaultEditorToolsVisibility: "variables",
      showPersistHeadersSettings: false,
      forcedTheme: document.documentElement.dataset.theme,
    },
    h(GraphiQL.Logo, null, h(Account, { account, session })),
  );
}

function Menu() {
  const editor = useEditorContext();
  const wanted = useRef(null);

  // A new tab is empty only after it was drawn.
  useEffect(() => {
    if (wanted.current === null) return;
    const { document: text, variables } = wanted.current;
    wanted.current = null;
    editor.queryEditor.setValue(text);
    const hasSome = Object.keys(variables).length > 0;
    editor.variableEditor.setValue(hasSome ? JSON.stringify(variables, null, 2) : "");
  }, [editor.activeTabIndex]);

  function open(operation) {
    const index = editor.tabs.findIndex(({ query }) => query === operation.document);
    if (index >= 0) return editor.changeTab(index);
    wanted.current = operation;
    editor.addTab();
  }

  const groups = [...new Set(operations.map(({ group }) => group))];
  return h(
    "nav",
    { className: "operations", "aria-label": "Documented operations" },
    h("h2", null, "Operations"),
    groups.map((group) =>
      h(
        "section",
        { key: group },
        h("h3", null, group),
        h(
          "ul",
          null,
          operations
            .filter((operation) => operation.group === group)
            .map((operation) => h(Entry, { key: operation.name, operation, open })),
        ),
      ),
    ),
  );
}

function Entry({ operation, open }) {
  const [kind] = operation.document.split(" ", 1);
  return h(
    "li",
    null,
    h(
      "button",
      { type: "button", onClick: () => open(operation), "data-operation": operation.name },
      h("span", null, operation.title),
      kind === "query" ? null : h("small", { className: kind }, kind),
    ),
  );
}

function Account({ account, session }) {
  const dialog = useRef(null);
  const close = () => dialog.current.close();
  return h(
    "div",
    { className: "account" },
    account
      ? h(
          React.Fragment,
          null,
          h("span", { id: "account" }, `${account.name} · ${account.tenant.name}`),
          h("button", { type: "button", onClick: () => session.signOut() }, "Sign out"),
        )
      : h(
          React.Fragment,
          null,
          h("span", { id: "account" }, "Not signed in"),
          h(
            "button",
            { type: "button", className: "wanted", onClick: () => dialog.current.showModal() },
            "Sign in",
          ),
        ),
    h(
      "dialog",
      { ref: dialog, "aria-labelledby": "sign-in-title" },
      h("h2", { id: "sign-in-title" }, "Sign in"),
      h(PasswordForm, { session, close }),
      h("p", { className: "or" }, "or with what you have"),
      h(TokenForm, { session, close }),
      h("p", { className: "hint" }, "Tokens are kept in this tab only, and forgotten with it."),
      h("button", { type: "button", onClick: close }, "Cancel"),
    ),
  );
}

function PasswordForm({ session, close }) {
  const [fault, setFault] = useState("");

  async function submit(event) {
    event.preventDefault();
    const { email, password, tenant } = Object.fromEntries(new FormData(event.target));
    const input = { email, password, ...(tenant ? { tenant } : {}) };
    const refusal = await session.signIn(input);
    setFault(refusal?.message ?? "");
    if (!refusal) close();
  }

  return h(
    "form",
    { onSubmit: submit },
    h(Field, { label: "E-mail", name: "email", type: "email", autoComplete: "username", required: true }),
    h(Field, {
      label: "Password",
      name: "password",
      type: "password",
      autoComplete: "current-password",
      required: true,
    }),
    h(Field, { label: "Company, if you are in several", name: "tenant", autoComplete: "off" }),
    h("p", { className: "fault", role: "alert" }, fault),
    h("button", { type: "submit", className: "wanted" }, "Sign in"),
  );
}

function TokenForm({ session, close }) {
  const [fault, setFault] = useState("");

  async function submit(event) {
    event.preventDefault();
    const token = new FormData(event.target).get("token").trim();
    const account = await accountOf(token);
    setFault(account ? "" : "It is not good, or not any more.");
    if (!account) return;
    session.use(token);
    close();
  }

  return h(
    "form",
    { onSubmit: submit },
    h(Field, {
      label: "Access token or API key",
      name: "token",
      type: "password",
      autoComplete: "off",
      required: true,
    }),
    h("p", { className: "fault", role: "alert" }, fault),
    h("button", { type: "submit" }, "Use it"),
  );
}

function Field({ label, ...input }) {
  return h("label", null, label, h("input", input));
}

async function accountOf(token) {
  if (!token) return null;
  const query = "{ viewer { name tenant { name } } }";
  try {
    const { answer } = await send({ query }, { token });
    return answer.data?.viewer ?? null;
  } catch {
    return null; // The server does not answer; whatever is run next will say so.
  }
}

function fetcherOf(session, lost) {
  return async ({ query, variables, operationName }, { headers } = {}) => {
    const aborter = new AbortController();
    // GraphiQL notices a moment late that its editor holds another operation.
    const named = new RegExp(`\\b(query|mutation|subscription)\\s+${operationName}\\b`).test(query);
    const request = { query, variables, operationName: named ? operationName : undefined };
    const reply = await session.send(request, { headers, signal: aborter.signal });
    if (reply.events) return observable(reply.events, aborter);
    if (reply.response.status === 401) lost();
    return reply.answer;
  };
}

function observable(events, aborter) {
  return {
    subscribe({ next, error, complete }) {
      (async () => {
        for await (const answer of events) next(answer);
        complete();
      })().catch((fault) => aborter.signal.aborted || error(fault));
      return { unsubscribe: () => aborter.abort() };
    },
  };
}

function storage() {
  try {
    return sessionStorage; // Not the local one: what is written here may hold a password.
  } catch {
    return null;
  }
}

const place = document.getElementById("explorer");
// By this name the library that GraphiQL's dialogs are made of looks for it.
globalThis.__webpack_nonce__ = place.dataset.nonce;
ReactDOM.createRoot(place).render(h(Opened));
