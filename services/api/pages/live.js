// Ask for this very page again every few seconds, and bring what is marked as live up to date: the server alone decides
// what is shown and how. Nothing is asked while nobody looks. Without this script the page is the same, only older.
"use strict";

const EVERY_MS = 1000 * Number(document.querySelector("[data-live-s]").dataset.liveS);

// Change only what differs, so that the focus, a selection and the place that was scrolled to stay.
function update(old, fresh) {
  if (old.isEqualNode(fresh)) return;
  if (old.nodeName !== fresh.nodeName || old.childNodes.length !== fresh.childNodes.length) {
    old.replaceWith(document.importNode(fresh, true));
    return;
  }
  if (old.nodeType !== Node.ELEMENT_NODE) {
    old.nodeValue = fresh.nodeValue;
    return;
  }
  for (const { name } of [...old.attributes]) if (!fresh.hasAttribute(name)) old.removeAttribute(name);
  for (const { name, value } of fresh.attributes) if (old.getAttribute(name) !== value) old.setAttribute(name, value);
  [...old.childNodes].forEach((child, place) => update(child, fresh.childNodes[place]));
}

function show(page) {
  document.title = page.title;
  for (const old of document.querySelectorAll("[data-live]")) {
    const fresh = page.getElementById(old.id);
    if (fresh) update(old, fresh);
  }
}

async function look() {
  const away = document.getElementById("away");
  try {
    const answer = await fetch(location.href, { headers: { accept: "text/html" } });
    if (answer.redirected && new URL(answer.url).pathname === "/login") location.assign(answer.url);
    if (!answer.ok) throw new Error(`HTTP ${answer.status}`);
    show(new DOMParser().parseFromString(await answer.text(), "text/html"));
    away.hidden = true;
  } catch {
    away.hidden = false;
  }
}

async function watch() {
  if (!document.hidden) await look();
  setTimeout(watch, EVERY_MS);
}

setTimeout(watch, EVERY_MS);
