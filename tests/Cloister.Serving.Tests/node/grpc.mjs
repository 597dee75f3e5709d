// A foreign gRPC client: node grpc.mjs <address> <root certificate> <folder of sources>. One JSON line a result.
import fs from 'node:fs';
import path from 'node:path';
import grpc from '@grpc/grpc-js';
import loader from '@grpc/proto-loader';

const [address, root, sources] = process.argv.slice(2);
const load = (file) => grpc.loadPackageDefinition(loader.loadSync(path.join(sources, file), { keepCase: true, longs: Number, enums: String, oneofs: true }));
const { inference } = load('Cloister.Serving/OpenInference/Grpc/inference.proto');
const { health } = load('Cloister.Protocol/Grpc/Health/health.proto').grpc;
const { reflection } = load('Cloister.Protocol/Grpc/Reflection/reflection_v1.proto').grpc;
const credentials = grpc.credentials.createSsl(fs.readFileSync(root));
const options = { 'grpc.ssl_target_name_override': 'localhost', 'grpc.max_receive_message_length': -1, 'grpc.max_send_message_length': -1 };
const client = new inference.GRPCInferenceService(address, credentials, options);
const gzip = new inference.GRPCInferenceService(address, credentials, { ...options, 'grpc.default_compression_algorithm': 2, 'grpc.use_local_subchannel_pool': 1 });

const report = (name, result) => console.log(JSON.stringify({ name, ...result }));
const failure = (error) => ({ code: error.code, details: error.details, rich: error.metadata.get('grpc-status-details-bin')[0]?.toString('latin1') });
const floats = (buffer) => Array.from({ length: buffer.length / 4 }, (_, i) => buffer.readFloatLE(4 * i));
const raw = (values) => Buffer.from(Float32Array.from(values).buffer);

function half(values, id = '') {
  return { model_name: 'half', id, inputs: [{ name: 'x', datatype: 'FP32', shape: [values.length] }], raw_input_contents: [raw(values)] };
}

function loop(rounds) {
  const count = Buffer.alloc(8);
  count.writeBigInt64LE(rounds);
  return {
    model_name: 'loop',
    inputs: [{ name: 'rounds', datatype: 'INT64', shape: [] }, { name: 'x', datatype: 'FP32', shape: [1] }],
    raw_input_contents: [count, raw([0])],
  };
}

function call(method, request, { over = client, deadline = 120000, cancel = false } = {}) {
  return new Promise((resolve) => {
    const running = over[method](request, new grpc.Metadata(), { deadline: Date.now() + deadline }, (error, answer) => resolve(error ? failure(error) : { code: 0, answer }));
    if (cancel) setTimeout(() => running.cancel(), 200);
  });
}

const infer = async (name, request, rest) => {
  const { code, details, rich, answer } = await call('ModelInfer', request, rest);
  report(name, { code, details, rich, values: answer && floats(answer.raw_output_contents[0]).slice(0, 8), bytes: answer?.raw_output_contents[0].length });
};

const collect = (stream, requests, pick) => new Promise((resolve) => {
  const answers = [];
  stream.on('data', (answer) => answers.push(pick(answer)));
  stream.on('error', (error) => resolve({ ...failure(error), answers }));
  stream.on('end', () => resolve({ code: 0, answers }));
  for (const request of requests) stream.write(request);
  stream.end();
});

await infer('raw', half([1, 2, 5], '42'));
await infer('typed', { model_name: 'half', inputs: [{ name: 'x', datatype: 'FP32', shape: [2], contents: { fp32_contents: [1, 2] } }] });
await infer('large', half(new Array(2_000_000).fill(2)));
await infer('compressed', half(new Array(100_000).fill(4)), { over: gzip });
await infer('no such model', { ...half([1]), model_name: 'other' });
await infer('wrong shape', { ...half([1]), inputs: [{ name: 'x', datatype: 'FP32', shape: [7] }] });
await infer('deadline', loop(9223372036854775807n), { deadline: 1000 });
await infer('cancelled', loop(9223372036854775807n), { cancel: true });
await infer('after them', loop(3n));
const { answer: live } = await call('ServerLive', {});
report('live', { code: 0, values: [live.live] });
const { answer: metadata } = await call('ModelMetadata', { name: 'half' });
report('metadata', { code: 0, values: [metadata.platform, metadata.inputs[0].name, metadata.inputs[0].datatype, metadata.inputs[0].shape[0]] });

report('stream', await collect(client.ModelStreamInfer(), [half([0], 'a'), { ...half([0]), model_name: 'other' }, half([2], 'c')],
  (answer) => (answer.error_message ? 'error' : `${answer.infer_response.id}${floats(answer.infer_response.raw_output_contents[0])}`)));

const probe = new health.v1.Health(address, credentials, options);
for (const service of ['', 'half', 'inference.GRPCInferenceService', 'nothing'])
  report(`health ${service}`, await new Promise((resolve) => {
    probe.Check({ service }, (error, answer) => resolve(error ? failure(error) : { code: 0, values: [answer.status] }));
  }));
report('watch', await new Promise((resolve) => {
  const watch = probe.Watch({ service: 'nothing' });
  watch.on('data', (answer) => { watch.cancel(); resolve({ code: 0, values: [answer.status] }); });
  watch.on('error', () => {});
}));

report('reflection', await collect(new reflection.v1.ServerReflection(address, credentials, options).ServerReflectionInfo(), [{ list_services: '*' }],
  (answer) => answer.list_services_response.service.map((service) => service.name)));
process.exit(0);
