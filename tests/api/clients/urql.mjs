// urql: its ordinary exchanges with its own Accept header, and subscriptions both ways.
import { Client, cacheExchange, fetchExchange, subscriptionExchange } from '@urql/core';
import { createClient as overSocket } from 'graphql-ws';
import WebSocket from 'ws';

import {
  BROKEN, Heard, Session, ask, email, goal, operation, password, report, socketUrl, until, url,
} from './stage.mjs';

const session = new Session();
const accepted = new Set();
const shared = {
  url,
  preferGetMethod: false,
  fetchOptions: () => ({ headers: session.headers }),
  fetch: (input, options) => {
    accepted.add(options.headers.accept);
    return fetch(input, options);
  },
};

let expired = false;
const socket = overSocket({
  url: socketUrl,
  webSocketImpl: WebSocket,
  retryAttempts: 1000,
  retryWait: () => new Promise((again) => setTimeout(again, 100)),
  shouldRetry: () => true,
  connectionParams: async () => {
    if (expired) await session.renew();
    expired = false;
    return session.headers;
  },
  on: { closed: (event) => (expired ||= event.code === 4403) },
});

const streaming = new Client({
  ...shared,
  fetchSubscriptions: true,
  exchanges: [cacheExchange, fetchExchange],
});
const client = new Client({
  ...shared,
  exchanges: [
    cacheExchange,
    fetchExchange,
    subscriptionExchange({
      forwardSubscription: (request) => ({
        subscribe: (sink) => ({ unsubscribe: socket.subscribe(request, sink) }),
      }),
    }),
  ],
});
const seen = {};
const codes = (error) => error.graphQLErrors.map((one) => one.extensions.code);
const rows = ({ data }) => data.leads.edges.map(({ node }) => [node.email, node.jobTitle]);

const signedIn = await client.mutation(operation('sign-in'), { email, password });
session.keep(signedIn.data.signIn.session);
seen.signedIn = signedIn.data.signIn.session.user.name;

const first = await client.query(operation('leads-page'), { first: 2 });
seen.page = rows(first);
const after = first.data.leads.pageInfo.endCursor;
seen.nextPage = rows(await client.query(operation('leads-page'), { first: 2, after }));

const [lead] = first.data.leads.edges;
const refused = await client.mutation(operation('lead-create'), {
  input: { email: lead.node.email },
});
seen.refused = refused.data.leadCreate.userErrors.map(({ code, existing }) => [
  code, existing.id === lead.node.id,
]);

// A mutation that answers with leads makes urql ask again for whatever shows leads.
const titles = new Heard();
const watching = client
  .query(operation('leads-page'), { first: 2 })
  .subscribe((result) => titles.tell(rows(result)[0][1]));
await titles.until(null);
await client.mutation(operation('lead-update'), {
  input: { lead: { id: lead.node.id }, jobTitle: 'Head of Tulips' },
});
await titles.until('Head of Tulips');
seen.changed = titles.values;
watching.unsubscribe();

const setTarget = (target) => client.mutation(operation('goal-update'), { goal, target });
const listen = (to) => {
  const heard = new Heard();
  to.subscription(operation('goal-target'), { goal }).subscribe(({ data, error }) =>
    heard.tell(error ? codes(error)[0] : data.goalProgress.target),
  );
  return heard;
};
const failed = (to) =>
  new Promise((resolve) =>
    to.subscription(BROKEN, {}).subscribe(({ error }) => error && resolve(codes(error))),
  );

await session.soonOver();
const live = listen(client);
await live.until('10');
await setTarget('20');
await live.until('20');
seen.failed = await failed(client);
await until(() => session.renewals === 1);
await setTarget('21');
await live.until('21');
await ask('restart', { target: '30' });
await live.until('30');
seen.live = [...live.values];
seen.renewals = session.renewals;

const streamed = listen(streaming);
await streamed.until('30');
seen.failedStreaming = await failed(streaming);
await setTarget('31');
await streamed.until('31');
seen.streamed = streamed.values;
seen.accepted = [...accepted];

session.token = 'nonsense';
const stranger = await client.query(operation('leads-page'), { first: 3 });
seen.stranger = [stranger.error.response.status, codes(stranger.error)];
report(seen);
