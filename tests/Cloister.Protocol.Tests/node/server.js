// A foreign gRPC server: echoes raw bytes, compresses, refuses and waits. Prints its port, ends with its standard input.
const grpc = require('@grpc/grpc-js');

const raw = (bytes) => bytes;
const method = (path) => ({ path, requestStream: false, responseStream: false, requestSerialize: raw, requestDeserialize: raw, responseSerialize: raw, responseDeserialize: raw });
const server = new grpc.Server({ 'grpc.default_compression_algorithm': 2 });
server.addService({ Unary: method('/test.Echo/Unary'), Refuse: method('/test.Echo/Refuse'), Wait: method('/test.Echo/Wait') }, {
  Unary: (call, answer) => answer(null, call.request),
  Refuse: (call, answer) => {
    const trailers = new grpc.Metadata();
    trailers.set('cloister-awaiting-secret', 'a,b');
    answer({ code: grpc.status.INTERNAL, details: '100 % größer', metadata: trailers });
  },
  Wait: () => {},
});
server.bindAsync('127.0.0.1:0', grpc.ServerCredentials.createInsecure(), (error, port) => {
  if (error) throw error;
  console.log(port);
});
process.stdin.resume();
process.stdin.on('end', () => server.forceShutdown());
