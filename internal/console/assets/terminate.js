// The dialog that ends a process: the check of the moment, CANCEL or CONFIRM,
// how it goes, and the result. Nothing is ended without CONFIRM, and what the
// page shows decides nothing: the server checks everything again.
import { get, isAway, post, Problem } from './api.js';
import { byId, el, setText } from './dom.js';
import { clock } from './format.js';
import { icon } from './icons.js';
import { goTo, leave } from './route.js';
import { bearer } from './session.js';
import { reasonText, t, tCode } from './words.js';

const ended = ['terminated', 'killed', 'already_exited'];
const patience = 5; // seconds that a process has by default until it is forced

export class TerminateDialog {
  #dialog = byId('terminate');
  #actions;
  #process = null;
  #steps = null; // aborts the check that is going on
  #busy = false;
  #timer = null;

  /** actions: askToken opens the form of the token, onEnded tells of an end. */
  constructor(actions) {
    this.#actions = actions;
    byId('terminate-cancel').addEventListener('click', () => this.#dialog.close());
    byId('terminate-confirm').addEventListener('click', () => this.#confirm());
    this.#dialog.addEventListener('cancel', (event) => this.#busy && event.preventDefault());
    this.#dialog.addEventListener('close', () => {
      if (this.#dialog.open) return; // the event comes late: it was opened again
      this.#steps?.abort();
      this.#process = null;
      leave();
    });
  }

  /** Opens the dialog on a process, of which pid and identity are enough. */
  open(process) {
    if (this.#busy) return;
    this.#process = process;
    goTo(process, true);
    setText(byId('terminate-name'), `[${process.name ?? `PID ${process.pid}`}]`);
    setText(byId('terminate-pid'), process.name ? `PID ${process.pid}` : '');
    if (!this.#dialog.open) this.#dialog.showModal();
    byId('terminate-cancel').focus();
    this.check();
  }

  /** Asks the server anew whether the process may be ended. */
  async check() {
    const process = this.#process;
    if (!process || this.#busy) return;
    this.#steps?.abort();
    this.#steps = new AbortController();
    const { signal } = this.#steps;
    this.#show('checking', t('terminate.checking'));
    try {
      const answer = await get(`processes/${process.pid}/termination`, signal);
      if (!signal.aborted) this.#checked(process, answer);
    } catch (error) {
      if (!signal.aborted) this.#failed(error);
    }
  }

  #checked(process, answer) {
    const live = answer.process;
    setText(byId('terminate-name'), `[${live.name ?? process.name}]`);
    setText(byId('terminate-pid'), [`PID ${process.pid}`, live.user, live.exe].filter(Boolean).join(' · '));
    if (process.identity && live.identity && live.identity !== process.identity) {
      this.#show('refused', t('terminate.another'));
      return;
    }
    process.identity ??= live.identity;
    if (!answer.allowed) {
      this.#show('refused', t('terminate.refused'), answer.reasons.map(lock));
      return;
    }
    const notes = answer.policy.state ? [t(`policy.${answer.policy.state}`)] : [];
    if (answer.weaker) notes.push(t('terminate.weaker'));
    if (bearer() === null) notes.push(t('terminate.needsToken'));
    this.#show('allowed', t('terminate.allowed', { time: clock() }), notes.map((text) => el('li', { text })));
    byId('terminate-question').hidden = false;
  }

  /** Sends the request that the operator has confirmed. */
  async #confirm() {
    if (this.#busy || !this.#process) return;
    if (bearer() === null) {
      if (await this.#actions.askToken()) this.check();
      return;
    }
    const process = this.#process;
    this.#busy = true;
    this.#progress();
    try {
      this.#done(process, await this.#send(process));
    } catch (error) {
      this.#busy = false;
      if (error instanceof Problem && error.status === 401 && await this.#actions.askToken(true)) this.check();
      else this.#failed(error);
    } finally {
      this.#busy = false;
      clearInterval(this.#timer);
    }
  }

  /** Sends it once more where the answer was lost: the key lets nothing happen twice. */
  async #send(process) {
    const key = Array.from(crypto.getRandomValues(new Uint32Array(4)), (n) => n.toString(36)).join('-');
    const request = () => post(`processes/${process.pid}/terminate`, { identity: process.identity, reason: 'console' },
      undefined, { 'Idempotency-Key': key });
    try {
      return await request();
    } catch (error) {
      if (!isAway(error)) throw error;
      return request();
    }
  }

  #progress() {
    const begun = performance.now();
    this.#show('running', t('terminate.soft'));
    const bar = byId('terminate-progress');
    const step = () => {
      const seconds = (performance.now() - begun) / 1000;
      bar.value = Math.min(seconds / patience, 1);
      if (seconds > patience) setText(byId('terminate-status'), t('terminate.hard', { seconds: Math.floor(seconds) }));
    };
    step();
    this.#timer = setInterval(step, 100);
  }

  #done(process, result) {
    const seconds = (result.total_seconds ?? 0).toFixed(result.total_seconds < 1 ? 2 : 1);
    const lines = [];
    if (result.sent) lines.push(el('li', { text: t('terminate.sent', { signals: result.sent.join(' → '), seconds }) }));
    for (const child of result.children ?? []) lines.push(el('li', { text: t('terminate.child', { name: child.name, pid: child.pid }) }));
    if (result.unaudited) lines.push(el('li', { text: t('terminate.unaudited') }));
    this.#show(ended.includes(result.outcome) ? 'ended' : 'pending', tCode('outcome', result.outcome), lines);
    if (ended.includes(result.outcome)) this.#actions.onEnded(process);
  }

  #failed(error) {
    clearInterval(this.#timer);
    if (!(error instanceof Problem)) {
      this.#show('refused', t('terminate.away'));
      return;
    }
    const reasons = error.termination?.reasons ?? [];
    const text = reasons.length > 0 ? t('terminate.refused') : tProblem(error);
    this.#show('refused', text, reasons.map(lock));
    if (error.status === 404 && this.#process?.identity) this.#actions.onEnded(this.#process);
  }

  /** Shows a stage: its sentence, what is behind it, and the buttons it has. */
  #show(stage, text, lines = []) {
    this.#dialog.dataset.stage = stage;
    setText(byId('terminate-status'), text);
    byId('terminate-lines').replaceChildren(...lines);
    byId('terminate-question').hidden = true;
    byId('terminate-progress').hidden = stage !== 'running';
    const confirm = byId('terminate-confirm');
    confirm.hidden = stage !== 'allowed' && stage !== 'checking';
    confirm.disabled = stage !== 'allowed';
    const cancel = byId('terminate-cancel');
    cancel.disabled = stage === 'running';
    setText(cancel, t(['allowed', 'checking', 'running'].includes(stage) ? 'terminate.cancel' : 'terminate.close'));
    if (!this.#dialog.contains(document.activeElement) || document.activeElement === this.#dialog) cancel.focus();
  }
}

const lock = (reason) => el('li', {}, icon('lock', 14), ` ${reasonText(reason)} `, el('code', { text: reason.code }));

/** A problem in words of the page, or else in those of the server. */
export function tProblem(problem) {
  const known = t(`problem.${problem.code}`);
  return known === `problem.${problem.code}` ? problem.message : known;
}
