// What can be broken, each part with its state and what can be done to it now.

import { api } from './api.js';
import { make } from './dom.js';

const titles = { bot: 'Bot', worker: 'Worker', vpnnode: 'VPN node', postgres: 'Postgres', redis: 'Redis', cryptopay: 'Crypto Pay', telegram: 'Telegram' };

const acts = {
  stop: ['Stop', 'SIGTERM: away until it is started'],
  start: ['Start', 'Start it'],
  freeze: ['Freeze', 'SIGSTOP: its connections stay open, and nothing answers'],
  continue: ['Continue', 'SIGCONT'],
  kill: ['Kill', 'SIGKILL: the sandbox starts it again'],
  errors: ['Answer 500', 'Every call fails'],
  silence: ['Hang', 'No call is answered in time'],
  lose_hooks: ['Lose webhooks', 'The worker has to ask for the invoices'],
  lose_reply: ['Lose answers', 'Calls work, and the bot never hears of it'],
  flood: ['Answer 429', 'Every call is told to come later'],
  duplicates: ['Double updates', 'Every update comes twice'],
  mend: ['Mend', 'Behave well again'],
};

const states = {
  up: 'up', stopped: 'stopped', frozen: 'frozen', starting: 'starting', errors: 'answers 500', silence: 'hangs',
  lose_hooks: 'loses webhooks', lose_reply: 'loses answers', flood: 'answers 429', duplicates: 'doubles updates',
};

const mending = ['start', 'continue', 'mend'];

export class Services {
  constructor() {
    this.element = make('ul', { class: 'services' });
    this.rows = new Map(); // name -> {key, element}
    this.busy = new Set();
    this.problems = new Map(); // name -> text
  }

  show(services) {
    this.last = services;
    for (const service of services) {
      const key = JSON.stringify([service.state, service.detail, service.actions, this.busy.has(service.name), this.problems.get(service.name)]);
      const row = this.rows.get(service.name);
      if (row?.key === key) continue;
      const element = this.draw(service);
      if (row) this.replace(row.element, element);
      else this.element.append(element);
      this.rows.set(service.name, { key, element });
    }
  }

  // replace keeps the focus of somebody who uses the keyboard in the row.
  replace(old, element) {
    const hadFocus = old.contains(document.activeElement);
    old.replaceWith(element);
    if (hadFocus) (element.querySelector('button:not(:disabled)') || element).focus({ preventScroll: true });
  }

  draw(service) {
    const title = titles[service.name] || service.name.replace(/^\w/, (c) => c.toUpperCase());
    const isBusy = this.busy.has(service.name);
    const problem = this.problems.get(service.name);
    return make('li', { class: 'part ' + (service.state === 'up' && !service.detail?.includes('faults') ? 'up' : 'broken'), testid: 'service-' + service.name, 'data-state': service.state, tabindex: -1 },
      make('div', { class: 'head' },
        make('b', {}, title), make('span', { class: 'pill', testid: 'state', title: `since ${new Date(service.since).toLocaleTimeString('en-GB')}` }, states[service.state] || service.state),
        make('small', { class: 'quiet' }, service.detail)),
      make('div', { class: 'acts' }, service.actions.map((action) => make('button', {
        type: 'button', class: 'act' + (mending.includes(action) ? ' mend' : ''), testid: 'action', 'data-action': action, title: acts[action]?.[1],
        disabled: isBusy, 'aria-label': `${acts[action]?.[0] || action}: ${title}`, onclick: () => this.order(service.name, action),
      }, acts[action]?.[0] || action))),
      problem && make('p', { class: 'error', role: 'alert' }, problem));
  }

  async order(name, action) {
    this.busy.add(name);
    this.problems.delete(name);
    this.show(this.last);
    let services = null;
    try {
      services = await api.order(name, action);
    } catch (error) {
      this.problems.set(name, error.message);
    }
    this.busy.delete(name);
    this.show(services || this.last);
  }
}
