// Building elements: text is always text, never markup.

export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith('on')) element.addEventListener(name.slice(2), value);
    else if (name === 'class') element.className = value;
    else if (name === 'testid') element.dataset.testid = value;
    else element.setAttribute(name, value === true ? '' : value);
  }
  for (const child of children.flat()) {
    if (child !== undefined && child !== null && child !== false) element.append(child);
  }
  return element;
}

// fromServer shows the HTML that the server rendered from a text and its entities: it escapes everything.
export function fromServer(html) {
  const element = make('div', { class: 'text', dir: 'auto' });
  element.innerHTML = html;
  return element;
}

const signs = { RUB: '₽', USD: '$', EUR: '€' };

// money formats an amount in the currency's smallest unit.
export function money(amount, currency) {
  if (currency === 'XTR') return '★ ' + amount.toLocaleString('ru-RU');
  const text = (amount / 100).toLocaleString('ru-RU', { minimumFractionDigits: amount % 100 ? 2 : 0 });
  return text + ' ' + (signs[currency] || currency);
}

export function clock(seconds) {
  return new Date(seconds * 1000).toLocaleTimeString('ru-RU', { hour: '2-digit', minute: '2-digit' });
}

export function day(seconds) {
  return new Date(seconds * 1000).toLocaleDateString('en-GB', { day: 'numeric', month: 'long' });
}

export function size(bytes) {
  return bytes < 1024 ? bytes + ' B' : bytes < 1 << 20 ? Math.round(bytes / 1024) + ' KB' : (bytes / (1 << 20)).toFixed(1) + ' MB';
}

export async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false;
  }
}

// openDialog shows a dialog; what carries data-close in it, and a press beside it, closes it.
export function openDialog(dialog) {
  if (!dialog.dataset.ready) {
    dialog.dataset.ready = 'yes';
    dialog.addEventListener('click', (event) => {
      if (event.target === dialog || event.target.closest('[data-close]')) dialog.close();
    });
  }
  if (!dialog.open) dialog.showModal();
  return dialog;
}

export const byID = (id) => document.getElementById(id);
