// Keeps the page up to date: one stream of events for all of it; where a stream
// does not come through, by asking again and again. Nothing is asked for while
// nobody looks, or while the server has said that it wants a token.
import { get, isAway, Problem, stream } from './api.js';
import { language } from './words.js';

const pollEvery = 5000;
const polledCalls = ['resources', 'services', 'processes'];
const silenceLimit = 40000; // the server says something every 15 seconds
const firstLimit = 10000; // a proxy that keeps events back never lets the first one through
const retryLimit = 30000;
const streamAgain = 120000;

export class Live {
  #onEvent;
  #onStatus;
  #run = null; // aborts what goes on
  #noStreamUntil = 0;

  /** onEvent is given name and data; onStatus a word and how long it waits. */
  constructor(onEvent, onStatus) {
    this.#onEvent = onEvent;
    this.#onStatus = onStatus;
    document.addEventListener('visibilitychange', () => (document.hidden ? this.#pause() : this.start()));
  }

  /** Begins, or begins anew with another token or language. */
  start() {
    this.#run?.abort();
    if (document.hidden) {
      this.#pause();
      return;
    }
    this.#run = new AbortController();
    this.#keepUp(this.#run.signal);
  }

  #pause() {
    this.#run?.abort();
    this.#run = null;
    this.#onStatus('paused');
  }

  async #keepUp(signal) {
    let failures = 0;
    this.#onStatus('connecting');
    while (!signal.aborted) {
      try {
        if (performance.now() < this.#noStreamUntil) await this.#poll(signal);
        else await this.#follow(signal, () => { failures = 0; });
      } catch (error) {
        if (signal.aborted) return;
        if (error instanceof Problem && error.status === 401) {
          this.#onStatus('locked');
          return;
        }
        if (error instanceof Problem && error.code === 'too-many-failed-logins') {
          this.#onStatus('barred');
          return;
        }
        if (error === noStream || (error instanceof Problem && [404, 429, 501].includes(error.status))) {
          this.#noStreamUntil = performance.now() + streamAgain;
          continue;
        }
        const wait = Math.min(1000 * 2 ** failures, retryLimit) * (0.75 + Math.random() / 2);
        failures++;
        this.#onStatus(isAway(error) ? 'away' : 'failing', wait);
        await pause(wait, signal);
      }
    }
  }

  /** Reads the stream to its end. */
  async #follow(signal, onSuccess) {
    const own = new AbortController();
    const stop = () => own.abort();
    signal.addEventListener('abort', stop);
    let opened = false;
    let reason = null;
    let watch = setTimeout(() => { reason = noStream; stop(); }, firstLimit);
    try {
      await stream(`stream?language=${language()}`, own.signal, (name, data) => {
        if (name === null && !opened) return;
        clearTimeout(watch);
        watch = setTimeout(() => { reason = new Error('silence'); stop(); }, silenceLimit);
        if (name === null) return;
        if (name === 'end') {
          reason = data.code === 'unauthorized' ? new Problem(401, data) : new Error(data.code);
          return;
        }
        if (!opened) {
          opened = true;
          onSuccess();
          this.#onStatus('live');
        }
        this.#onEvent(name, data);
      });
    } catch (error) {
      throw reason ?? error;
    } finally {
      clearTimeout(watch);
      signal.removeEventListener('abort', stop);
    }
    throw reason ?? new Error('the stream ended');
  }

  /** Asks for everything again and again, until it is time to try a stream. */
  async #poll(signal) {
    while (!signal.aborted && performance.now() < this.#noStreamUntil) {
      for (const call of polledCalls) {
        const query = { processes: `?limit=5000&language=${language()}`, services: `?language=${language()}` }[call] ?? '';
        try {
          this.#onEvent(call, await get(call + query, signal));
        } catch (error) {
          if (!(error instanceof Problem) || error.status === 401 || error.status === 429) throw error;
          if (error.status !== 501) this.#onEvent('problem', { about: call, code: error.code, text: error.message });
        }
      }
      this.#onStatus('polling');
      await pause(pollEvery, signal);
    }
  }
}

const noStream = new Error('no stream');

function pause(milliseconds, signal) {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, milliseconds);
    signal.addEventListener('abort', () => { clearTimeout(timer); resolve(); }, { once: true });
  });
}
