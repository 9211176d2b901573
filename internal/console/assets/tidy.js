// The view TIDY UP: what a user has started and may be ended, with the memory
// that it would give back; and what is the system's, with the reason for its lock.
import { byId, el, reconcile, setText } from './dom.js';
import { ago, bytes, count, percent, span } from './format.js';
import { dot, isOff, obstacles, permission, portList } from './process_parts.js';
import { language, t } from './words.js';

const hogRatio = 0.05; // of the machine's memory
const unusedAfter = 6 * 3600; // seconds since the start
const unusedShare = 1 / 3600; // of a core, on average since then
const lockedShown = 50;

const groups = ['hogs', 'unused', 'background', 'applications'];

/** The group of a process that may be ended; the first that fits. */
export function groupOf(process, cpu, now = Date.now()) {
  const age = (now - Date.parse(process.start_time)) / 1000;
  if (process.memory_ratio >= hogRatio || process.findings.some((f) => f.warning.startsWith('HIGH_MEMORY_USAGE'))) return 'hogs';
  if (age >= unusedAfter && process.cpu_seconds / age < unusedShare && !(cpu > unusedShare)) return 'unused';
  return process.tty ? 'applications' : 'background';
}

export class TidyPanel {
  #store;
  #actions;
  #allLocked = false;

  constructor(store, actions) {
    this.#store = store;
    this.#actions = actions;
    byId('locked-all').addEventListener('click', () => {
      this.#allLocked = !this.#allLocked;
      this.show();
    });
  }

  show() {
    if (!this.#store.head || byId('view-tidy').hidden) return;
    const all = this.#store.list();
    const free = all.filter((p) => obstacles(p).length === 0);
    const locked = all.filter((p) => obstacles(p).length > 0);
    this.#showFree(free);
    this.#showLocked(locked);
  }

  #showFree(free) {
    const memory = free.reduce((sum, p) => sum + p.resident_memory_bytes, 0);
    setText(byId('tidy-total'), free.length === 0 ? t('tidy.none') : t('tidy.total', { n: count(free.length), memory: bytes(memory) }));
    byId('tidy-off').hidden = !free.some(isOff);
    const members = new Map(groups.map((g) => [g, []]));
    for (const p of free) members.get(groupOf(p, this.#store.cpu(p))).push(p);
    const filled = groups.filter((g) => members.get(g).length > 0);
    reconcile(byId('tidy-groups'), filled, (g) => g, (g, known) => this.#group(g, members.get(g), known));
  }

  #group(name, members, known) {
    const section = known ?? el('section', { 'aria-labelledby': `tidy-${name}` },
      el('h4', { id: `tidy-${name}` }), el('p', { class: 'hint' }), el('ul', { class: 'tidy' }));
    const memory = members.reduce((sum, p) => sum + p.resident_memory_bytes, 0);
    setText(section.children[0], t('tidy.group', { group: t(`tidy.${name}`), n: count(members.length), memory: bytes(memory) }));
    setText(section.children[1], t(`tidy.${name}.hint`));
    members.sort((a, b) => b.resident_memory_bytes - a.resident_memory_bytes);
    reconcile(section.children[2], members, (p) => p.identity, (p, row) => this.#row(p, row));
    return section;
  }

  #row(p, known) {
    const look = [language(), p.name, p.verdict, JSON.stringify(p.termination), portList(p)].join('\n');
    if (known?.look === look) {
      setText(known.numbers, this.#numbers(p));
      return known;
    }
    const numbers = el('span', { class: 'tidy-numbers', text: this.#numbers(p) });
    const row = el('li', {},
      el('div', { class: 'tidy-name' }, ...dot(p.verdict),
        el('button', { type: 'button', class: 'name', 'data-action': 'details', onclick: () => this.#actions.details(p) },
          el('bdi', { text: p.name }), el('span', { class: 'pid', text: ` (PID ${p.pid})` })), numbers),
      permission(p, this.#actions.terminate));
    return Object.assign(row, { look, numbers });
  }

  #numbers(p) {
    const parts = [this.#memory(p), `CPU ${percent(this.#store.cpu(p))}`,
      p.user, t('tidy.started', { ago: ago(p.start_time), cpu: span(p.cpu_seconds) })];
    if (p.listen.length > 0) parts.push(`${t('process.port')} ${portList(p)}`);
    return parts.join(' · ');
  }

  #memory(p) {
    const memory = bytes(p.resident_memory_bytes);
    return obstacles(p).length === 0 ? t('tidy.gives', { memory }) : `${t('details.memory')} ${memory}`;
  }

  #showLocked(locked) {
    setText(byId('locked-title'), t('tidy.locked', { n: count(locked.length) }));
    locked.sort((a, b) => b.resident_memory_bytes - a.resident_memory_bytes);
    const shown = this.#allLocked ? locked : locked.slice(0, lockedShown);
    reconcile(byId('locked'), shown, (p) => p.identity, (p, row) => this.#row(p, row));
    const more = byId('locked-all');
    more.hidden = locked.length <= lockedShown;
    more.setAttribute('aria-pressed', String(this.#allLocked));
    setText(more, this.#allLocked ? t('services.few') : t('services.all', { n: count(locked.length) }));
  }
}
