// The dialog with everything that is known of one process.
import { byId, el } from './dom.js';
import { bytes, count, moment, percent, span } from './format.js';
import { icon } from './icons.js';
import { dot, finding, isOff, obstacles, permission, summary } from './process_parts.js';
import { goTo, leave, route } from './route.js';
import { reasonText, t, tCode } from './words.js';

export class Details {
  #store;
  #actions;
  #shown = null;
  #dialog = byId('details');

  constructor(store, actions) {
    this.#store = store;
    this.#actions = actions;
    byId('details-close').addEventListener('click', () => this.#dialog.close());
    this.#dialog.addEventListener('close', () => {
      if (this.#dialog.open) return; // the event comes late: it was opened again
      this.#shown = null;
      if (!route()?.terminate) leave();
    });
  }

  /** Opens the dialog on a process. */
  open(process) {
    this.#shown = process;
    this.#render(process);
    goTo(process);
    if (!this.#dialog.open) this.#dialog.showModal();
  }

  /** Brings what is shown up to date, and says where the process has ended. */
  refresh() {
    if (!this.#shown) return;
    const now = this.#store.find(this.#shown.pid, this.#shown.identity);
    byId('details-ended').hidden = now !== null;
    if (now && JSON.stringify(now) !== JSON.stringify(this.#shown)) {
      const focused = this.#dialog.contains(document.activeElement) ? document.activeElement.dataset.action : null;
      this.#shown = now;
      this.#render(now);
      if (focused) this.#dialog.querySelector(`[data-action="${focused}"]`)?.focus();
    }
  }

  /** Says everything again in another language. */
  translate() {
    if (this.#shown) this.#render(this.#shown);
  }

  #render(p) {
    byId('details-ended').hidden = true;
    byId('details-title').replaceChildren(...dot(p.verdict), el('bdi', { text: p.name }), ` (PID ${p.pid})`);
    byId('details-body').replaceChildren(
      el('p', { class: 'role', text: p.role }),
      summary(p),
      p.findings.length > 0 ? el('ul', { class: 'findings' }, p.findings.map(finding)) : '',
      this.#facts(p),
      this.#sockets(p),
      this.#permission(p));
  }

  #facts(p) {
    const parent = this.#store.find(p.ppid, null);
    const facts = [
      ['exe', p.exe], ['user', `${p.user} (uid ${p.uid})`], ['state', tCode('doing', p.state)], ['started', moment(p.start_time)],
      ['cpu', `${percent(this.#store.cpu(p))} · ${span(p.cpu_seconds)}`],
      ['memory', `${bytes(p.resident_memory_bytes)} (${percent(p.memory_ratio)})`],
      ['threads', count(p.threads)], ['fds', p.open_fds === undefined ? null : count(p.open_fds)],
      ['tty', p.tty], ['unit', p.unit], ['container', p.container], ['category', p.category],
      ['known', t(p.known ? 'details.yes' : 'details.no')], ['unseen', p.unseen?.map((f) => tCode('fact', f)).join(', ')],
      ['identity', p.identity],
    ].filter(([, value]) => value);
    const rows = facts.flatMap(([name, value]) => [el('dt', { text: t(`details.${name}`) }), el('dd', {}, el('bdi', { text: value }))]);
    const link = parent && parent.pid !== p.pid
      ? el('button', { type: 'button', class: 'link', 'data-action': 'parent', onclick: () => this.open(parent) },
        el('bdi', { text: parent.name }), ` (PID ${parent.pid})`)
      : `PID ${p.ppid}`;
    rows.push(el('dt', { text: t('details.parent') }), el('dd', {}, link));
    return el('dl', { class: 'facts' }, rows);
  }

  #sockets(p) {
    if (p.listen.length === 0) return el('p', { class: 'hint', text: t('details.silent') });
    const head = ['protocol', 'address', 'port', 'scope'].map((name) => el('th', { scope: 'col', text: t(`details.${name}`) }));
    const rows = p.listen.map((s) => el('tr', {},
      el('td', { text: s.protocol }), el('td', { text: s.address }),
      el('td', { text: s.port_name ? `${s.port} ${s.port_name}` : String(s.port) }),
      el('td', { class: `scope ${s.scope}`, text: tCode('scope', s.scope) })));
    return el('table', { class: 'sockets' }, el('caption', { text: t('details.sockets') }), el('thead', {}, el('tr', {}, head)), el('tbody', {}, rows));
  }

  #permission(p) {
    const against = obstacles(p);
    const part = el('section', { class: 'permission' }, el('h3', { text: t('details.permission') }));
    if (against.length === 0) {
      part.append(permission(p, this.#actions.terminate), isOff(p) ? '' : el('p', { class: 'hint', text: t('details.may') }));
      return part;
    }
    part.append(el('ul', { class: 'locks' }, against.map((r) => el('li', {}, icon('lock', 14), ` ${reasonText(r)} `, el('code', { text: r.code })))));
    return part;
  }
}
