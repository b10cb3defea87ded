// One message of a chat.

import { api } from './api.js';
import { clock, fromServer, make, money, size } from './dom.js';

// renderMessage builds the element of a message; acts are what its buttons do.
export function renderMessage(m, loading, acts) {
  const service = renderService(m);
  if (service) return service;
  const out = !m.is_outgoing; // outgoing is the bot's; the person sees it as coming in
  const bubble = make('div', { class: 'bubble' });
  if (m.reply_to_message) {
    bubble.append(make('div', { class: 'reply' }, m.reply_to_message.text || m.reply_to_message.caption || 'a message'));
  }
  if (m.photo) bubble.append(renderPhoto(m.photo[m.photo.length - 1], acts));
  if (m.document) bubble.append(renderDocument(m.document));
  if (m.invoice) bubble.append(renderInvoice(m));
  if (m.html) bubble.append(prepareText(fromServer(m.html), acts));
  bubble.append(make('span', { class: 'meta' }, m.is_edited && 'edited ', clock(m.date), out && make('i', { class: 'ticks' }, ' ✓✓')));
  return make('article', {
    class: 'message ' + (out ? 'mine' : 'theirs'), testid: 'message', 'data-message-id': m.message_id,
  }, bubble, renderKeyboard(m, loading, acts));
}

// hasButton says whether a button under the message carries the data.
export function hasButton(m, data) {
  const rows = m.reply_markup ? m.reply_markup.inline_keyboard : [];
  return rows.some((row) => row.some((button) => button.callback_data === data));
}

function renderService(m) {
  let text;
  if (m.successful_payment) text = `You paid ${money(m.successful_payment.total_amount, m.successful_payment.currency)}`;
  if (m.refunded_payment) text = `${money(m.refunded_payment.total_amount, m.refunded_payment.currency)} were refunded`;
  return text && make('article', { class: 'service', testid: 'message', 'data-message-id': m.message_id }, text);
}

function renderPhoto(photo, acts) {
  const address = api.file(photo.file_id);
  return make('button', { type: 'button', class: 'photo', testid: 'photo', onclick: () => acts.enlarge(address) },
    make('img', { src: address, width: photo.width, height: photo.height, alt: 'photo', loading: 'lazy' }));
}

function renderDocument(file) {
  return make('a', { class: 'document', href: api.file(file.file_id), download: file.file_name || 'file', testid: 'document' },
    make('span', { class: 'sheet', 'aria-hidden': 'true' }, '↓'),
    make('span', {}, make('b', {}, file.file_name || 'file'), make('small', {}, size(file.file_size))));
}

function renderInvoice(m) {
  return make('div', { class: 'invoice', testid: 'invoice' },
    make('b', {}, m.invoice.title), make('p', {}, m.invoice.description),
    make('span', { class: 'price' }, money(m.invoice.total_amount, m.invoice.currency)));
}

function renderKeyboard(m, loading, acts) {
  let rows = m.reply_markup ? m.reply_markup.inline_keyboard : [];
  if (m.invoice && rows.length === 0) rows = [[{ text: 'Pay ' + money(m.invoice.total_amount, m.invoice.currency), pay: true }]];
  if (rows.length === 0) return null;
  return make('div', { class: 'keyboard' }, rows.map((row) =>
    make('div', { class: 'row' }, row.map((button) => renderButton(m, button, loading, acts)))));
}

function renderButton(m, button, loading, acts) {
  const style = ['danger', 'success', 'primary'].includes(button.style) ? ' ' + button.style : '';
  const attributes = { class: 'button' + style, testid: 'button', title: button.text, dir: 'auto' };
  const sign = (text) => make('i', { class: 'sign', 'aria-hidden': 'true' }, text);
  if (button.url) {
    return make('a', {
      ...attributes, href: button.url, target: '_blank', rel: 'noopener noreferrer',
      onclick: (event) => acts.follow(event, button.url),
    }, button.text, sign('↗'));
  }
  if (button.pay) {
    const text = m.is_paid ? 'Paid' : button.text;
    return make('button', { ...attributes, type: 'button', testid: 'pay', disabled: m.is_paid, onclick: () => acts.pay(m) }, text);
  }
  if (button.copy_text) {
    return make('button', { ...attributes, type: 'button', onclick: () => acts.copy(button.copy_text.text) }, button.text, sign('❐'));
  }
  if (button.callback_data) {
    const waits = loading.some((one) => one.message_id === m.message_id && one.data === button.callback_data);
    return make('button', {
      ...attributes, class: attributes.class + (waits ? ' loading' : ''), type: 'button', 'data-callback': button.callback_data,
      onclick: () => acts.press(m, button.callback_data),
    }, button.text);
  }
  return make('button', { ...attributes, type: 'button', disabled: true }, button.text);
}

// prepareText gives links, commands, spoilers and code their meaning.
function prepareText(element, acts) {
  element.addEventListener('click', (event) => {
    const target = event.target.closest('a, code, pre, .spoiler');
    if (!target) return;
    if (target.matches('.spoiler')) target.classList.add('shown');
    else if (target.matches('code, pre')) acts.copy(target.textContent);
    else if (target.dataset.command) acts.send(target.dataset.command);
    else acts.follow(event, target.href);
  });
  return element;
}
