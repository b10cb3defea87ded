// Which chats are shown, where there is no room for all.

const least = 350; // pixels of a chat, with its gap

export function fits(width) {
  return Math.max(1, Math.floor((width - 10) / least));
}

// chooseShown takes the chats that were used last first. Beside a customer's stands an admin's, and the other way round.
export function chooseShown(recent, count) {
  const shown = recent.slice(0, count);
  if (count > 1 && recent.length > count && shown.every((one) => one.isAdmin === shown[0].isAdmin)) {
    const other = recent.find((one) => one.isAdmin !== shown[0].isAdmin);
    if (other) shown[count - 1] = other;
  }
  return shown.map((one) => one.id);
}
