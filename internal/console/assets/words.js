// What the page says, in English and Korean. Texts of the API come in the
// language that is asked for; codes are the same in all of them.

const languages = ['en', 'ko'];
const storageKey = 'server-monitor.language';

let words = {};
let current = 'en';
const listeners = new Set();

/** Reads the words, and chooses the language of the viewer. */
export async function loadWords() {
  const response = await fetch(new URL('words.json', import.meta.url));
  words = await response.json();
  const browser = (navigator.languages ?? [navigator.language])
    .map((tag) => tag.toLowerCase().split('-')[0])
    .find((tag) => languages.includes(tag));
  current = remembered() ?? browser ?? 'en';
  translate(document);
}

// A browser may forbid to keep anything.
function remembered() {
  try {
    const kept = localStorage.getItem(storageKey);
    return languages.includes(kept) ? kept : null;
  } catch {
    return null;
  }
}

export const language = () => current;

/** Switches the language of the whole page, and keeps it. */
export function setLanguage(wanted) {
  if (!languages.includes(wanted) || wanted === current) return;
  current = wanted;
  try {
    localStorage.setItem(storageKey, wanted);
  } catch { /* it holds until the page is left */ }
  translate(document);
  for (const listener of listeners) listener(wanted);
}

/** Calls a function whenever the language changes. */
export const onLanguage = (listener) => listeners.add(listener);

/** The words of a key, with values for its {names}. */
export function t(key, values = {}) {
  const text = words[key]?.[current] ?? words[key]?.en ?? key;
  return text.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
}

/** The words of a code within a group, or the code itself where it is new. */
export function tCode(group, code) {
  const key = `${group}.${code}`;
  return key in words ? t(key) : code.replaceAll('_', ' ').replaceAll('-', ' ');
}

/** A reason of the API, which carries its sentence in both languages. */
export function reasonText(reason) {
  const text = (current === 'ko' && reason.text_ko) || reason.text || reason.code;
  return reason.detail ? `${text} (${reason.detail})` : text;
}

/** Puts the words of the language into what the page came with. */
function translate(root) {
  document.documentElement.lang = current;
  for (const element of root.querySelectorAll('[data-word]')) element.textContent = t(element.dataset.word);
  for (const element of root.querySelectorAll('[data-word-label]')) element.setAttribute('aria-label', t(element.dataset.wordLabel));
  for (const element of root.querySelectorAll('[data-word-placeholder]')) element.placeholder = t(element.dataset.wordPlaceholder);
}
