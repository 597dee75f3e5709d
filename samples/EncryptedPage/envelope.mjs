// The envelope of encrypted queries and answers (docs/formats/he-envelope.md), with the browser's own cryptography. It binds a
// ciphertext to the model, the key, the caller and the request; what hides the row is the ciphertext within.

export const kinds = { sealQuery: 2, sealAnswer: 4 };
const headerBytes = 124;
const tagBytes = 16;
const magic = new TextEncoder().encode('CLHEENVL');

// identity: { modelDigest (32 bytes), keyId (16), owner (32), envelopeKey (32) }.
export async function seal(body, kind, identity, requestId) {
  const header = headerOf(body.length, kind, identity, requestId, crypto.getRandomValues(new Uint8Array(12)));
  const key = await keyFor(identity, requestId, 'query', 'encrypt');
  const sealed = await crypto.subtle.encrypt({ name: 'AES-GCM', iv: header.subarray(112, 124), additionalData: header }, key, body);
  return join(header, new Uint8Array(sealed));
}

// Everything in the header is what it must be before a byte of the body is looked at; only the nonce is the sender's to choose.
export async function open(envelope, kind, identity, requestId) {
  if (envelope.length < headerBytes + tagBytes + 1) throw new Error('The answer is no envelope: it is too short.');
  const header = envelope.subarray(0, headerBytes);
  const wanted = headerOf(envelope.length - headerBytes - tagBytes, kind, identity, requestId, header.subarray(112, 124));
  if (!header.every((byte, at) => byte === wanted[at])) throw new Error('The answer belongs to another model, key, caller or request.');
  const key = await keyFor(identity, requestId, 'answer', 'decrypt');
  try {
    return new Uint8Array(await crypto.subtle.decrypt({ name: 'AES-GCM', iv: header.subarray(112, 124), additionalData: header }, key, envelope.subarray(headerBytes)));
  } catch {
    throw new Error('The answer was changed on its way.');
  }
}

function headerOf(length, kind, identity, requestId, nonce) {
  const header = new Uint8Array(headerBytes);
  header.set(magic, 0);
  header[8] = 1;
  header[9] = kind;
  new DataView(header.buffer).setUint32(12, length, true);
  header.set(identity.modelDigest, 16);
  header.set(identity.keyId, 48);
  header.set(identity.owner, 64);
  header.set(requestId, 96);
  header.set(nonce, 112);
  return header;
}

async function keyFor(identity, requestId, direction, use) {
  const material = await crypto.subtle.importKey('raw', identity.envelopeKey, 'HKDF', false, ['deriveKey']);
  const info = join(labelled('cloister/he/envelope/v1'), labelled(direction));
  return crypto.subtle.deriveKey({ name: 'HKDF', hash: 'SHA-256', salt: requestId, info }, material, { name: 'AES-GCM', length: 256 }, false, [use]);
}

function labelled(text) {
  const bytes = new TextEncoder().encode(text);
  const length = new Uint8Array(4);
  new DataView(length.buffer).setUint32(0, bytes.length, true);
  return join(length, bytes);
}

export function join(...parts) {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
