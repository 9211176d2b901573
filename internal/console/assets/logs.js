// The panel LOG CONSOLE: the last lines of a log, and every line that comes.
import { get, isAway, Problem, stream } from './api.js';
import { byId, debounce, el, setText } from './dom.js';
import { clock, count } from './format.js';
import { bearer } from './session.js';
import { tProblem } from './terminate.js';
import { language, t } from './words.js';

const kept = 500; // lines that the page holds
const first = 20; // lines that are asked for where there is no stream
const pollEvery = 3000;
const retryAfter = 3000;

export class LogPanel {
  #view = byId('log');
  #sources = byId('log-source');
  #run = null;
  #lines = [];
  #waiting = []; // lines that came while paused
  #paused = false;
  #filter = '';

  constructor() {
    this.#sources.addEventListener('change', () => this.#follow());
    byId('log-pause').addEventListener('click', () => this.#togglePause());
    byId('log-filter').addEventListener('input', debounce(150, () => {
      this.#filter = byId('log-filter').value.trim().toLowerCase();
      this.#draw();
    }));
    document.addEventListener('visibilitychange', () => {
      if (document.hidden) this.#run?.abort();
      else if (this.#sources.value) this.#follow();
    });
  }

  /** Asks which logs there are, and follows the one that was chosen. */
  async open(off) {
    this.#run?.abort();
    if (off || bearer() === null) {
      this.#clear();
      this.#sources.replaceChildren();
      this.#say(t(off ? 'log.off' : 'log.needsToken'));
      return;
    }
    try {
      const { sources } = await get('logs');
      const chosen = this.#sources.value;
      this.#sources.replaceChildren(...sources.map((name) => el('option', { value: name, text: name })));
      if (sources.includes(chosen)) this.#sources.value = chosen;
      if (sources.length === 0) this.#say(t('log.none'));
      else this.#follow();
    } catch (error) {
      this.#say(error instanceof Problem ? tProblem(error) : t('status.away'));
    }
  }

  async #follow() {
    this.#run?.abort();
    this.#run = new AbortController();
    const { signal } = this.#run;
    const source = encodeURIComponent(this.#sources.value);
    this.#clear();
    this.#say(t('log.reading'));
    while (!signal.aborted) {
      let problem = null;
      try {
        let fresh = true; // a stream begins with the last lines
        await stream(`logs/stream?source=${source}&language=${language()}`, signal, (name, data) => {
          if (name === 'log' && fresh) this.#clear();
          if (name === 'log') fresh = false;
          if (name === 'problem') problem = data.text;
          this.#take(name, data);
        });
      } catch (error) {
        if (signal.aborted) return;
        if (error instanceof Problem && error.status === 404 && error.code === 'no-such-call') await this.#poll(source, signal);
        else if (error instanceof Problem) problem = tProblem(error);
        else if (isAway(error)) problem = t('log.away');
        if (error instanceof Problem && error.status === 401) {
          this.#say(problem);
          return;
        }
      }
      if (problem) this.#say(problem);
      await new Promise((resolve) => { setTimeout(resolve, retryAfter); });
    }
  }

  /** Asks again and again where the server has no stream of logs. */
  async #poll(source, signal) {
    while (!signal.aborted) {
      const { lines } = await get(`logs?source=${source}&lines=${first}&language=${language()}`, signal);
      this.#lines = [];
      this.#take('log', { lines });
      await new Promise((resolve) => { setTimeout(resolve, pollEvery); });
    }
  }

  #take(name, data) {
    if (name === 'skipped') this.#add([{ level: 'warning', text: t('log.skipped', { n: count(data.lines) }), own: true }]);
    if (name === 'log') this.#add(data.lines);
  }

  #add(lines) {
    if (this.#paused) {
      this.#waiting = [...this.#waiting, ...lines].slice(-kept);
      this.#showPause();
      return;
    }
    this.#lines = [...this.#lines, ...lines].slice(-kept);
    if (this.#lines.length > 0) this.#say('');
    this.#append(lines);
  }

  #append(lines) {
    const view = this.#view;
    const atEnd = view.scrollHeight - view.scrollTop - view.clientHeight < 24;
    view.append(...lines.filter((l) => this.#wants(l)).map(renderLine));
    while (view.childElementCount > kept) view.firstElementChild.remove();
    if (atEnd) view.scrollTop = view.scrollHeight;
  }

  #draw() {
    this.#view.replaceChildren();
    this.#append(this.#lines);
    this.#view.scrollTop = this.#view.scrollHeight;
  }

  #wants(line) {
    return this.#filter === '' || `${line.unit ?? ''} ${line.level} ${line.text}`.toLowerCase().includes(this.#filter);
  }

  #clear() {
    this.#lines = [];
    this.#waiting = [];
    this.#view.replaceChildren();
    this.#showPause();
  }

  #togglePause() {
    this.#paused = !this.#paused;
    const waiting = this.#waiting;
    this.#waiting = [];
    if (!this.#paused) this.#add(waiting);
    this.#showPause();
  }

  #showPause() {
    const button = byId('log-pause');
    button.setAttribute('aria-pressed', String(this.#paused));
    const text = this.#paused ? t('log.resume', { n: count(this.#waiting.length) }) : t('log.pause');
    setText(button, text);
  }

  /** Says everything again in another language. */
  translate(off) {
    this.#showPause();
    if (this.#sources.value) this.#draw();
    else this.open(off);
  }

  #say(text) {
    setText(byId('log-note'), text);
    byId('log-note').hidden = text === '';
  }
}

const levelWords = { warning: /warn/i, error: /err|crit|fatal|emerg|alert|panic/i, debug: /debug|trace/i };

/** Tells a line that needs no word for its colour: it is plain, or says it itself. */
const isPlain = (line) => line.level === 'info' || levelWords[line.level]?.test(line.text);

function renderLine(line) {
  return el('p', { class: `line ${line.level}` },
    line.time ? el('time', { datetime: line.time, text: `${clock(line.time)} ` }) : null,
    isPlain(line) ? null : el('span', { class: 'level', text: `[${line.level.toUpperCase()}] ` }),
    line.unit ? el('span', { class: 'unit', text: `${line.unit}: ` }) : null,
    el('bdi', { text: line.text }),
    line.cut ? el('span', { class: 'cut', text: ` ${t('log.cut')}` }) : null);
}
