// Calls of /api/v1. An answer that is no success becomes a Problem (RFC 9457).
import { bearer } from './session.js';

export class Problem extends Error {
  constructor(status, body) {
    super(body.detail || body.title || `HTTP ${status}`);
    this.status = status;
    this.code = body.code ?? 'unknown';
    this.termination = body.termination ?? null;
  }
}

/** Tells a failure to reach the server from an answer of it. */
export const isAway = (error) => !(error instanceof Problem) && error.name !== 'AbortError';

const address = (path) => new URL(`api/v1/${path}`, document.baseURI);

async function ask(path, options, token = bearer()) {
  const headers = { Accept: 'application/json', ...options.headers };
  if (token !== null) headers.Authorization = `Bearer ${token}`;
  const response = await fetch(address(path), { ...options, headers, cache: 'no-store', credentials: 'omit', redirect: 'error' });
  if (response.ok) return response;
  let body = {};
  try {
    body = await response.json();
  } catch { /* a proxy in front may answer with a page */ }
  throw new Problem(response.status, body);
}

/** Asks for JSON. */
export async function get(path, signal) {
  return (await ask(path, { signal })).json();
}

/** Makes a call that needs a token with one that is not kept yet. */
export const tryToken = (token) => ask('logs', {}, token);

/** Sends JSON and gives the answer. */
export async function post(path, body, signal, headers = {}) {
  const response = await ask(path, {
    method: 'POST', body: JSON.stringify(body), signal, headers: { 'Content-Type': 'application/json', ...headers },
  });
  return response.json();
}

/**
 * Reads server-sent events until the stream ends, and gives each to a function
 * by name and data. EventSource cannot send the header of the token.
 */
export async function stream(path, signal, onEvent) {
  const response = await ask(path, { signal, headers: { Accept: 'text/event-stream' } });
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = '';
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    onEvent(null, null); // signs of life count too
    const blocks = (rest + value).split('\n\n');
    rest = blocks.pop();
    for (const block of blocks) deliver(block, onEvent);
  }
}

function deliver(block, onEvent) {
  let name = 'message';
  const data = [];
  for (const line of block.split('\n')) {
    if (line.startsWith('event:')) name = line.slice(6).trim();
    else if (line.startsWith('data:')) data.push(line.slice(5).replace(/^ /, ''));
  }
  if (data.length > 0) onEvent(name, JSON.parse(data.join('\n')));
}
