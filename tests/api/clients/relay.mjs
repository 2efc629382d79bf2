// relay-runtime over artifacts that relay-compiler made from our schema.
import { createClient as overSocket } from 'graphql-ws';
import relay from 'relay-runtime';
import { createRequire } from 'node:module';
import WebSocket from 'ws';

import {
  BROKEN, Heard, Session, ask, email, folder, goal, password, report, socketUrl, until, url,
} from './stage.mjs';

const {
  Environment, Network, Observable, RecordSource, Store, commitMutation,
  createOperationDescriptor, fetchQuery, getSingularSelector, requestSubscription,
} = relay;
const load = createRequire(import.meta.url);
const artifact = (name) => load(`${folder}/operations${name}.graphql.js`);
const session = new Session();

const ask_ = async ({ text, name }, variables) => {
  const answer = await fetch(url, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'application/graphql-response+json, application/json;q=0.9',
      ...session.headers,
    },
    body: JSON.stringify({ query: text, operationName: name, variables }),
  });
  return answer.json();
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
const listen = ({ text, name }, variables) =>
  Observable.create((sink) =>
    socket.subscribe({ query: text, operationName: name, variables }, sink),
  );

const environment = new Environment({
  network: Network.create(ask_, listen),
  store: new Store(new RecordSource()),
});
const commit = (name, variables, more = {}) =>
  new Promise((resolve, reject) =>
    commitMutation(environment, {
      mutation: artifact(name),
      variables,
      onCompleted: resolve,
      onError: reject,
      ...more,
    }),
  );
const seen = {};

const signedIn = await commit('SignInMutation', { email, password });
session.keep(signedIn.signIn.session);
seen.signedIn = signedIn.signIn.session.user.name;

// Two pages of a connection, merged by Relay's own handler.
const page = artifact('PageQuery');
const described = createOperationDescriptor(page, { first: 2 });
const kept = environment.retain(described);
await fetchQuery(environment, page, { first: 2 }).toPromise();
const fragment = artifact('_leads');
const shown = () => {
  const root = environment.lookup(described.fragment).data;
  return environment.lookup(getSingularSelector(fragment, root)).data.leads;
};
const rows = () => shown().edges.map(({ node }) => [node.email, node.jobTitle]);
seen.page = rows();
const { endCursor, hasNextPage } = shown().pageInfo;
await fetchQuery(environment, artifact('LeadsPaginationQuery'), {
  first: 2,
  after: endCursor,
}).toPromise();
seen.pages = [hasNextPage, rows()];

const { id, email: known } = shown().edges[0].node;
const refused = await commit('CreateMutation', { input: { email: known } });
seen.refused = refused.leadCreate.userErrors.map(({ code, existing }) => [code, existing.id === id]);

// Changed at once, before the server has said so, and then by what it says.
const titles = new Heard();
const root = environment.lookup(described.fragment).data;
const selector = getSingularSelector(fragment, root);
const watching = environment.subscribe(environment.lookup(selector), ({ data }) =>
  titles.tell(data.leads.edges[0].node.jobTitle),
);
await commit(
  'UpdateMutation',
  { input: { lead: { id }, jobTitle: '  Head of Tulips ' } },
  {
    optimisticResponse: {
      leadUpdate: { lead: { id, jobTitle: 'Head of Tulips, soon' }, userErrors: [] },
    },
  },
);
seen.changed = titles.values;
watching.dispose();

// What was shown in a list is found by its id, with nothing asked of the server.
const one = createOperationDescriptor(artifact('NodeQuery'), { id });
environment.commitPayload(one, { node: { __typename: 'Lead', id } });
seen.byId = environment.getStore().getSource().get(id).jobTitle;
const node = await fetchQuery(environment, artifact('NodeQuery'), { id }).toPromise();
seen.node = [node.node.email, node.node.jobTitle];

const setTarget = (target) => commit('TargetMutation', { goal, target });
await session.soonOver();
const live = new Heard();
requestSubscription(environment, {
  subscription: artifact('LiveSubscription'),
  variables: { goal },
  onNext: (data) => live.tell(data.goalProgress.target),
  onError: (error) => live.tell(String(error)),
});
await live.until('10');
await setTarget('20');
await live.until('20');
seen.failed = await new Promise((resolve) =>
  listen({ text: BROKEN, name: 'Broken' }, {}).subscribe({
    error: (errors) => resolve(errors.map((error) => error.extensions.code)),
  }),
);
await until(() => session.renewals === 1);
await setTarget('21');
await live.until('21');
await ask('restart', { target: '30' });
await live.until('30');
seen.live = [...live.values];
seen.renewals = session.renewals;
kept.dispose();
report(seen);
