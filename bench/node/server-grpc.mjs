// Usage: node server-grpc.mjs MODEL PROTO KEY.pem CERT.pem. A server of GRPCInferenceService as a Node developer would write it: ModelInfer with
// raw contents, in and out; prints its ports: TLS, plaintext.
import { readFileSync } from 'node:fs';
import grpc from '@grpc/grpc-js';
import loader from '@grpc/proto-loader';
import ort from 'onnxruntime-node';

const [model, proto, key, cert] = process.argv.slice(2);
const session = await ort.InferenceSession.create(model, { intraOpNumThreads: 1, interOpNumThreads: 1 });
const { inference } = grpc.loadPackageDefinition(loader.loadSync(proto, { keepCase: true, longs: Number }));

const floats = bytes => bytes.byteOffset % 4 === 0
  ? new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4)
  : new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));

const modelInfer = async ({ request }, done) => {
  try {
    const feeds = Object.fromEntries(request.inputs.map(({ name, shape }, i) => [name, new ort.Tensor('float32', floats(request.raw_input_contents[i]), shape)]));
    const results = Object.entries(await session.run(feeds));
    done(null, {
      model_name: 'model', model_version: '1', id: request.id,
      outputs: results.map(([name, { dims }]) => ({ name, datatype: 'FP32', shape: dims })),
      raw_output_contents: results.map(([, { data }]) => Buffer.from(data.buffer, data.byteOffset, data.byteLength)),
    });
  } catch (error) {
    done({ code: grpc.status.INVALID_ARGUMENT, details: String(error) });
  }
};

const listen = credentials => new Promise((done, fail) => {
  const server = new grpc.Server({ 'grpc.max_receive_message_length': -1, 'grpc.max_send_message_length': -1 });
  server.addService(inference.GRPCInferenceService.service, { ModelInfer: modelInfer });
  server.bindAsync('127.0.0.1:0', credentials, (error, port) => error ? fail(error) : done(port));
});
const secure = grpc.ServerCredentials.createSsl(null, [{ private_key: readFileSync(key), cert_chain: readFileSync(cert) }]);
console.log(`${await listen(secure)} ${await listen(grpc.ServerCredentials.createInsecure())}`);
