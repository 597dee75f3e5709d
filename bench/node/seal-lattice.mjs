// SEAL's part of lattice: BFV over its default chain, t of 20 bits. Arguments: the folder that holds node-seal, the degree.
// Prints microseconds as JSON, each the least of many runs.
import { registerHooks } from 'node:module';
import { pathToFileURL } from 'node:url';

const [folder, degree] = process.argv.slice(2);
registerHooks({ resolve: (name, context, next) => next(name, name === 'node-seal' ? { ...context, parentURL: `${pathToFileURL(folder)}/` } : context) });
const { default: SEAL } = await import('node-seal');
const seal = await SEAL();
const n = Number(degree);
const parameters = new seal.EncryptionParameters(seal.SchemeType.bfv);
parameters.setPolyModulusDegree(n);
parameters.setCoeffModulus(seal.CoeffModulus.BFVDefault(n, seal.SecLevelType.tc128));
parameters.setPlainModulus(seal.PlainModulus.Batching(n, 20));
const context = new seal.SEALContext(parameters, true, seal.SecLevelType.tc128);
if (!context.parametersSet()) throw new Error('SEAL refuses the parameters');
const generator = new seal.KeyGenerator(context);
const secret = generator.secretKey();
const encryptor = new seal.Encryptor(context, generator.createPublicKey(), secret);
const decryptor = new seal.Decryptor(context, secret);
const evaluator = new seal.Evaluator(context);
const relinearization = generator.createRelinKeys();
const galois = generator.createGaloisKeysWithSteps(Int32Array.from([1]));
const message = new seal.Plaintext();
new seal.BatchEncoder(context).encode(BigUint64Array.from({ length: n }, (_, i) => BigInt((i * 7919) % 65537)), message);
const messageValues = new seal.Plaintext();
evaluator.plainTransformToNtt(message, context.firstParmsId(), messageValues);
const [x, y, values, product, result] = Array.from({ length: 5 }, () => new seal.Ciphertext());
const decrypted = new seal.Plaintext();
encryptor.encrypt(message, x);
encryptor.encrypt(message, y);
evaluator.cipherTransformToNtt(x, values);
evaluator.multiply(x, y, product);

function least(action) {
  let best = Infinity;
  for (let run = 0; run < 40; run++) {
    const start = process.hrtime.bigint();
    action();
    best = Math.min(best, Number(process.hrtime.bigint() - start) / 1000);
  }
  return best;
}

console.log(JSON.stringify({
  encryptPublic: least(() => encryptor.encrypt(message, result)),
  encryptSymmetric: least(() => encryptor.encryptSymmetric(message, result)),
  decrypt: least(() => decryptor.decrypt(x, decrypted)),
  add: least(() => evaluator.add(x, y, result)),
  multiply: least(() => evaluator.multiply(x, y, result)),
  multiplyPlain: least(() => evaluator.multiplyPlain(x, message, result)),
  multiplyPrepared: least(() => evaluator.multiplyPlain(values, messageValues, result)),
  relinearize: least(() => evaluator.relinearize(product, relinearization, result)),
  rotate: least(() => evaluator.rotateRows(x, 1, galois, result)),
}));
process.exit(0);
