// Usage: node run-model.mjs MODEL SHAPE(1x3x224x224) RUNS. Prints the CPU time of one run in microseconds.
import ort from 'onnxruntime-node';

const [model, shape, runs] = process.argv.slice(2);
const session = await ort.InferenceSession.create(model, { intraOpNumThreads: 1, interOpNumThreads: 1 });
const dimensions = shape.split('x').map(Number);
const feeds = { [session.inputNames[0]]: new ort.Tensor('float32', new Float32Array(dimensions.reduce((a, b) => a * b)), dimensions) };
for (let i = 0; i < runs / 10; i++) await session.run(feeds);
const before = process.cpuUsage();
for (let i = 0; i < runs; i++) await session.run(feeds);
const used = process.cpuUsage(before);
console.log(JSON.stringify({ cpuMicroseconds: (used.user + used.system) / runs }));
