// Usage: node marble.mjs ADDRESS TYPE UUID KEY.pem CERTIFICATE.pem REQUEST.der
// What MarbleRun's premain does without an enclave: an empty quote, a self-signed certificate, an unverified server.
import { readFileSync } from 'node:fs';
import grpc from '@grpc/grpc-js';
import loader from '@grpc/proto-loader';

const [address, type, uuid, key, certificate, request] = process.argv.slice(2);
const { rpc } = grpc.loadPackageDefinition(loader.loadSync(new URL('marble.proto', import.meta.url).pathname, { keepCase: true }));
const credentials = grpc.credentials.createSsl(null, readFileSync(key), readFileSync(certificate), { rejectUnauthorized: false });
new rpc.Marble(address, credentials).Activate({ Quote: Buffer.alloc(0), CSR: readFileSync(request), MarbleType: type, UUID: uuid }, (error, answer) => {
  const text = map => Object.fromEntries(Object.entries(map).map(([name, value]) => [name, value.toString()]));
  console.log(JSON.stringify(error
    ? { code: error.code, details: error.details }
    : { code: 0, files: text(answer.Parameters.Files), env: text(answer.Parameters.Env), argv: answer.Parameters.Argv }));
});
