// What is known of the processes: the last list of the server, with what only a
// series of lists can tell.

const verdicts = ['danger', 'caution', 'safe'];

/** The rank of a verdict, danger first. */
export const rank = (process) => verdicts.indexOf(process.verdict);

/** The processes by their identity; a pid alone may be another one's tomorrow. */
export class Store {
  rows = new Map();
  head = null;
  #cpu = new Map(); // identity → {seconds, taken, ratio}
  #ended = new Set(); // what this page has seen end, before the server says so

  /** Takes a whole list. */
  replace(page) {
    this.rows = new Map();
    this.#take(page, page.processes);
    for (const identity of this.#cpu.keys()) if (!this.rows.has(identity)) this.#cpu.delete(identity);
    for (const identity of this.#ended) if (!this.rows.has(identity)) this.#ended.delete(identity);
  }

  /** Takes what changed since the last list. */
  change(page) {
    for (const identity of page.gone) {
      this.rows.delete(identity);
      this.#cpu.delete(identity);
      this.#ended.delete(identity);
    }
    const present = new Set(page.processes.map((p) => p.identity));
    const taken = Date.parse(page.taken);
    for (const [identity, known] of this.#cpu) {
      if (!present.has(identity)) this.#measure(identity, known.seconds, taken); // it has not moved
    }
    this.#take(page, page.processes);
  }

  #take(page, processes) {
    const { processes: _rows, gone: _gone, ...head } = page;
    this.head = head;
    const taken = Date.parse(page.taken);
    for (const process of processes) {
      this.#measure(process.identity, process.cpu_seconds, taken);
      this.rows.set(process.identity, process);
    }
  }

  /** Compares CPU time with that of the list before. */
  #measure(identity, seconds, taken) {
    const before = this.#cpu.get(identity);
    if (before && taken <= before.taken) return;
    const ratio = before ? Math.max(0, seconds - before.seconds) / ((taken - before.taken) / 1000) : null;
    this.#cpu.set(identity, { seconds, taken, ratio });
  }

  /** How much of one core a process took lately; null until that is known. */
  cpu(process) {
    return this.#cpu.get(process.identity)?.ratio ?? null;
  }

  /** Notes that a process has ended, so that it goes from the page at once. */
  markEnded(identity) {
    this.#ended.add(identity);
  }

  /** All that live, in the order of the server's lists: danger first. */
  list() {
    return [...this.rows.values()].filter((p) => !this.#ended.has(p.identity)).sort(byDanger);
  }

  find(pid, identity) {
    const known = this.rows.get(identity);
    if (known || identity) return known ?? null;
    for (const process of this.rows.values()) if (process.pid === pid) return process;
    return null;
  }
}

const byText = (a, b) => (a < b ? -1 : Number(a > b));

export const byDanger = (a, b) => rank(a) - rank(b) || byText(a.name, b.name) || a.pid - b.pid;

/** Makes the comparison for an order of the list. */
export function orderOf(name, store) {
  const orders = {
    danger: byDanger,
    cpu: (a, b) => (store.cpu(b) ?? -1) - (store.cpu(a) ?? -1) || byDanger(a, b),
    memory: (a, b) => b.resident_memory_bytes - a.resident_memory_bytes || byDanger(a, b),
    name: (a, b) => byText(a.name.toLowerCase(), b.name.toLowerCase()) || a.pid - b.pid,
    pid: (a, b) => a.pid - b.pid,
    start: (a, b) => Date.parse(b.start_time) - Date.parse(a.start_time) || b.pid - a.pid,
  };
  return orders[name] ?? byDanger;
}

/** Tells whether a process bears a text somewhere. */
export function matches(process, text) {
  if (text === '') return true;
  const pid = /^pid\s*(\d+)$/.exec(text); // whole: "pid 32" is not 3210, which one might end by mistake
  if (pid) return process.pid === Number(pid[1]);
  const words = [process.name, process.exe, process.user, process.unit, process.container, process.role, `pid ${process.pid}`,
    ...process.listen.map((s) => `:${s.port} ${s.port_name ?? ''}`), ...process.findings.map((f) => f.warning)];
  return words.join('\n').toLowerCase().includes(text);
}
