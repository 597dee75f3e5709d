// Adds up the test runs' result files and prints each skip with its reason; last line: "N passed, N failed, N skipped".
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const unescape = text => text.replace(/&(lt|gt|quot|apos|amp);/g, (_, name) => ({ lt: '<', gt: '>', quot: '"', apos: "'", amp: '&' })[name]);
const count = { Passed: 0, Failed: 0, NotExecuted: 0 };
for (const file of readdirSync(process.argv[2]).filter(name => name.endsWith('.trx')).sort()) {
  const text = readFileSync(join(process.argv[2], file), 'utf8');
  for (const [, attributes, body] of text.matchAll(/<UnitTestResult ([^>]*?)(?:\/>|>([\s\S]*?)<\/UnitTestResult>)/g)) {
    const outcome = /outcome="(\w+)"/.exec(attributes)?.[1] ?? 'Failed';
    count[outcome in count ? outcome : 'Failed']++;
    if (outcome === 'Passed') continue;
    const name = unescape(/testName="([^"]*)"/.exec(attributes)?.[1] ?? '?');
    const reason = unescape(/<(?:Message|StdOut)>([\s\S]*?)<\/(?:Message|StdOut)>/.exec(body ?? '')?.[1] ?? 'no reason given').trim();
    console.log(`${outcome === 'NotExecuted' ? 'skipped' : 'FAILED'}: ${name}: ${reason.split('\n')[0]}`);
  }
}
console.log(`${count.Passed} passed, ${count.Failed} failed, ${count.NotExecuted} skipped`);
process.exit(count.Failed > 0 || count.Passed === 0 ? 1 : 0);
