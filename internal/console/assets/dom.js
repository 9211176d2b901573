// Builds elements out of text. Nothing on this page ever parses markup: names,
// paths and log lines were chosen by anybody who may start a process.

const namespace = 'http://www.w3.org/2000/svg';

/**
 * Makes an element. Of the properties, class, text and handlers (onclick) are
 * set as such, everything else is an attribute; null and false leave it out.
 * Children are elements or text; null and false are left out too.
 */
export function el(tag, properties = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === null || value === undefined || value === false) continue;
    if (name === 'class') made.className = value;
    else if (name === 'text') made.textContent = value;
    else if (name.startsWith('on')) made.addEventListener(name.slice(2), value);
    else made.setAttribute(name, value === true ? '' : value);
  }
  made.append(...children.flat().filter((c) => c !== null && c !== undefined && c !== false));
  return made;
}

/** Makes an element of a picture. */
export function shape(tag, attributes, ...children) {
  const made = document.createElementNS(namespace, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

export const byId = (id) => document.getElementById(id);

/** Sets a text only where it differs, so that nothing is read out again. */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/**
 * Makes the children of a list those that are wanted, by key. What is there
 * already stays in place, with its focus; render makes a new one or renews an
 * old one, which it is told.
 */
export function reconcile(parent, items, keyOf, render) {
  const old = new Map();
  for (const child of parent.children) old.set(child.dataset.key, child);
  let place = parent.firstElementChild;
  for (const item of items) {
    const key = String(keyOf(item));
    const known = old.get(key);
    const wanted = render(item, known);
    wanted.dataset.key = key;
    old.delete(key);
    if (known && known !== wanted) {
      if (place === known) place = wanted;
      known.replaceWith(wanted);
    }
    if (place === wanted) place = wanted.nextElementSibling;
    else parent.insertBefore(wanted, place);
  }
  for (const left of old.values()) left.remove();
}

/** Runs a function once things have been quiet for a while. */
export function debounce(milliseconds, run) {
  let timer;
  return (...args) => {
    clearTimeout(timer);
    timer = setTimeout(() => run(...args), milliseconds);
  };
}
