// The panel PROCESSES: what runs, is it dangerous, and why.
import { byId, debounce, el, reconcile, setText } from './dom.js';
import { bytes, count, percent } from './format.js';
import { dot, finding, permission, portList, summary } from './process_parts.js';
import { matches, orderOf } from './store.js';
import { language, t } from './words.js';

const pageSize = 50; // rows that exist at a time, however many processes there are
const verdicts = ['danger', 'caution', 'safe'];

export class ProcessPanel {
  #store;
  #actions;
  #page = 0;
  #chosen = new Set();

  /** actions are what rows can ask for: details and terminate. */
  constructor(store, actions) {
    this.#store = store;
    this.#actions = actions;
    const filter = debounce(150, () => this.#filter());
    byId('process-filter').addEventListener('input', filter);
    byId('process-order').addEventListener('change', () => this.#filter());
    byId('page-back').addEventListener('click', () => this.#turn(-1));
    byId('page-on').addEventListener('click', () => this.#turn(1));
    for (const verdict of verdicts) {
      byId(`verdict-${verdict}`).addEventListener('click', () => this.#toggle(verdict));
    }
  }

  #toggle(verdict) {
    if (!this.#chosen.delete(verdict)) this.#chosen.add(verdict);
    this.#filter();
  }

  #filter() {
    this.#page = 0;
    this.show();
    byId('process-list').scrollTop = 0;
    setText(byId('announcer'), t('processes.found', { n: count(this.#wanted().length) }));
  }

  #turn(by) {
    this.#page += by;
    this.show();
    const list = byId('process-list');
    list.scrollTop = 0;
    list.focus();
  }

  #wanted() {
    const text = byId('process-filter').value.trim().toLowerCase();
    return this.#store.list().filter((p) => (this.#chosen.size === 0 || this.#chosen.has(p.verdict)) && matches(p, text));
  }

  /** Shows the list as it is now. */
  show() {
    if (!this.#store.head) return;
    this.#showVerdicts();
    const order = byId('process-order').value;
    const wanted = this.#wanted();
    if (order !== 'danger') wanted.sort(orderOf(order, this.#store));
    const pages = Math.max(1, Math.ceil(wanted.length / pageSize));
    this.#page = Math.min(Math.max(this.#page, 0), pages - 1);
    const from = this.#page * pageSize;
    const rows = wanted.slice(from, from + pageSize);
    reconcile(byId('processes'), rows, (p) => p.identity, (p, known) => this.#render(p, known));
    byId('processes-none').hidden = wanted.length > 0;
    byId('pages').hidden = pages === 1;
    byId('page-back').disabled = this.#page === 0;
    byId('page-on').disabled = this.#page === pages - 1;
    setText(byId('page-at'), t('processes.page', {
      from: count(Math.min(from + 1, wanted.length)), to: count(from + rows.length), n: count(wanted.length),
    }));
  }

  #showVerdicts() {
    for (const verdict of verdicts) {
      const button = byId(`verdict-${verdict}`);
      button.setAttribute('aria-pressed', String(this.#chosen.has(verdict)));
      setText(button.querySelector('.count'), count(this.#store.head.verdicts[verdict] ?? 0));
    }
  }

  /** A row is made anew where more than numbers changed. */
  #render(p, known) {
    const look = [language(), p.name, p.user, p.verdict, p.role, p.summary, JSON.stringify(p.findings),
      JSON.stringify(p.termination), portList(p)].join('\n');
    const row = known?.look === look ? known : this.#make(p, look, known);
    row.process = p;
    setText(row.cpu, percent(this.#store.cpu(p)));
    setText(row.memory, `${percent(p.memory_ratio)} (${bytes(p.resident_memory_bytes)})`);
    return row;
  }

  #make(p, look, known) {
    const cpu = el('span', { class: 'number' });
    const memory = el('span', { class: 'number' });
    const row = el('li', { class: `process ${p.verdict}` });
    const current = () => row.process;
    const may = permission(p, () => this.#actions.terminate(current()));
    const locked = may.matches('.lock');
    row.append(
      el('div', { class: 'process-head' },
        el('h3', {}, ...dot(p.verdict),
          el('button', { type: 'button', class: 'name', 'data-action': 'details', onclick: () => this.#actions.details(current()) },
            el('bdi', { text: p.name }), el('span', { class: 'pid', text: ` (PID ${p.pid})` }))),
        locked ? null : may),
      el('p', { class: 'role', text: p.role }),
      el('p', { class: 'numbers' },
        'CPU : ', cpu, el('span', { class: 'bar-sign', text: ' | ' }), 'MEM : ', memory,
        el('span', { class: 'bar-sign', text: ' | ' }), `${t('process.user')} : `, el('bdi', { text: p.user })),
      el('p', { class: 'numbers' }, `${t('process.port')} : ${portList(p)}`),
      summary(p),
      p.findings.length > 0 ? el('ul', { class: 'findings' }, p.findings.map(finding)) : '',
      locked ? may : '');
    keepFocus(known, row);
    return Object.assign(row, { look, cpu, memory });
  }
}

/** Hands the focus of a row on to the one that takes its place. */
function keepFocus(known, row) {
  const action = known?.contains(document.activeElement) ? document.activeElement.dataset.action : null;
  if (!action) return;
  queueMicrotask(() => (row.querySelector(`[data-action="${action}"]`) ?? row.querySelector('button')).focus());
}
