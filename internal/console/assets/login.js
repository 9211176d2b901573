// The dialog that asks for a token, once for each tab.
import { byId, setText } from './dom.js';
import { isAway, Problem, tryToken } from './api.js';
import { bearer, setToken } from './session.js';
import { tProblem } from './terminate.js';
import { t } from './words.js';

const form = /^smk_[A-Za-z0-9_.-]{8,200}$/;

export class Login {
  #dialog = byId('login');
  #answer = null;

  constructor() {
    byId('login-cancel').addEventListener('click', () => this.#dialog.close());
    byId('login-form').addEventListener('submit', (event) => {
      event.preventDefault();
      this.#take(byId('login-token').value.trim());
    });
    this.#dialog.addEventListener('close', () => {
      byId('login-token').value = '';
      this.#answer?.(bearer() !== null);
      this.#answer = null;
    });
  }

  /** Asks for a token; tells whether there is one afterwards. */
  ask(wrong = false) {
    setText(byId('login-note'), wrong ? t('login.wrong') : '');
    if (!this.#dialog.open) this.#dialog.showModal();
    byId('login-token').focus();
    return new Promise((resolve) => { this.#answer = resolve; });
  }

  /** Tries a token on a call that needs one, before it is kept. */
  async #take(token) {
    if (!form.test(token)) {
      this.#refuse(t('login.form'));
      return;
    }
    try {
      await tryToken(token);
      setToken(token);
      this.#dialog.close();
    } catch (error) {
      if (error instanceof Problem && error.status === 401) this.#refuse(t('login.wrong'));
      else this.#refuse(isAway(error) ? t('status.away') : tProblem(error));
    }
  }

  #refuse(text) {
    setText(byId('login-note'), text);
    byId('login-token').focus();
  }
}
