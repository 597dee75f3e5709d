// SEAL's part of encrypted-linear: one ciphertext times one polynomial in the clear, over the same ring. Arguments: the folder that holds
// node-seal, t, a message and the polynomial as SEAL's plaintexts in base64, repetitions. Prints microseconds as JSON, each the least of many batches.
import { registerHooks } from 'node:module';
import { pathToFileURL } from 'node:url';

const [folder, t, message64, factor64, repetitions] = process.argv.slice(2);
registerHooks({ resolve: (name, context, next) => next(name, name === 'node-seal' ? { ...context, parentURL: `${pathToFileURL(folder)}/` } : context) });
const { default: SEAL } = await import('node-seal');
const seal = await SEAL();
const parameters = new seal.EncryptionParameters(seal.SchemeType.bfv);
parameters.setPolyModulusDegree(2048);
parameters.setCoeffModulus(seal.CoeffModulus.Create(2048, Int32Array.from([49])));
parameters.setPlainModulus(new seal.Modulus(BigInt(t)));
const context = new seal.SEALContext(parameters, true, seal.SecLevelType.tc128);
if (!context.parametersSet()) throw new Error('SEAL refuses the parameters');
const generator = new seal.KeyGenerator(context);
const secret = generator.secretKey();
const encryptor = new seal.Encryptor(context, generator.createPublicKey(), secret);
const decryptor = new seal.Decryptor(context, secret);
const evaluator = new seal.Evaluator(context);
const message = new seal.Plaintext();
const factor = new seal.Plaintext();
message.loadFromBase64(context, message64);
factor.loadFromBase64(context, factor64);
const factorValues = new seal.Plaintext();
const ciphertext = new seal.Ciphertext();
const values = new seal.Ciphertext();
const product = new seal.Ciphertext();
const result = new seal.Ciphertext();
const decrypted = new seal.Plaintext();
encryptor.encryptSymmetric(message, ciphertext);
evaluator.plainTransformToNtt(factor, context.firstParmsId(), factorValues);

function least(action) {
  let best = Infinity;
  for (let batch = 0; batch < 50; batch++) {
    const start = process.hrtime.bigint();
    for (let i = 0; i < repetitions; i++) action();
    best = Math.min(best, Number(process.hrtime.bigint() - start) / 1000 / repetitions);
  }
  return best;
}

console.log(JSON.stringify({
  multiply: least(() => evaluator.multiplyPlain(ciphertext, factor, result)),
  prepared: least(() => {
    evaluator.cipherTransformToNtt(ciphertext, values);
    evaluator.multiplyPlain(values, factorValues, product);
    evaluator.cipherTransformFromNtt(product, result);
  }),
  encrypt: least(() => encryptor.encryptSymmetric(message, ciphertext)),
  decrypt: least(() => decryptor.decrypt(ciphertext, decrypted)),
}));
process.exit(0);
