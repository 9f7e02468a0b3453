// Keeps a page as the board has it: the server says which groups have changed, and the page is fetched again.
// Only what differs is replaced, so that focus, selection and opened parts stay.
"use strict";

const body = document.body;
const link = document.getElementById("link");
let wanted = false;
let fetching = false;

function concerns(groups) {
  const watched = body.dataset.watched;
  return !watched || groups.includes(watched);
}

function keyed(node) {
  return node.nodeType === Node.ELEMENT_NODE ? node.id || node.getAttribute("aria-label") || "" : "";
}

function adopt(old, fresh) {
  for (const { name } of [...old.attributes]) {
    if (!fresh.hasAttribute(name) && name !== "open" && name !== "hidden") old.removeAttribute(name);
  }
  for (const { name, value } of fresh.attributes) {
    if (name !== "open" && old.getAttribute(name) !== value) old.setAttribute(name, value);
  }
}

function morph(old, fresh) {
  if (old.isEqualNode(fresh)) return;
  if (old.nodeType !== fresh.nodeType || old.nodeName !== fresh.nodeName || keyed(old) !== keyed(fresh)) {
    old.replaceWith(document.importNode(fresh, true));
    return;
  }
  if (old.nodeType !== Node.ELEMENT_NODE) {
    old.nodeValue = fresh.nodeValue;
    return;
  }
  if (old.nodeName === "INPUT") return;
  adopt(old, fresh);
  children(old, fresh);
}

function children(old, fresh) {
  const known = new Map([...old.children].filter((each) => each.id).map((each) => [each.id, each]));
  let place = old.firstChild;
  for (const next of [...fresh.childNodes]) {
    const same = next.id ? known.get(next.id) : place;
    if (!same) {
      old.insertBefore(document.importNode(next, true), place);
      continue;
    }
    if (same !== place) old.insertBefore(same, place);
    else place = place.nextSibling;
    morph(same, next);
  }
  while (place) {
    const gone = place;
    place = place.nextSibling;
    gone.remove();
  }
}

async function refresh() {
  if (fetching) {
    wanted = true;
    return;
  }
  fetching = true;
  try {
    const answer = await fetch(location.href, { cache: "no-store" });
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    children(document.getElementById("content"), fresh.getElementById("content"));
    document.getElementById("now").replaceWith(document.importNode(fresh.getElementById("now"), true));
    body.dataset.serial = fresh.body.dataset.serial;
    narrow();
  } catch {
    lost(true);
  } finally {
    fetching = false;
    if (wanted) {
      wanted = false;
      setTimeout(refresh, 250);
    }
  }
}

function lost(is) {
  link.textContent = is ? "connection lost" : "live";
  link.classList.toggle("lost", is);
}

function narrow() {
  const filter = document.getElementById("filter");
  if (!filter) return;
  const words = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
  let shown = 0;
  for (const row of document.getElementById("rows").children) {
    row.hidden = !words.every((word) => row.dataset.find.includes(word));
    shown += row.hidden ? 0 : 1;
  }
  document.getElementById("shown").textContent = words.length ? `${shown} shown` : "";
}

document.addEventListener("input", (event) => {
  if (event.target.id === "filter") narrow();
});
document.addEventListener("keydown", (event) => {
  const filter = document.getElementById("filter");
  if (filter && event.key === "/" && document.activeElement !== filter) {
    event.preventDefault();
    filter.focus();
  }
});

const events = new EventSource(`/events?since=${body.dataset.serial}`);
events.addEventListener("open", () => lost(false));
events.addEventListener("error", () => lost(true));
events.addEventListener("changed", (event) => {
  if (concerns(JSON.parse(event.data).groups)) refresh();
});
