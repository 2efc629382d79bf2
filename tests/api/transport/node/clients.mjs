// Runs the same operations through graphql-ws and graphql-sse and prints what they heard.
import { createClient as overSocket } from 'graphql-ws';
import { createClient as overEvents } from 'graphql-sse';
import WebSocket from 'ws';

const [url] = process.argv.slice(2);
const clients = {
  'graphql-ws': overSocket({
    url: url.replace('http', 'ws'),
    webSocketImpl: WebSocket,
    retryAttempts: 0,
    connectionParams: { token: 'good' },
  }),
  'graphql-sse': overEvents({
    url,
    retryAttempts: 0,
    headers: { authorization: 'Bearer good' },
  }),
};

const hear = (client, query) =>
  new Promise((resolve) => {
    const heard = [];
    client.subscribe(
      { query },
      {
        next: (answer) => heard.push(answer.errors ? answer.errors[0].extensions.code : answer.data),
        error: (errors) => resolve([...heard, Array.isArray(errors) ? errors[0].extensions.code : String(errors)]),
        complete: () => resolve([...heard, 'complete']),
      },
    );
  });

for (const [name, client] of Object.entries(clients)) {
  for (const query of [
    '{ who }',
    'mutation { tell(headline: "loud") }',
    'subscription { events(count: 2) }',
    'subscription { nothing }',
    'subscription { broken }',
  ]) {
    console.log(JSON.stringify([name, query, await hear(client, query)]));
  }
  await client.dispose();
}
