// Usage: node verify-quote.mjs QUOTE COLLATERAL.json SECONDS RUNS. Prints the time of one whole verification by dcap-qvl in microseconds.
import { readFileSync } from 'node:fs';
import { verify } from '@phala/dcap-qvl';

const [quotePath, collateralPath, seconds, runs] = process.argv.slice(2);
const quote = new Uint8Array(readFileSync(quotePath)), collateral = JSON.parse(readFileSync(collateralPath, 'utf8'));
for (let i = 0; i < runs / 2; i++) verify(quote, collateral, Number(seconds));
const start = process.hrtime.bigint();
let status;
for (let i = 0; i < runs; i++) status = verify(quote, collateral, Number(seconds)).status;
console.log(JSON.stringify({ microseconds: Number(process.hrtime.bigint() - start) / 1000 / runs, status }));
