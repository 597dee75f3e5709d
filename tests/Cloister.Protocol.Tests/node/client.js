// A foreign gRPC client: calls the server named in argv[2] in every way the tests ask for, one JSON line a result.
// Messages travel as raw bytes; field 1 of request and answer has the same form, so an echo needs no protobuf library.
const fs = require('fs');
const grpc = require('@grpc/grpc-js');

const [address, rootFile] = process.argv.slice(2);
const credentials = rootFile
  ? grpc.credentials.createSsl(fs.readFileSync(rootFile))
  : grpc.credentials.createInsecure();
const tls = rootFile ? { 'grpc.ssl_target_name_override': 'localhost' } : {};
const client = new grpc.Client(address, credentials, tls);
const gzip = new grpc.Client(address, credentials, { ...tls, 'grpc.default_compression_algorithm': 2 });
const raw = (bytes) => bytes;

function call(name, path, request, { over = client, deadlineMs = 60000, cancel = false } = {}) {
  return new Promise((resolve) => {
    const options = { deadline: Date.now() + deadlineMs };
    const running = over.makeUnaryRequest(path, raw, raw, request, new grpc.Metadata(), options, (error, answer) => {
      console.log(JSON.stringify(error
        ? { name, code: error.code, details: error.details, trailer: error.metadata.get('cloister-awaiting-secret')[0] }
        : { name, code: 0, same: answer.equals(request), length: answer.length }));
      resolve();
    });
    if (cancel) setImmediate(() => running.cancel());
  });
}

const field = (content) => {
  const length = [];
  for (let rest = content.length; ; rest >>= 7) {
    length.push(rest > 127 ? (rest & 127) | 128 : rest);
    if (rest <= 127) break;
  }
  return Buffer.concat([Buffer.from([0x0a, ...length]), content]);
};

(async () => {
  await call('echo', '/test.Echo/Unary', field(Buffer.from('hello')));
  await call('empty', '/test.Echo/Unary', Buffer.alloc(0));
  await call('large', '/test.Echo/Unary', field(Buffer.alloc(3 << 20, 7)));
  await call('gzip', '/test.Echo/Unary', field(Buffer.alloc(100000, 7)), { over: gzip });
  await call('too large', '/test.Echo/Unary', field(Buffer.alloc(5 << 20)));
  await call('malformed', '/test.Echo/Unary', Buffer.from([0xff]));
  await call('refused', '/test.Echo/Refuse', field(Buffer.from('x')));
  await call('unknown method', '/test.Echo/Nope', field(Buffer.from('x')));
  await call('deadline', '/test.Echo/Wait', field(Buffer.from('x')), { deadlineMs: 300 });
  await call('cancel', '/test.Echo/Wait', field(Buffer.from('x')), { cancel: true });
  client.close();
  gzip.close();
})();
