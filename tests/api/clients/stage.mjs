// What every client's script needs: who it is, what it asks, and a line to whoever runs it.
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';

export const { url, slowUrl, meanUrl, closedUrl, email, password, goal, folder } = JSON.parse(process.argv[2]);
export const socketUrl = url.replace('http', 'ws');
export const BROKEN = 'subscription Broken { nothing }';

const answers = createInterface({ input: process.stdin })[Symbol.asyncIterator]();

/** Have the stage do something, such as restarting the server, and return its answer. */
export const ask = async (what, more = {}) => {
  console.log(JSON.stringify({ ask: what, ...more }));
  return JSON.parse((await answers.next()).value);
};

/** Say what was seen, and end. */
export const report = (seen) => {
  console.log(JSON.stringify({ report: seen }));
  process.exit(0);
};

export const operation = (name) =>
  readFileSync(new URL(`./operations/${name}.graphql`, import.meta.url), 'utf8');

const REFRESH = `mutation Refresh($input: SessionRefreshInput!) {
  sessionRefresh(input: $input) { session { accessToken refreshToken } userErrors { code } }
}`;

/** Who is signed in.  The first token of a stream lives for two seconds, so it must be renewed. */
export class Session {
  token = null;
  refreshToken = null;
  renewals = 0;

  keep({ accessToken, refreshToken }) {
    this.token = accessToken;
    this.refreshToken = refreshToken;
  }

  get headers() {
    return this.token === null ? {} : { authorization: `Bearer ${this.token}` };
  }

  async soonOver() {
    this.token = (await ask('short token', { token: this.token })).token;
  }

  async renew() {
    this.renewals += 1;
    const answer = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        query: REFRESH,
        variables: { input: { refreshToken: this.refreshToken } },
      }),
    });
    this.keep((await answer.json()).data.sessionRefresh.session);
  }
}

/** What a subscription told, without repetitions, and a way to wait for it. */
export class Heard {
  values = [];
  #waiting = [];

  tell(value) {
    if (this.values.at(-1) === value) return;
    this.values.push(value);
    this.#waiting = this.#waiting.filter(([wanted, heard]) => wanted !== value || heard());
  }

  until(value) {
    if (this.values.at(-1) === value) return Promise.resolve();
    return new Promise((heard) => this.#waiting.push([value, heard]));
  }
}

export const until = async (holds) => {
  while (!holds()) await new Promise((next) => setTimeout(next, 10));
};
