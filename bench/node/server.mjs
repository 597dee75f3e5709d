// Usage: node server.mjs MODEL [KEY.pem CERT.pem]. A server as a Node developer would write it, over TLS if it is given a key; prints its port.
import http from 'node:http';
import https from 'node:https';
import { readFileSync } from 'node:fs';
import ort from 'onnxruntime-node';

const [model, key, cert] = process.argv.slice(2);
const session = await ort.InferenceSession.create(model, { intraOpNumThreads: 1, interOpNumThreads: 1 });
const answer = (request, response) => {
  const parts = [];
  request.on('data', part => parts.push(part));
  request.on('end', async () => {
    const { id, inputs: [input] } = JSON.parse(Buffer.concat(parts).toString());
    const tensor = new ort.Tensor('float32', Float32Array.from(input.data), input.shape);
    const results = await session.run({ [input.name]: tensor });
    const outputs = Object.entries(results).map(([name, { dims, data }]) => ({ name, datatype: 'FP32', shape: dims, data: Array.from(data) }));
    const body = JSON.stringify({ id, model_name: 'model', model_version: '1', outputs });
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) });
    response.end(body);
  });
};
const server = key ? https.createServer({ key: readFileSync(key), cert: readFileSync(cert) }, answer) : http.createServer(answer);
server.keepAliveTimeout = 600_000; // it waits while the other server has its turn
server.listen(0, '127.0.0.1', () => console.log(server.address().port));
