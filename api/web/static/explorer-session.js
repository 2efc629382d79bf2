// Who asks: somebody who has signed in, or whoever brought a token or a key along.  The token is kept
// in this tab.  What refreshes it is in this page's memory and nowhere else: a reload forgets it.

import { keep, kept, operations, send } from "./explorer-send.js";

const EARLY = 60_000; // before the token ends: a request may be on its way
const SOONEST = 5_000; // for a clock that runs ahead of the server's
const LET_IN = ["signIn", "sessionRefresh", "invitationAccept"];

const text = (name) => operations.find((operation) => operation.name === name).document;

export class Session {
  #token = kept();
  #refreshToken = null;
  #renewing = null;
  #timer = 0;
  #changed;

  // `changed` is told every other token, "" for none, and whether only the token is another one.
  constructor(changed) {
    this.#changed = changed;
  }

  get token() {
    return this.#token;
  }

  use(token, { renewed = false, refreshToken = null, expiresAt = null } = {}) {
    this.#refreshToken = refreshToken;
    clearTimeout(this.#timer);
    if (refreshToken && expiresAt) {
      const left = Date.parse(expiresAt) - Date.now() - EARLY;
      this.#timer = setTimeout(() => this.renew().catch(() => null), Math.max(left, SOONEST));
    }
    if (token === this.#token) return;
    this.#token = token;
    keep(token);
    this.#changed(token, renewed);
  }

  // Returns what it was refused for, or null.
  async signIn(input) {
    const { answer } = await send({ query: text("sign-in"), variables: { input } });
    if (this.#letIn(answer)) return null;
    return (answer.data?.signIn.userErrors ?? answer.errors)[0];
  }

  // Is forgotten here whatever the server says: a key cannot sign out, and a token may have ended.
  async signOut() {
    const token = this.#token;
    this.use("");
    await send({ query: text("sign-out") }, { token }).catch(() => null);
  }

  // Asks with the token, and once more with the next one if it was turned away.
  async send(request, options = {}) {
    await this.#renewing?.catch(() => null);
    const mine = () => send(request, { ...options, token: this.#token });
    let reply = await mine();
    if (this.#token && reply.response.status === 401 && (await this.renew())) reply = await mine();
    this.#letIn(reply.answer);
    if (reply.answer?.data?.signOut?.session) this.use("");
    return reply;
  }

  // Tells whether there is another token now.  Whoever comes meanwhile waits for the same one.
  renew() {
    this.#renewing ??= this.#renew().finally(() => {
      this.#renewing = null;
    });
    return this.#renewing;
  }

  async #renew() {
    const refreshToken = this.#refreshToken;
    if (!refreshToken) return false;
    const variables = { input: { refreshToken } };
    const { answer } = await send({ query: text("session-refresh"), variables });
    if (refreshToken !== this.#refreshToken) return false; // somebody else asks by now
    if (this.#letIn(answer, true)) return true;
    if (answer.data) this.use(""); // the session is over; other faults may pass
    return false;
  }

  #letIn(answer, renewed = false) {
    const name = LET_IN.find((one) => answer?.data?.[one]?.session?.accessToken);
    if (!name) return false;
    const { accessToken, ...rest } = answer.data[name].session;
    this.use(accessToken, { renewed, ...rest });
    return true;
  }
}
