// The clock of the sandbox and its hands.

import { api } from './api.js';
import { byID, make } from './dom.js';

const hour = 3600;
const day = 24 * hour;
const steps = [['1 hour', hour], ['6 hours', 6 * hour], ['1 day', day], ['4 days', 4 * day], ['30 days', 30 * day]];

export class Watch {
  constructor() {
    this.time = make('time', { class: 'time', testid: 'clock' });
    this.ahead = make('small', { class: 'quiet', testid: 'ahead' });
    this.result = make('p', { class: 'quiet result', role: 'status', testid: 'clock-result' });
    this.buttons = steps.map(([name, seconds]) => make('button', {
      type: 'button', class: 'act', testid: 'advance', 'data-seconds': seconds, onclick: () => this.move(seconds),
    }, '+' + name));
    this.amount = make('input', { type: 'number', min: 1, max: 400, step: 1, value: 3, required: true, 'aria-label': 'How many', testid: 'advance-amount' });
    this.unit = make('select', { 'aria-label': 'Of what' },
      make('option', { value: 60 }, 'minutes'), make('option', { value: hour }, 'hours'), make('option', { value: day, selected: true }, 'days'));
    this.form = make('form', { class: 'typed', onsubmit: (event) => { event.preventDefault(); this.move(Number(this.amount.value) * Number(this.unit.value)); } },
      this.amount, this.unit, make('button', { type: 'submit', class: 'act', testid: 'advance-typed' }, 'Let pass'));
    this.element = make('section', { class: 'card', testid: 'clock-section' },
      make('h2', {}, 'Let time pass'), make('p', { class: 'now' }, this.time, ' ', this.ahead),
      make('div', { class: 'acts' }, this.buttons, this.form),
      this.result);
    this.offset = null; // milliseconds ahead of the browser's clock
    setInterval(() => this.tick(), 1000);
  }

  show(clock) {
    this.offset = new Date(clock.now) - Date.now();
    this.ahead.textContent = clock.ahead_seconds ? `${span(clock.ahead_seconds)} ahead of this machine` : 'as on this machine';
    const isMoving = clock.moving_to !== null || this.isAsked;
    for (const one of [...this.buttons, ...this.form.elements]) one.disabled = isMoving;
    if (clock.moving_to) {
      this.say(`On the way to ${moment(new Date(clock.moving_to))}: the clock waits wherever something is due.`, 'busy');
    } else if (!this.isAsked && this.result.classList.contains('busy')) {
      this.say('');
    }
    const chip = byID('clock-chip');
    chip.hidden = false;
    chip.classList.toggle('ahead', clock.ahead_seconds > 0);
    this.tick();
  }

  tick() {
    if (this.offset === null) return;
    const now = new Date(Date.now() + this.offset);
    this.time.textContent = moment(now);
    byID('clock-chip').textContent = now.toLocaleString('en-GB', { day: 'numeric', month: 'short', hour: '2-digit', minute: '2-digit' });
  }

  async move(seconds) {
    this.isAsked = true;
    this.say('Moving…', 'busy');
    try {
      const move = await api.advance(seconds);
      this.isAsked = false;
      this.show(move);
      const stops = move.stops === 0 ? 'Nothing was due on the way.' : `Stopped ${move.stops === 1 ? 'once' : move.stops + ' times'} where something was due.`;
      this.say(`Moved on by ${span(seconds)}. ` + (move.has_jumped ? `The clock jumped: ${move.why}.` : stops), 'done');
    } catch (error) {
      this.isAsked = false;
      this.say(error.message, 'failed');
    }
  }

  say(text, kind = '') {
    this.result.className = 'quiet result ' + kind;
    if (this.result.textContent !== text) this.result.textContent = text;
  }
}

function moment(date) {
  return date.toLocaleString('en-GB', { weekday: 'short', day: 'numeric', month: 'short', year: 'numeric', hour: '2-digit', minute: '2-digit', second: '2-digit', timeZoneName: 'short' });
}

// span says seconds in the two largest units.
export function span(seconds) {
  const units = [['day', day], ['hour', hour], ['minute', 60], ['second', 1]];
  const parts = [];
  let left = Math.round(seconds);
  for (const [name, size] of units) {
    const count = Math.floor(left / size);
    left -= count * size;
    if (count > 0) parts.push(`${count} ${name}${count > 1 ? 's' : ''}`);
    if (parts.length === 2 || (parts.length && count === 0)) break;
  }
  return parts.join(' ') || '0 seconds';
}
