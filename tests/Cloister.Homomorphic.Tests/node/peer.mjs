// SEAL, driven line by line: a JSON request on standard input, its JSON answer on standard output, bytes in base64.
// A context is made once and holds one set of keys.
import { createInterface } from 'node:readline';
import SEAL from 'node-seal';

const seal = await SEAL();
const compressions = { none: seal.ComprModeType.none, zlib: seal.ComprModeType.zlib, zstd: seal.ComprModeType.zstd };
const contexts = new Map();

const save = (object, compression = 'none') => Buffer.from(object.saveToArray(compressions[compression])).toString('base64');

// What a request makes and nobody keeps lies in SEAL's own memory, which is not collected: it is freed when the answer is out.
let temporary = [];
const passing = object => (temporary.push(object), object);

function load(Type, data, ...context) {
  const object = new Type();
  object.loadFromArray(...context, new Uint8Array(Buffer.from(data, 'base64')));
  return object;
}

function keep(c, name, object) {
  c[name]?.delete();
  c[name] = object;
}

// "1x^3 + A" in hexadecimal, as SEAL prints messages, to coefficients.
function coefficients(plaintext) {
  const result = {};
  for (const term of plaintext.toString().split(' + ')) {
    const [coefficient, power] = term.split('x^');
    result[power ?? 0] = BigInt(`0x${coefficient}`).toString();
  }
  return result;
}

const operations = {
  version: () => process.version,

  context({ name, degree, bits, t, parameters }) {
    let p;
    if (parameters) {
      p = new seal.EncryptionParameters(seal.SchemeType.bfv);
      p.loadFromArray(new Uint8Array(Buffer.from(parameters, 'base64')));
    } else {
      p = new seal.EncryptionParameters(seal.SchemeType.bfv);
      p.setPolyModulusDegree(degree);
      p.setCoeffModulus(seal.CoeffModulus.Create(degree, Int32Array.from(bits)));
      p.setPlainModulus(new seal.Modulus(BigInt(t)));
    }
    const context = new seal.SEALContext(p, true, seal.SecLevelType.tc128);
    if (!context.parametersSet()) throw new Error('SEAL refuses the parameters');
    for (const object of Object.values(contexts.get(name) ?? {})) object?.delete();
    contexts.set(name, { context, evaluator: new seal.Evaluator(context) });
    const words = id => [...id.values()].map(String);
    return { parameters: save(p), zlib: save(p, 'zlib'), keyId: words(context.keyParmsId()), firstId: words(context.firstParmsId()) };
  },

  generate({ name, compression, steps }) {
    const c = contexts.get(name);
    const generator = passing(new seal.KeyGenerator(c.context));
    keep(c, 'secret', generator.secretKey());
    keep(c, 'open', generator.createPublicKey());
    const keys = {
      secret: save(c.secret, compression),
      open: save(c.open, compression),
      openSeeded: save(passing(generator.createPublicKeySerializable()), compression),
    };
    if (c.context.usingKeyswitching() && steps !== false) { // false: only the keys that encryption needs
      keep(c, 'relin', generator.createRelinKeys());
      keep(c, 'galois', generator.createGaloisKeysWithSteps(Int32Array.from(steps ?? [1])));
      keys.relin = save(c.relin, compression);
      keys.relinSeeded = save(passing(generator.createRelinKeysSerializable()), compression);
      keys.galois = save(c.galois, compression);
      keys.galoisSeeded = save(passing(generator.createGaloisKeysSerializableWithSteps(Int32Array.from(steps ?? [1]))), compression);
    }
    return keys;
  },

  adopt({ name, secret, open, relin, galois }) {
    const c = contexts.get(name);
    if (secret) keep(c, 'secret', load(seal.SecretKey, secret, c.context));
    if (open) keep(c, 'open', load(seal.PublicKey, open, c.context));
    if (relin) keep(c, 'relin', load(seal.RelinKeys, relin, c.context));
    if (galois) keep(c, 'galois', load(seal.GaloisKeys, galois, c.context));
    return true;
  },

  encrypt({ name, plaintext, how, compression }) {
    const c = contexts.get(name);
    const message = passing(load(seal.Plaintext, plaintext, c.context));
    const encryptor = passing(new seal.Encryptor(c.context, c.open, c.secret));
    if (how === 'seeded') return save(passing(encryptor.encryptSymmetricSerializable(message)), compression);
    const ciphertext = passing(new seal.Ciphertext());
    if (how === 'public') encryptor.encrypt(message, ciphertext);
    else encryptor.encryptSymmetric(message, ciphertext);
    return save(ciphertext, compression);
  },

  decrypt({ name, ciphertext }) {
    const c = contexts.get(name);
    const message = passing(new seal.Plaintext());
    const decryptor = passing(new seal.Decryptor(c.context, c.secret));
    const loaded = passing(load(seal.Ciphertext, ciphertext, c.context));
    decryptor.decrypt(loaded, message);
    return { plaintext: save(message), coefficients: coefficients(message), budget: decryptor.invariantNoiseBudget(loaded) };
  },

  // A batch of numbers as a message, and back.
  encode({ name, numbers }) {
    const message = passing(new seal.Plaintext());
    passing(new seal.BatchEncoder(contexts.get(name).context)).encode(BigUint64Array.from(numbers.map(BigInt)), message);
    return save(message);
  },

  decode({ name, plaintext }) {
    const { context } = contexts.get(name);
    return [...passing(new seal.BatchEncoder(context)).decodeBigUint64(passing(load(seal.Plaintext, plaintext, context)))].map(String);
  },

  compute({ name, what, a, b, plaintext, steps, compression }) {
    const c = contexts.get(name);
    const left = passing(load(seal.Ciphertext, a, c.context));
    const right = b && passing(load(seal.Ciphertext, b, c.context));
    const message = plaintext && passing(load(seal.Plaintext, plaintext, c.context));
    const result = passing(new seal.Ciphertext());
    switch (what) {
      case 'add': c.evaluator.add(left, right, result); break;
      case 'addPlain': c.evaluator.addPlain(left, message, result); break;
      case 'multiplyPlain': c.evaluator.multiplyPlain(left, message, result); break;
      case 'multiply': c.evaluator.multiply(left, right, result); break;
      case 'relinearize': c.evaluator.relinearize(left, c.relin, result); break;
      case 'rotateRows': c.evaluator.rotateRows(left, steps, c.galois, result); break;
      case 'rotateColumns': c.evaluator.rotateColumns(left, c.galois, result); break;
      case 'modSwitch': c.evaluator.cipherModSwitchToNext(left, result); break;
      case 'toNtt': c.evaluator.cipherTransformToNtt(left, result); break;
      default: throw new Error(`no such computation: ${what}`);
    }
    return save(result, compression);
  },

  // Parses an object as SEAL does, and saves it again.
  echo({ name, type, data, compression }) {
    return save(passing(load(seal[type], data, contexts.get(name).context)), compression);
  },
};

for await (const line of createInterface({ input: process.stdin })) {
  let answer;
  try {
    const request = JSON.parse(line);
    answer = { result: operations[request.op](request) };
  } catch (failure) {
    answer = { error: Array.isArray(failure.message) ? failure.message.join(': ') : String(failure.message ?? failure) };
  }
  for (const object of temporary) object.delete();
  temporary = [];
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
