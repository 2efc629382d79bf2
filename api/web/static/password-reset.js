// With a link: takes a new password.  Without: has a link mailed.

import { accepted, ask, byId, forgetLink, onSubmit, succeed, tokenOfLink } from "./ask.js";

const token = tokenOfLink();
const request = byId("request");
const reset = byId("reset");
(token ? reset : request).hidden = false;

onSubmit(request, async () => {
  const email = byId("email");
  const input = { email: email.value };
  const { userErrors } = (await ask(request.dataset.document, { input })).passwordResetRequest;
  if (!accepted(userErrors, { email })) return;
  request.hidden = true;
  succeed("If there is an account with this address, a link is on its way. It works for an hour.");
});

onSubmit(reset, async () => {
  const newPassword = byId("new-password");
  const input = { token, newPassword: newPassword.value };
  const { userErrors } = (await ask(reset.dataset.document, { input })).passwordReset;
  if (!accepted(userErrors, { newPassword })) return;
  forgetLink();
  reset.hidden = true;
  succeed("Your password is changed. Sign in with the new one.");
});
