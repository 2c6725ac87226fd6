// Ask /health and /ticks/latest every two seconds and show them. Everything goes in as text, never as HTML.
"use strict";

const EVERY_MS = 2000;

function cell(row, text, className) {
  const td = row.insertCell();
  td.textContent = text;
  if (className) td.className = className;
  return td;
}

function number(value, digits = 6) {
  return value == null ? "" : value.toLocaleString("en", { maximumSignificantDigits: digits });
}

function seconds(value) {
  return value == null ? "" : value >= 120 ? `${Math.round(value / 60)} min` : `${value.toFixed(1)} s`;
}

function showWhole(health) {
  const whole = document.getElementById("whole");
  whole.className = health.status;
  whole.querySelector("strong").textContent = health.status;
  whole.querySelector("p").textContent = health.bottleneck.detail;
  document.title = `Nightdesk: ${health.status}`;
}

function showParts(parts) {
  const rows = document.createElement("tbody");
  rows.id = "parts";
  for (const part of parts) {
    const row = rows.insertRow();
    row.className = part.status;
    const name = cell(row, "");
    const dot = document.createElement("span");
    dot.className = "dot";
    name.append(dot, part.part);
    cell(row, part.detail);
    cell(row, seconds(part.age_s), "number");
    cell(row, seconds(part.threshold_s), "number quiet");
  }
  document.getElementById("parts").replaceWith(rows);
}

function showFiring(parts) {
  const alerts = parts.find((part) => part.part === "alerts");
  const link = document.getElementById("alerts");
  const firing = alerts?.facts?.firing;
  link.textContent = firing ? `Alerts: ${firing} firing` : "Alerts";
  link.className = alerts?.status === "degraded" ? "count" : "";
}

function showPrices(ticks) {
  const symbols = new Map();
  for (const tick of ticks) {
    const key = `${tick.feed} ${tick.symbol}`;
    symbols.set(key, { ...symbols.get(key), [tick.kind]: tick });
  }
  if (symbols.size === 0) return;
  const rows = document.createElement("tbody");
  rows.id = "prices";
  for (const kinds of symbols.values()) {
    const { trade, quote, depth } = kinds;
    const any = trade ?? quote ?? depth;
    if (!any) continue;
    const newest = Math.max(...Object.values(kinds).map((tick) => Date.parse(tick.received_at)));
    const row = rows.insertRow();
    cell(row, any.symbol);
    cell(row, any.feed, "quiet");
    cell(row, number(trade?.price, 9), `number ${trade?.side ?? ""}`);
    cell(row, number(quote?.bid_price, 9), "number");
    cell(row, number(quote?.ask_price, 9), "number");
    cell(row, number(depth?.spread, 4), "number");
    cell(row, number(depth?.pressure_ratio, 3), "number");
    cell(row, seconds(Math.max(0, (Date.now() - newest) / 1000)), "number");
  }
  document.getElementById("prices").replaceWith(rows);
}

async function json(path) {
  const answer = await fetch(path, { headers: { accept: "application/json" } });
  if (answer.status === 401) location.assign("/login");
  return answer.json();
}

async function look() {
  try {
    const health = await json("/health");
    showWhole(health);
    showParts(health.parts);
    showFiring(health.parts);
  } catch {
    showWhole({ status: "down", bottleneck: { detail: "the api does not answer" } });
  }
  try {
    showPrices((await json("/ticks/latest")).ticks ?? []);
  } catch {
    // The line above says that the api is away; old prices stay, their ages with them.
  }
}

async function watch() {
  await look();
  setTimeout(watch, EVERY_MS);
}

watch();
