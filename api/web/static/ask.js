// How the pages that mails lead to speak to the API, and to the person in front of them.

export const byId = (id) => document.getElementById(id);

// The secret of the link.  It never leaves this page but in the body of a request.
export function tokenOfLink() {
  return new URLSearchParams(location.hash.slice(1)).get("token") ?? "";
}

// A used link opens nothing any more, but need not stand in the history either.
export function forgetLink() {
  history.replaceState(null, "", location.pathname);
}

export async function ask(query, variables) {
  const response = await fetch("/graphql", {
    method: "POST",
    headers: { "content-type": "application/json", accept: "application/graphql-response+json" },
    body: JSON.stringify({ query, variables }),
  });
  const { data, errors } = await response.json();
  if (errors?.length) throw new Error(errors[0].message);
  return data;
}

// Runs what a form is for when it is sent, once at a time, and says how it went.
export function onSubmit(form, run) {
  const button = form.querySelector("button");
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    button.disabled = true;
    say("One moment …");
    try {
      await run();
    } catch (error) {
      complain(String(error.message ?? error));
    } finally {
      button.disabled = false;
    }
  });
}

// Returns whether everything went well; else says what did not, where it belongs.
export function accepted(refusals, fields) {
  for (const input of Object.values(fields)) input.removeAttribute("aria-invalid");
  if (!refusals.length) return true;
  const fault = refusals[0];
  const input = fields[fault.path[0]];
  input?.setAttribute("aria-invalid", "true");
  input?.focus();
  complain(fault.message);
  return false;
}

export function say(words) {
  byId("outcome").dataset.tone = "idle";
  byId("outcome").textContent = words;
}

export function succeed(words) {
  byId("outcome").dataset.tone = "good";
  byId("outcome").textContent = words;
}

export function complain(words) {
  byId("outcome").dataset.tone = "bad";
  byId("outcome").textContent = words;
}
