// A foreign client of TF Serving: node tensorflow.mjs <address> <root certificate> <folder of sources>. One JSON line a result.
import fs from 'node:fs';
import path from 'node:path';
import zlib from 'node:zlib';
import grpc from '@grpc/grpc-js';
import loader from '@grpc/proto-loader';

const [address, root, sources] = process.argv.slice(2);
const report = (name, result) => console.log(JSON.stringify({ name, ...result }));

// REST, as a web page calls it. Node's fetch takes no root for one call: NODE_EXTRA_CA_CERTS names it.
const rest = async (name, verb, address, body, headers = {}) => {
  const answer = await fetch(address, { method: verb, body, headers });
  report(name, { code: answer.status, text: await answer.text() });
};
const models = `https://${address}/v1/models/`;
await rest('predict', 'POST', models + 'half:predict', JSON.stringify({ instances: [1.0, 2.0, 5.0] }));
await rest('gzip', 'POST', models + 'half:predict', zlib.gzipSync(JSON.stringify({ inputs: { x: [1.0] } })), { 'Content-Encoding': 'gzip' });
await rest('regress', 'POST', models + 'half/versions/1:regress', JSON.stringify({ examples: [{ x: 80.5 }] }));
await rest('status', 'GET', models + 'half');
await rest('malformed', 'POST', models + 'half:predict', '{"instances":[1,]}');

// gRPC.
const { tensorflow } = grpc.loadPackageDefinition(
  loader.loadSync('TensorFlow/Grpc/serving.proto', { includeDirs: [path.join(sources, 'Cloister.Serving')], keepCase: true, longs: Number, enums: String, oneofs: true }));
const options = { 'grpc.ssl_target_name_override': 'localhost', 'grpc.max_receive_message_length': -1, 'grpc.max_send_message_length': -1 };
const credentials = grpc.credentials.createSsl(fs.readFileSync(root));
const prediction = new tensorflow.serving.PredictionService(address, credentials, options);
const model = new tensorflow.serving.ModelService(address, credentials, options);
const call = (name, client, method, request, pick) => new Promise((resolve) => {
  client[method](request, new grpc.Metadata(), { deadline: Date.now() + 120000 }, (error, answer) => {
    report(name, error ? { code: error.code, details: error.details } : { code: 0, values: pick(answer) });
    resolve();
  });
});
const shape = (...sizes) => ({ dim: sizes.map((size) => ({ size })) });
const half = (tensor) => ({ model_spec: { name: 'half' }, inputs: { x: { dtype: 'DT_FLOAT', ...tensor } } });
const floats = (answer) => answer.outputs.y.float_val;
await call('listed', prediction, 'Predict', half({ tensor_shape: shape(3), float_val: [1, 2, 5] }), floats);
await call('content', prediction, 'Predict', half({ tensor_shape: shape(2), tensor_content: Buffer.from(Float32Array.from([1, 2]).buffer) }), floats);
await call('filled', prediction, 'Predict', half({ tensor_shape: shape(4), float_val: [8] }), floats);
await call('large', prediction, 'Predict', half({ tensor_shape: shape(500000), float_val: new Array(500000).fill(2) }), (answer) => [floats(answer).length, floats(answer)[499999]]);
await call('answered', prediction, 'Predict', half({ tensor_shape: shape(1), float_val: [1] }), ({ model_spec }) => [model_spec.name, model_spec.version.value, model_spec.signature_name]);
await call('unknown', prediction, 'Predict', { ...half({ tensor_shape: shape(1) }), model_spec: { name: 'other' } });
await call('regressed', prediction, 'Regress', { model_spec: { name: 'half' }, input: { example_list: { examples: [{ features: { feature: { x: { float_list: { value: [80] } } } } }] } } },
  (answer) => answer.result.regressions.map(({ value }) => value));
await call('metadata', prediction, 'GetModelMetadata', { model_spec: { name: 'half' }, metadata_field: ['signature_def'] }, (answer) => [answer.metadata.signature_def.type_url]);
await call('state', model, 'GetModelStatus', { model_spec: { name: 'half' } }, (answer) => answer.model_version_status.map(({ version, state }) => `${version} ${state}`));
await call('reload', model, 'HandleReloadConfigRequest', { config: { model_config_list: { config: [] } } }, () => []);
