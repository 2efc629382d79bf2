// Runs the server audits of graphql-http, with a token if one is given, and prints those that are
// not passed, one a line.
import { serverAudits } from 'graphql-http';

const [url, token] = process.argv.slice(2);
const fetchFn = (input, { headers, ...init } = {}) => {
  const sent = new Headers(headers);
  if (token) sent.set('authorization', `Bearer ${token}`);
  return fetch(input, { ...init, headers: sent });
};

const audits = serverAudits({ url, fetchFn });
let passed = 0;
for (const { id, name, fn } of audits) {
  const result = await fn();
  if (result.status === 'ok') passed += 1;
  else console.log(`${id} ${result.status}: ${name}: ${result.reason}`);
}
console.log(`${passed} of ${audits.length}`);
