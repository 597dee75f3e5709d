// The three requests of an encrypted model, through the program on this machine that verified the deployment.
import { join, kinds, open, seal } from './envelope.mjs';

export async function deployment() {
  return (await answered(await fetch('/deployment'))).json();
}

export class EncryptedModel {
  static async find(model) {
    const root = `/v2/models/${encodeURIComponent(model)}/encrypted`;
    return new EncryptedModel(root, await (await answered(await fetch(root))).json());
  }

  constructor(root, specification) {
    this.root = root;
    this.specification = specification;
  }

  // Names this page's key to the server, which gives an envelope key for it. The key itself stays here.
  async register() {
    const keyId = crypto.getRandomValues(new Uint8Array(16));
    const response = await fetch(`${this.root}/keys`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ keyId: hex(keyId) }) });
    const given = await (await answered(response)).json();
    this.identity = { modelDigest: fromHex(this.specification.digest), keyId, owner: fromHex(given.owner), envelopeKey: fromBase64(given.envelopeKey) };
  }

  // Sends one row's ciphertext; answers with the answer's ciphertext, and with what went over the wire.
  async ask(ciphertext) {
    if (!this.identity) await this.register();
    const requestId = crypto.getRandomValues(new Uint8Array(16));
    const query = await seal(join(count(1), ciphertext), kinds.sealQuery, this.identity, requestId);
    const start = performance.now();
    const response = await answered(await fetch(`${this.root}/infer`, { method: 'POST', headers: { 'content-type': 'application/octet-stream' }, body: query }));
    const envelope = new Uint8Array(await response.arrayBuffer());
    const milliseconds = performance.now() - start;
    const body = await open(envelope, kinds.sealAnswer, this.identity, requestId);
    return { answer: body.subarray(4), query, envelope, milliseconds };
  }
}

async function answered(response) {
  if (response.ok) return response;
  const text = await response.text();
  let reason = text;
  try {
    reason = JSON.parse(text).error ?? text;
  } catch {
    // It is no JSON: its text is the reason.
  }
  throw new Error(`${reason || 'The server gave no reason.'} (HTTP ${response.status})`);
}

function count(rows) {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, rows, true);
  return bytes;
}

export const hex = (bytes) => [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('');
const fromHex = (text) => Uint8Array.from(text.match(/../g), (pair) => Number.parseInt(pair, 16));
const fromBase64 = (text) => Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
