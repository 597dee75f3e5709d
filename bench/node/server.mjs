// Usage: node server.mjs MODEL KEY.pem CERT.pem. A server as a Node developer would write it, for JSON and for the Open Inference
// Protocol's binary extension; prints its ports: TLS, plaintext.
import http from 'node:http';
import https from 'node:https';
import { readFileSync } from 'node:fs';
import ort from 'onnxruntime-node';

const [model, key, cert] = process.argv.slice(2);
const session = await ort.InferenceSession.create(model, { intraOpNumThreads: 1, interOpNumThreads: 1 });

const answerJson = async (body, response) => {
  const { id, inputs: [input] } = JSON.parse(body.toString());
  const tensor = new ort.Tensor('float32', Float32Array.from(input.data), input.shape);
  const results = await session.run({ [input.name]: tensor });
  const outputs = Object.entries(results).map(([name, { dims, data }]) => ({ name, datatype: 'FP32', shape: dims, data: Array.from(data) }));
  const text = JSON.stringify({ id, model_name: 'model', model_version: '1', outputs });
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) });
  response.end(text);
};

const floats = bytes => bytes.byteOffset % 4 === 0
  ? new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4)
  : new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));

const answerBinary = async (body, length, response) => {
  const { id, inputs: [input] } = JSON.parse(body.toString('utf8', 0, length));
  const tensor = new ort.Tensor('float32', floats(body.subarray(length)), input.shape);
  const results = Object.entries(await session.run({ [input.name]: tensor }));
  const outputs = results.map(([name, { dims, data }]) => ({ name, datatype: 'FP32', shape: dims, parameters: { binary_data_size: data.byteLength } }));
  const header = Buffer.from(JSON.stringify({ id, model_name: 'model', model_version: '1', outputs }));
  const parts = [header, ...results.map(([, { data }]) => Buffer.from(data.buffer, data.byteOffset, data.byteLength))];
  const all = Buffer.concat(parts);
  response.writeHead(200, { 'content-type': 'application/octet-stream', 'inference-header-content-length': header.length, 'content-length': all.length });
  response.end(all);
};

const answer = (request, response) => {
  const parts = [];
  request.on('data', part => parts.push(part));
  request.on('end', () => {
    const body = parts.length === 1 ? parts[0] : Buffer.concat(parts);
    const header = request.headers['inference-header-content-length'];
    return header === undefined ? answerJson(body, response) : answerBinary(body, Number(header), response);
  });
};

const servers = [https.createServer({ key: readFileSync(key), cert: readFileSync(cert) }, answer), http.createServer(answer)];
const ports = await Promise.all(servers.map(server => new Promise(done => {
  server.keepAliveTimeout = 600_000; // it waits while the other server has its turn
  server.listen(0, '127.0.0.1', () => done(server.address().port));
})));
console.log(ports.join(' '));
