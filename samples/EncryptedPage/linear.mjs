// A client of an encrypted linear model, on SEAL in WebAssembly: rows become integers and ciphertexts here, answers become scores here.
// The secret key is made when the page opens, stays in this page's memory, and is gone with it.
import createSeal from './node_modules/node-seal/dist/index_throws.js';

export class LinearClient {
  // specification: what the server publishes of the model (docs/formats/he-model.md).
  static async create(specification) {
    const { parameters, layout } = specification;
    if (specification.design !== 'Linear') throw new Error(`This page asks linear models; '${specification.model}' is of the design ${specification.design}.`);
    if (parameters.circuitPrivacy) throw new Error('This page makes no public key, which this model asks for.');
    if (layout.queryCiphertexts !== 1) throw new Error('This page sends one ciphertext; this model wants more.');
    const seal = await createSeal();
    const chosen = new seal.EncryptionParameters(seal.SchemeType.bfv);
    chosen.setPolyModulusDegree(parameters.degree);
    chosen.setCoeffModulus(seal.vecFromArrayModulus(parameters.primes.map((prime) => new seal.Modulus(BigInt(prime)))));
    chosen.setPlainModulus(new seal.Modulus(BigInt(parameters.plaintextModulus)));
    // SEAL's own table of secure parameters is asked, whatever the server says of them.
    const context = new seal.SEALContext(chosen, true, seal.SecLevelType.tc128);
    if (!context.parametersSet()) throw new Error("SEAL does not take this model's parameters as secure at 128 bits.");
    return new LinearClient(specification, seal, context);
  }

  constructor(specification, seal, context) {
    const keys = new seal.KeyGenerator(context);
    this.specification = specification;
    this.seal = seal;
    this.context = context;
    this.encryptor = new seal.Encryptor(context, keys.createPublicKey(), keys.secretKey());
    this.decryptor = new seal.Decryptor(context, keys.secretKey());
  }

  // A row's integers, as the specification says: round((x - offset) / step), halves to the even neighbour, held within the range.
  integersOf(row) {
    const { features } = this.specification;
    if (row.length !== features.length) throw new Error(`The model takes ${features.length} features, not ${row.length}.`);
    return row.map((value, i) => {
      const { offset, step, minimum, maximum } = features[i];
      if (!Number.isFinite(value)) throw new Error(`The feature ${features[i].name} is not a number.`);
      return Math.min(maximum, Math.max(minimum, roundToEven((value - offset) / step)));
    });
  }

  // One row in a seeded ciphertext, as SEAL saves it.
  encrypt(integers) {
    const { seal, context } = this;
    const { degree, plaintextModulus } = this.specification.parameters;
    const plaintext = new seal.Plaintext(degree, degree);
    try {
      // SEAL has no setter for coefficients, but a format: the coefficients are its last 64-bit numbers.
      const saved = new Uint8Array(plaintext.saveToArray(seal.ComprModeType.none));
      const coefficients = new DataView(saved.buffer, saved.length - 8 * degree);
      integers.forEach((integer, i) => coefficients.setBigUint64(8 * i, BigInt(integer < 0 ? plaintextModulus + integer : integer), true));
      plaintext.loadFromArray(context, saved);
      const ciphertext = this.encryptor.encryptSymmetricSerializable(plaintext);
      const bytes = new Uint8Array(ciphertext.saveToArray(seal.ComprModeType.none));
      ciphertext.delete();
      return bytes;
    } finally {
      plaintext.delete();
    }
  }

  // The scores of an answer's first row: score k stands at coefficient (k + 1) * features - 1.
  decrypt(answer) {
    const { seal, context, specification } = this;
    const { degree, plaintextModulus } = specification.parameters;
    const ciphertext = new seal.Ciphertext(context);
    const plaintext = new seal.Plaintext(degree, degree);
    try {
      ciphertext.loadFromArray(context, answer);
      this.decryptor.decrypt(ciphertext, plaintext);
      const saved = new Uint8Array(plaintext.saveToArray(seal.ComprModeType.none));
      const count = plaintext.coeffCount();
      const coefficients = new DataView(saved.buffer, saved.length - 8 * count);
      const features = specification.features.length;
      return specification.output.scales.map((scale, k) => {
        const at = (k + 1) * features - 1;
        const residue = at < count ? Number(coefficients.getBigUint64(8 * at, true)) : 0;
        const integer = residue > plaintextModulus / 2 ? residue - plaintextModulus : residue;
        return integer * scale + specification.output.offsets[k];
      });
    } finally {
      ciphertext.delete();
      plaintext.delete();
    }
  }

  // The verdict of a score between two classes.
  judge(score) {
    const { link, classes, threshold } = this.specification.output;
    if (link !== 'Logistic' || classes.length !== 2) throw new Error('This page shows models that tell two classes apart.');
    return { name: classes[score > threshold ? 1 : 0], probability: 1 / (1 + Math.exp(-score)), score };
  }
}

function roundToEven(x) {
  const floor = Math.floor(x);
  const rest = x - floor;
  if (rest !== 0.5) return Math.round(x);
  return floor % 2 === 0 ? floor : floor + 1;
}
