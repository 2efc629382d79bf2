// Apollo Client: a normalised cache over HTTP, and subscriptions over both of our transports.
import {
  ApolloClient,
  ApolloLink,
  CombinedGraphQLErrors,
  HttpLink,
  InMemoryCache,
  Observable,
  ServerError,
  gql,
} from '@apollo/client';
import { SetContextLink } from '@apollo/client/link/context';
import { ErrorLink } from '@apollo/client/link/error';
import { GraphQLWsLink } from '@apollo/client/link/subscriptions';
import { relayStylePagination } from '@apollo/client/utilities';
import { createClient as overEvents } from 'graphql-sse';
import { createClient as overSocket } from 'graphql-ws';
import { print } from 'graphql';
import WebSocket from 'ws';

import {
  BROKEN, Heard, Session, ask, closedUrl, email, goal, meanUrl, operation, password, report, slowUrl,
  socketUrl, until, url,
} from './stage.mjs';

globalThis.WebSocket ??= WebSocket; // the link looks for it, and older Nodes have none

const session = new Session();
const document = (name) => gql(operation(name));
const errorsOf = (error) =>
  CombinedGraphQLErrors.is(error)
    ? error.errors.map((one) => one.extensions.code)
    : [error.name, ServerError.is(error) ? error.statusCode : error.message];

const linked = [];
const authorized = new SetContextLink(({ headers }) => ({
  headers: { ...headers, ...session.headers },
}));
const noticed = new ErrorLink(({ error }) => void linked.push(...errorsOf(error)));
const http = ApolloLink.from([noticed, authorized, new HttpLink({ uri: url })]);

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

const events = overEvents({ url, headers: () => session.headers, retryAttempts: 0 });
class EventsLink extends ApolloLink {
  request(operation) {
    return new Observable((sink) =>
      events.subscribe({ ...operation, query: print(operation.query) }, sink),
    );
  }
}

const cache = () =>
  new InMemoryCache({ typePolicies: { Query: { fields: { leads: relayStylePagination() } } } });
const over = (link) =>
  new ApolloClient({
    cache: cache(),
    link: ApolloLink.split(
      ({ operationType }) => operationType === 'subscription', link, http,
    ),
  });

const client = over(new GraphQLWsLink(socket));
const streaming = over(new EventsLink());
const seen = {};

// Signing in, pages, a refusal and a change that the cache shows everywhere.
const signedIn = await client.mutate({
  mutation: document('sign-in'),
  variables: { email, password },
});
session.keep(signedIn.data.signIn.session);
seen.signedIn = signedIn.data.signIn.session.user.name;

const pages = client.watchQuery({ query: document('leads-page'), variables: { first: 2 } });
const shown = () =>
  pages.getCurrentResult().data?.leads.edges.map(({ node }) => [node.email, node.jobTitle]);
const watching = pages.subscribe({});
await until(() => shown()?.length === 2);
seen.page = shown();
const { endCursor } = pages.getCurrentResult().data.leads.pageInfo;
await pages.fetchMore({ variables: { after: endCursor } });
await until(() => shown().length === 4);
seen.pages = shown();

const [lead] = pages.getCurrentResult().data.leads.edges;
const refused = await client.mutate({
  mutation: document('lead-create'),
  variables: { input: { email: lead.node.email } },
});
seen.refused = refused.data.leadCreate.userErrors.map(({ code, existing }) => [
  code, existing.id === lead.node.id,
]);
await client.mutate({
  mutation: document('lead-update'),
  variables: { input: { lead: { id: lead.node.id }, jobTitle: 'Head of Tulips' } },
});
await until(() => shown()[0][1] !== null);
seen.changed = shown();
seen.cached = client.cache.extract()[`Lead:${lead.node.id}`].jobTitle;
watching.unsubscribe();

const setTarget = (target) =>
  client.mutate({ mutation: document('goal-update'), variables: { goal, target } });
const listen = (to) => {
  const heard = new Heard();
  to.subscribe({ query: document('goal-target'), variables: { goal } }).subscribe({
    next: ({ data, error }) => heard.tell(error ? errorsOf(error)[0] : data.goalProgress.target),
    error: (error) => heard.tell(String(error)),
  });
  return heard;
};
const failed = (to) =>
  new Promise((resolve) =>
    to.subscribe({ query: gql(BROKEN) }).subscribe({
      next: ({ error }) => resolve(errorsOf(error)),
    }),
  );

// Live over a socket: through an expiry, beside a failure, and across a restart.
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
await socket.dispose();

// Live over server-sent events.
const streamed = listen(streaming);
await streamed.until('30');
seen.failedStreaming = await failed(streaming);
await setTarget('31');
await streamed.until('31');
seen.streamed = streamed.values;

// Its own way of subscribing over HTTP, multipart, is none of ours; it is told so.
const multipart = new ApolloClient({ cache: cache(), link: http });
seen.multipart = await failed(multipart);

// What an error link sees of refusals that are not GraphQL's.
linked.length = 0;
session.token = 'nonsense';
const fetchPolicy = 'network-only';
await client
  .query({ query: document('leads-page'), variables: { first: 3 }, fetchPolicy })
  .catch(() => null);
const at = (uri) =>
  new ApolloClient({ cache: cache(), link: ApolloLink.from([noticed, new HttpLink({ uri })]) });
await at(slowUrl).query({ query: gql`query Slow { slow }` }).catch(() => null);
const nobody = { query: gql`query Nobody { viewer { name } }`, fetchPolicy };
await at(closedUrl).query(nobody).catch(() => null);
await at(meanUrl).query(nobody).catch(() => null); // it takes all there is
await at(meanUrl).query(nobody).catch(() => null);
seen.linked = linked;
report(seen);
