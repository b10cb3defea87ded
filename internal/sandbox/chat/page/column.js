// A column: one person's chat with the bot.

import { api } from './api.js';
import { byID, copy, day, make, money, openDialog } from './dom.js';
import { hasButton, renderMessage } from './message.js';

const toastTime = 4000;

export class Column {
  // acts of the page: close(id), and news() when the bot has written.
  constructor(person, page) {
    this.person = person;
    this.page = page;
    this.view = null;
    this.shown = new Map(); // message id -> {key, element}
    this.lastToast = null;
    this.acts = {
      press: (m, data) => this.press(m, data),
      pay: (m) => this.openPayment(m.invoice, { message_id: m.message_id }),
      copy: (text) => this.copy(text),
      send: (text) => this.send(text),
      follow: (event, address) => this.follow(event, address),
      enlarge: (address) => { byID('picture-image').src = address; openDialog(byID('picture')); },
    };
    this.build();
  }

  build() {
    this.name = make('b', { dir: 'auto' });
    this.status = make('small', {});
    this.avatar = make('span', { class: 'avatar', 'aria-hidden': 'true' });
    this.badge = make('span', { class: 'badge', testid: 'admin-badge' }, 'admin');
    this.payload = make('input', { placeholder: 'ref_…', 'aria-label': 'Start payload', testid: 'start-payload', autocomplete: 'off' });
    this.blockButton = make('button', { type: 'button', testid: 'block', onclick: () => this.run(api.block(this.person.id, !this.view?.is_blocked)) });
    this.panel = make('div', { class: 'panel', hidden: true },
      make('form', { class: 'deep', onsubmit: (event) => { event.preventDefault(); this.startWith(this.payload.value); } },
        make('span', { class: 'quiet' }, '?start='), this.payload, make('button', { type: 'submit', testid: 'start-link' }, 'Open link')),
      make('div', { class: 'choices' }, this.blockButton,
        make('button', { type: 'button', testid: 'close-chat', onclick: () => this.page.close(this.person.id) }, 'Close this chat')));
    this.messages = make('div', { class: 'messages', role: 'log', 'aria-live': 'polite' });
    this.toasts = make('div', { class: 'toasts', 'aria-live': 'polite' });
    this.commandList = make('div', { class: 'commands', hidden: true });
    this.menu = make('button', { type: 'button', class: 'menu', testid: 'commands', onclick: () => this.toggleCommands() }, '☰');
    this.input = make('textarea', { rows: 1, placeholder: 'Message', 'aria-label': 'Message', maxlength: 4096, dir: 'auto', testid: 'composer-input' });
    this.composer = make('form', { class: 'composer', onsubmit: (event) => this.submit(event) },
      this.menu, this.input, make('button', { type: 'submit', class: 'send', 'aria-label': 'Send', testid: 'composer-send' }, '➤'));
    this.start = make('button', { type: 'button', class: 'start', testid: 'start', onclick: () => this.startWith(this.payload.value) }, 'Start');
    this.replies = make('div', { class: 'replies', hidden: true });
    let isBreakWanted = false; // Shift+Enter makes a line, Enter sends
    this.input.addEventListener('beforeinput', (event) => {
      if (event.inputType === 'insertLineBreak' && !isBreakWanted) event.preventDefault();
    });
    this.input.addEventListener('keydown', (event) => {
      isBreakWanted = event.shiftKey;
      if (event.key === 'Enter' && !event.shiftKey && !event.isComposing) this.submit(event);
    });
    this.input.addEventListener('input', () => this.grow());
    this.element = make('section', { class: 'chat', testid: 'chat-' + this.person.id, 'data-person': this.person.id },
      make('header', {}, this.avatar, make('div', { class: 'who' }, make('div', {}, this.name, this.badge), this.status),
        make('button', { type: 'button', class: 'more', 'aria-label': 'More', testid: 'more', onclick: () => { this.panel.hidden = !this.panel.hidden; } }, '⋮')),
      this.panel, this.toasts, this.messages, this.commandList, this.replies, this.composer, this.start);
    this.rename(this.person);
    this.watchScrolling();
  }

  rename(person) {
    this.person = person;
    const name = [person.first_name, person.last_name].filter(Boolean).join(' ');
    this.name.textContent = name;
    this.avatar.textContent = [...name.trim()][0] || '?';
    this.avatar.className = 'avatar tone' + (person.id % 6);
    this.badge.hidden = !person.is_admin;
    this.element.classList.toggle('admin', person.is_admin);
  }

  // refresh reads the chat and shows what is different. One reading at a time; a change meanwhile makes another.
  async refresh() {
    if (this.reading) { this.again = true; return; }
    this.reading = true;
    try {
      do {
        this.again = false;
        this.show(await api.chat(this.person.id));
      } while (this.again);
    } catch (error) {
      this.toast(error.message);
    } finally {
      this.reading = false;
    }
  }

  show(view) {
    const first = this.view === null;
    this.view = view;
    this.rename(view.person);
    this.status.textContent = view.is_blocked ? 'has blocked @' + view.bot.username
      : view.is_typing ? 'bot is typing…' : 'with @' + view.bot.username;
    this.blockButton.textContent = view.is_blocked ? 'Unblock the bot' : 'Block the bot';
    this.start.hidden = view.is_started && !view.is_blocked;
    this.start.textContent = view.is_blocked ? 'Unblock and restart' : 'Start';
    this.composer.hidden = !this.start.hidden;
    this.showMessages(view);
    this.showCommands(view.commands);
    this.showReplies(view.messages);
    this.showToasts(view.toasts, first);
    clearTimeout(this.later);
    if (view.is_typing || view.loading.length > 0) this.later = setTimeout(() => this.refresh(), 5500);
  }

  showMessages(view) {
    const list = this.messages;
    const next = new Map();
    const elements = [];
    let lastDay = '';
    for (const m of view.messages) {
      const date = day(m.date);
      if (date !== lastDay) elements.push(this.separator(date));
      lastDay = date;
      // A button that is gone has nothing to show: drawing the message anew would take it from under somebody's finger.
      const loading = view.loading.filter((one) => one.message_id === m.message_id && hasButton(m, one.data));
      const key = JSON.stringify([m, loading]);
      const old = this.shown.get(m.message_id);
      const element = old && old.key === key ? old.element : renderMessage(m, loading, this.acts);
      next.set(m.message_id, { key, element });
      elements.push(element);
    }
    if (elements.length === 0) elements.push(this.welcome(view));
    const last = view.messages[view.messages.length - 1];
    const added = last && !this.shown.has(last.message_id);
    if (added && last.is_outgoing && this.hasShown) this.page.news();
    this.hasShown = true;
    this.shown = next;
    this.place(elements);
    if (added) this.isAtEnd = true;
    this.stay();
  }

  // stay keeps the newest message in sight for somebody who has not scrolled away from it.
  stay() {
    if (this.isAtEnd) this.messages.scrollTop = this.messages.scrollHeight;
  }

  watchScrolling() {
    const list = this.messages;
    this.isAtEnd = true;
    list.addEventListener('scroll', () => {
      if (list.clientHeight > 0) this.isAtEnd = list.scrollHeight - list.scrollTop - list.clientHeight < 80;
    });
    new ResizeObserver(() => this.stay()).observe(list);
  }

  // place puts the elements in order, without moving those that are in place.
  place(elements) {
    const wanted = new Set(elements);
    for (const child of [...this.messages.children]) if (!wanted.has(child)) child.remove();
    elements.forEach((element, i) => {
      if (this.messages.children[i] !== element) this.messages.insertBefore(element, this.messages.children[i] || null);
    });
  }

  separator(date) {
    this.separators ??= new Map();
    if (!this.separators.has(date)) this.separators.set(date, make('div', { class: 'day' }, date));
    return this.separators.get(date);
  }

  welcome(view) {
    return make('div', { class: 'welcome' }, make('b', {}, view.bot.first_name), make('p', {}, 'No messages yet. Press Start to meet the bot.'));
  }

  showCommands(commands) {
    this.menu.hidden = commands.length === 0;
    const key = JSON.stringify(commands);
    if (key === this.commandKey) return;
    this.commandKey = key;
    this.commandList.replaceChildren(...commands.map((one) => make('button', {
      type: 'button', testid: 'command', 'data-command': one.command, onclick: () => { this.commandList.hidden = true; this.send('/' + one.command); },
    }, make('b', {}, '/' + one.command), ' ', one.description)));
  }

  toggleCommands() { this.commandList.hidden = !this.commandList.hidden; }

  // showReplies shows the newest keyboard that is not inline.
  showReplies(messages) {
    const last = messages.findLast((m) => m.keyboard && (m.keyboard.keyboard || m.keyboard.remove_keyboard));
    const rows = last?.keyboard.keyboard || [];
    this.replies.hidden = rows.length === 0;
    this.replies.replaceChildren(...rows.map((row) => make('div', { class: 'row' }, row.map((one) => {
      const text = typeof one === 'string' ? one : one.text;
      return make('button', { type: 'button', onclick: () => this.send(text) }, text);
    }))));
  }

  showToasts(toasts, first) {
    const seen = this.lastToast ?? 0;
    for (const toast of toasts) {
      if (toast.id <= seen) continue;
      this.lastToast = toast.id;
      if (first) continue;
      if (toast.url) window.open(toast.url, '_blank', 'noopener');
      if (toast.show_alert) {
        byID('alert-text').textContent = toast.text;
        openDialog(byID('alert'));
      } else if (toast.text) this.toast(toast.text);
    }
  }

  toast(text) {
    const element = make('div', { class: 'toast', role: 'status', testid: 'toast', dir: 'auto' }, text);
    this.toasts.append(element);
    setTimeout(() => element.remove(), toastTime);
  }

  // run shows the error of an act.
  async run(act) {
    try {
      return await act;
    } catch (error) {
      this.toast(error.message);
      return null;
    }
  }

  send(text) { return this.run(api.send(this.person.id, text)); }

  startWith(payload) {
    this.panel.hidden = true;
    const clean = payload.trim().replace(/^.*[?&]start=/, '');
    this.payload.value = '';
    this.send(clean ? '/start ' + clean : '/start');
  }

  async submit(event) {
    event.preventDefault();
    const text = this.input.value.trim();
    if (!text) return;
    this.input.value = '';
    this.grow();
    if (await this.send(text) === null) this.input.value = text;
  }

  grow() {
    this.input.style.height = 'auto';
    this.input.style.height = Math.min(this.input.scrollHeight, 140) + 'px';
  }

  press(m, data) { return this.run(api.press(this.person.id, m.message_id, data)); }

  async copy(text) { this.toast(await copy(text) ? 'Copied' : 'Copying is not allowed here'); }

  // follow keeps t.me links inside: invoices and start links of the bot.
  async follow(event, address) {
    const link = new URL(address, location.href);
    if (link.hostname !== 't.me') return;
    const invoice = link.pathname.match(/^\/\$(.+)$/) || link.pathname.match(/^\/%24(.+)$/i);
    const bot = link.pathname.slice(1).toLowerCase() === this.view.bot.username.toLowerCase();
    if (!invoice && !bot) return;
    event.preventDefault();
    if (invoice) {
      const terms = await this.run(api.invoice(this.person.id, invoice[1]));
      if (terms) this.openPayment(terms, { slug: invoice[1] });
    } else {
      this.startWith(link.searchParams.get('start') || '');
    }
  }

  openPayment(invoice, what) {
    byID('pay-title').textContent = invoice.title;
    byID('pay-description').textContent = invoice.description;
    byID('pay-amount').textContent = money(invoice.total_amount, invoice.currency);
    const status = byID('pay-status');
    const buttons = [byID('pay-confirm'), byID('pay-decline')];
    status.textContent = '';
    const pay = async (decline) => {
      buttons.forEach((one) => { one.disabled = true; });
      status.textContent = 'Asking the bot…';
      try {
        const result = await api.pay(this.person.id, { ...what, decline });
        const texts = {
          paid: 'Paid.', refused: 'The bot refused: ' + result.error_message, timed_out: 'The bot did not answer in time.',
          declined: 'The bank declined the payment.',
        };
        status.textContent = texts[result.status] || result.status;
        if (result.status === 'paid') setTimeout(() => byID('pay').close(), 700);
      } catch (error) {
        status.textContent = error.message;
      }
      buttons.forEach((one) => { one.disabled = false; });
    };
    buttons.forEach((one) => { one.disabled = false; });
    byID('pay-confirm').onclick = () => pay(false);
    byID('pay-decline').onclick = () => pay(true);
    openDialog(byID('pay'));
  }
}
