// Loading and saving, by node-seal: prints the least microseconds of each over many runs.
// Arguments: the folder where node-seal is installed, the parameters, rounds.
import { pathToFileURL } from 'node:url';

const [folder, parameters, rounds] = process.argv.slice(2);
const { default: SEAL } = await import(pathToFileURL(`${folder}/node_modules/node-seal/dist/index_throws.js`));
const seal = await SEAL();
const p = new seal.EncryptionParameters(seal.SchemeType.bfv);
p.loadFromArray(new Uint8Array(Buffer.from(parameters, 'base64')));
const context = new seal.SEALContext(p, true, seal.SecLevelType.tc128);
const generator = new seal.KeyGenerator(context);
const encryptor = new seal.Encryptor(context, generator.createPublicKey(), generator.secretKey());
const fresh = encryptor.encryptSymmetricSerializable(new seal.Plaintext(p.polyModulusDegree()));
const ciphertext = new seal.Ciphertext();

function least(action, count) {
  let result = Infinity;
  for (let round = 0; round < count; round++) {
    const start = process.hrtime.bigint();
    action();
    result = Math.min(result, Number(process.hrtime.bigint() - start) / 1e3);
  }
  return result;
}

const load = source => least(() => ciphertext.loadFromArray(context, source), Number(rounds));
const figures = { zlib: load(fresh.saveToArray(seal.ComprModeType.zlib)), seeded: load(fresh.saveToArray(seal.ComprModeType.none)) };
const whole = ciphertext.saveToArray(seal.ComprModeType.none);
figures.whole = load(whole);
figures.save = least(() => ciphertext.saveToArray(seal.ComprModeType.none), Number(rounds));
figures.saveZlib = least(() => ciphertext.saveToArray(seal.ComprModeType.zlib), Number(rounds));
console.log(JSON.stringify(figures));
