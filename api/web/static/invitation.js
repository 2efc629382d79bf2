// Accepts the invitation whose link led here.

import { accepted, ask, byId, complain, forgetLink, onSubmit, succeed, tokenOfLink } from "./ask.js";

const ENDS = {
  ACCEPTED: "It was accepted already, so there is nothing left to do. Sign in as usual.",
  REVOKED: "It was taken back. Ask whoever invited you for a new one.",
  EXPIRED: "Its time is over. Ask whoever invited you for a new one.",
};
const form = byId("accept");
const token = tokenOfLink();

try {
  show((await ask(form.dataset.preview, { token })).invitationPreview);
} catch (error) {
  byId("lede").textContent = "";
  complain(String(error.message ?? error));
}

function show(invitation) {
  if (invitation?.state !== "PENDING") {
    byId("title").textContent = "This invitation cannot be accepted";
    byId("lede").textContent =
      ENDS[invitation?.state] ??
      "The link is incomplete, or there is a newer one. Open it from the latest mail.";
    return;
  }
  const { tenantName, inviterName, email, name, hasAccount } = invitation;
  byId("lede").textContent = inviterName
    ? `${inviterName} invites you to join ${tenantName}.`
    : `You are invited to join ${tenantName}.`;
  byId("email").value = email;
  byId("name").value = name ?? "";
  if (hasAccount) askForOldPassword();
  form.hidden = false;
}

// Whoever has an account here signs in with its password, old rules or new.
function askForOldPassword() {
  const password = byId("password");
  password.autocomplete = "current-password";
  password.removeAttribute("minlength");
  byId("password-label").textContent = "Your password";
  byId("password-hint").textContent = "You have an account here already; use its password.";
}

onSubmit(form, async () => {
  const name = byId("name");
  const password = byId("password");
  const input = { token, name: name.value, password: password.value };
  const { session, userErrors } = (await ask(form.dataset.accept, { input })).invitationAccept;
  if (!accepted(userErrors, { name, password })) return;
  forgetLink();
  form.hidden = true;
  byId("title").textContent = `Welcome, ${session.user.name}`;
  byId("lede").textContent = "";
  succeed(`You are in. From now on, sign in to ${session.tenant.name} with your address and password.`);
});
