// Runs the server audits of graphql-http and prints those that are not passed, one a line.
import { serverAudits } from 'graphql-http';

const audits = serverAudits({ url: process.argv[2] });
let passed = 0;
for (const { id, name, fn } of audits) {
  const result = await fn();
  if (result.status === 'ok') passed += 1;
  else console.log(`${id} ${result.status}: ${name}: ${result.reason}`);
}
console.log(`${passed} of ${audits.length}`);
