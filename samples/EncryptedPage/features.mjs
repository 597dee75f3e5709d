// The 57 features of an e-mail that the UCI data set Spambase defines: how often words and characters occur, in percent, and how
// long the runs of capital letters are. samples/Spam/SpamFeatures.cs is its twin: the two give the same numbers to the last bit.

export const words = [
  'make', 'address', 'all', '3d', 'our', 'over', 'remove', 'internet', 'order', 'mail', 'receive', 'will',
  'people', 'report', 'addresses', 'free', 'business', 'email', 'you', 'credit', 'your', 'font', '000', 'money',
  'hp', 'hpl', 'george', '650', 'lab', 'labs', 'telnet', '857', 'data', '415', '85', 'technology',
  '1999', 'parts', 'pm', 'direct', 'cs', 'meeting', 'original', 'project', 're', 'edu', 'table', 'conference',
];
export const characters = [';', '(', '[', '!', '$', '#'];
export const names = [
  ...words.map((word) => `word_freq_${word}`),
  ...characters.map((character) => `char_freq_${character}`),
  'capital_run_length_average', 'capital_run_length_longest', 'capital_run_length_total',
];

// A word is a run of ASCII letters and digits, whatever their case; a character is a UTF-16 unit; a text with none of a kind has zeros.
export function featuresOf(mail) {
  const found = (mail.match(/[A-Za-z0-9]+/g) ?? []).map((word) => word.toLowerCase());
  const runs = (mail.match(/[A-Z]+/g) ?? []).map((run) => run.length);
  const capitals = runs.reduce((sum, run) => sum + run, 0);
  const percent = (count, of) => (of === 0 ? 0 : (100 * count) / of);
  return [
    ...words.map((word) => percent(found.filter((other) => other === word).length, found.length)),
    ...characters.map((character) => percent(mail.split(character).length - 1, mail.length)),
    runs.length === 0 ? 0 : capitals / runs.length,
    runs.reduce((longest, run) => Math.max(longest, run), 0),
    capitals,
  ];
}
