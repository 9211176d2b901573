// The token of whoever looks. It is kept for this tab alone, and goes out in one
// header of requests to this server, never in an address.

const storageKey = 'server-monitor.token';
const fragment = /^#token=(smk_[A-Za-z0-9_.-]+)$/;

let token = null;
const listeners = new Set();

/**
 * Takes the token of the tab, or of the address, where it must not stay. Tells
 * whether the address had one.
 */
export function openSession() {
  const given = fragment.exec(location.hash);
  if (given) {
    history.replaceState(null, '', location.pathname + location.search);
    keep(given[1]);
    return true;
  }
  try {
    token = sessionStorage.getItem(storageKey);
  } catch { /* a browser may forbid it */ }
  return false;
}

export const bearer = () => token;

/** Keeps a token, null to forget it, and tells everybody. */
export function setToken(wanted) {
  keep(wanted);
  for (const listener of listeners) listener(wanted !== null);
}

function keep(wanted) {
  token = wanted;
  try {
    if (wanted === null) sessionStorage.removeItem(storageKey);
    else sessionStorage.setItem(storageKey, wanted);
  } catch { /* it holds until the page is left */ }
}

/** Calls a function whenever the token changes. */
export const onToken = (listener) => listeners.add(listener);
