import { featuresOf, names } from './features.mjs';
import { LinearClient } from './linear.mjs';
import { mails } from './mails.mjs';
import { EncryptedModel, deployment, hex } from './server.mjs';

const element = (id) => document.getElementById(id);
const shown = { bytes: 160, digest: 16 };
let model;
let client;

async function begin() {
  mails.forEach((mail, i) => element('pick').append(new Option(mail.name, String(i))));
  element('pick').append(new Option('your own', ''));
  element('pick').addEventListener('change', () => {
    const mail = mails[element('pick').value];
    element('mail').value = mail ? mail.text : '';
    element('mail').scrollTop = 0;
    if (!mail) element('mail').focus();
    forget();
  });
  element('mail').addEventListener('input', () => {
    element('pick').value = '';
    forget();
  });
  element('mail').value = mails[0].text;
  element('ask').addEventListener('click', () => say(ask));

  model = await EncryptedModel.find((await deployment()).model);
  const { features } = model.specification;
  if (features.length !== names.length || features.some((feature, i) => feature.name !== names[i])) throw new Error("This page does not compute this model's features.");
  client = await LinearClient.create(model.specification);
  await model.register();
  const verified = await deployment();
  element('simulated').hidden = !verified.simulated;
  element('manifest').textContent = `${verified.manifest.slice(0, shown.digest)} …`;
  element('model').textContent = model.specification.model;
  element('digest').textContent = `${model.specification.digest.slice(0, shown.digest)} …`;
  element('learns').replaceChildren(...model.specification.learns.map((sentence) => item(sentence)));
  element('ask').disabled = false;
  element('state').textContent = 'Ready. The key was made here a moment ago.';
}

async function ask() {
  element('state').textContent = 'Encrypting and asking …';
  const row = featuresOf(element('mail').value);
  const integers = client.integersOf(row);
  const { answer, query, envelope, milliseconds } = await model.ask(client.encrypt(integers));
  const { name, probability, score } = client.judge(client.decrypt(answer)[0]);

  element('verdict').textContent = name;
  element('verdict').className = name === 'spam' ? 'spam' : 'fine';
  element('probability').textContent = `probability of spam ${(100 * probability).toFixed(1)} %`;
  element('needle').style.width = `${100 * probability}%`;
  element('answer').dataset.score = String(score);
  element('answer').dataset.probability = String(probability);
  element('counted').textContent = String(row.length);
  element('features').replaceChildren(...row.flatMap((value, i) => (value === 0 ? [] : [feature(names[i], value)])));
  element('queryBytes').textContent = `${query.length.toLocaleString('en')} bytes, for any e-mail`;
  element('answerBytes').textContent = `${envelope.length.toLocaleString('en')} bytes`;
  element('time').textContent = `${milliseconds.toFixed(0)} ms`;
  element('bytes').textContent = `${hex(query.subarray(0, shown.bytes))} …`;
  element('answer').hidden = element('details').hidden = false;
  element('state').textContent = '';
}

// An answer belongs to the text that was asked about.
function forget() {
  element('answer').hidden = element('details').hidden = true;
}

// One thing at a time; whatever goes wrong is said where the person looks.
async function say(work) {
  element('ask').disabled = true;
  element('state').className = 'quiet';
  try {
    await work();
    element('ask').disabled = false;
  } catch (error) {
    element('state').className = 'bad';
    element('state').textContent = error.message;
    element('ask').disabled = !client;
  }
}

function item(text) {
  const entry = document.createElement('li');
  entry.textContent = text;
  return entry;
}

function feature(name, value) {
  const entry = item(`${name.replace(/^(word|char)_freq_/, '').replaceAll('_', ' ')} `);
  const number = document.createElement('b');
  number.textContent = Number.isInteger(value) ? String(value) : value.toFixed(2);
  entry.append(number);
  return entry;
}

say(begin);
