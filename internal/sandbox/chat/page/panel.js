// The control panel: the clock, what can be broken, and what the database knows.

import { api } from './api.js';
import { byID, make } from './dom.js';
import { Services } from './services.js';
import { drawBooks, drawLedger, drawWork } from './tables.js';
import { Watch } from './watch.js';

const remembered = 'sandbox.panel';
const pace = 1500; // milliseconds between two looks
const slowPace = 6000; // at what costs more, while nothing changes

export class Panel {
  // page: links, openPerson(id), changed() when it opens or closes, isNarrow().
  constructor(element, page) {
    this.element = element;
    this.page = page;
    this.toggleButton = byID('panel-toggle');
    this.names = new Map();
    this.watch = new Watch();
    this.services = new Services();
    this.books = make('div', { class: 'books', testid: 'books-detail' });
    this.ledger = make('div', { class: 'ledger', testid: 'ledger' });
    this.work = make('div', {});
    this.trouble = make('p', { class: 'trouble', role: 'status', testid: 'panel-trouble', hidden: true });
    this.element.append(
      this.trouble, this.watch.element,
      section('Books and ledger', 'books-section', this.books, this.ledger),
      section('Break and mend', 'services', this.services.element),
      this.work,
      make('p', { class: 'links' }, 'Also: ', page.links.map((one) => make('a', { href: one.url, target: '_blank', rel: 'noopener' }, one.name))));
    this.toggleButton.addEventListener('click', () => this.toggle(!this.isOpen));
    this.newest = null;
    this.slowAt = 0;
  }

  get isOpen() { return !this.element.hidden; }

  begin() {
    const last = localStorage.getItem(remembered);
    this.toggle(this.page.isNarrow() ? false : last === null ? innerWidth >= 1100 : last === 'open');
    this.look();
    document.addEventListener('visibilitychange', () => { if (!document.hidden) this.look(); });
  }

  toggle(isOpen) {
    this.element.hidden = !isOpen;
    this.toggleButton.setAttribute('aria-expanded', String(isOpen));
    this.toggleButton.classList.toggle('open', isOpen);
    if (!this.page.isNarrow()) localStorage.setItem(remembered, isOpen ? 'open' : 'closed');
    this.page.changed();
    if (isOpen) this.look();
  }

  // look reads what is to be seen, again and again while somebody can see it.
  async look() {
    clearTimeout(this.next);
    if (document.hidden) return;
    if (this.isLooking) { this.again = true; return; }
    this.isLooking = true;
    try {
      await this.read();
      this.say('');
    } catch (error) {
      this.slowAt = 0;
      this.say(error.message);
      drawBooks(byID('books-chip'), this.books, null);
    }
    this.isLooking = false;
    this.next = setTimeout(() => this.look(), this.again ? 0 : pace);
    this.again = false;
  }

  async read() {
    const [clock, services] = await Promise.all([api.clock(), api.services()]);
    this.watch.show(clock);
    this.services.show(services);
    const transfers = await api.ledger();
    const newest = transfers[0]?.transfer_id ?? 0;
    const isDue = newest !== this.newest || Date.now() >= this.slowAt;
    if (this.isOpen) {
      if (transfers.some((one) => !this.names.has(one.telegram_id))) await this.readNames();
      drawLedger(this.ledger, transfers, this.names, this.page.openPerson);
      drawWork(this.work, await api.work());
    }
    if (isDue) {
      drawBooks(byID('books-chip'), this.books, await api.books());
      this.newest = newest;
      this.slowAt = Date.now() + slowPace;
    }
  }

  async readNames() {
    for (const one of await api.people()) this.names.set(one.id, one.first_name);
  }

  say(text) {
    const sentence = text && text[0].toUpperCase() + text.slice(1) + '.';
    this.trouble.hidden = text === '';
    this.element.classList.toggle('stale', text !== '');
    if (this.trouble.textContent !== sentence) this.trouble.textContent = sentence;
  }
}

function section(title, testid, ...content) {
  return make('section', { class: 'card', testid }, make('h2', {}, title), content);
}
