"use strict";

const SHOWN = 50;
const REFRESH_MS = 4000;
// The list of orders grows without bound: of the time, at most this part goes into fetching it.
const MOST_OF_TIME = 0.2;
const $ = (id) => document.getElementById(id);
const money = (amount) => amount.toFixed(2);

// crypto.randomUUID needs HTTPS, which a phone's plain address has not.
function newMember() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = Array.from(bytes, (b) => b.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

const member = localStorage.getItem("member") || newMember();
localStorage.setItem("member", member);

let proxy = "";
let refreshing = false;

function complain(text) {
  $("problem").textContent = text;
  $("problem").hidden = !text;
}

async function ask(path, options) {
  let answer;
  try {
    answer = await fetch(proxy + path, options);
  } catch {
    throw new Error(`The shop at ${proxy} cannot be reached from here.`);
  }
  const body = await answer.json();
  if (!answer.ok) throw new Error(body.message || answer.statusText);
  return body;
}

function title(name) {
  const words = name.toLowerCase().replaceAll("_", " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}

function chosen() {
  return [...document.querySelectorAll("#order input")].flatMap((input) =>
    Array(Math.max(0, Math.floor(Number(input.value)) || 0)).fill({
      itemType: Number(input.dataset.type), price: Number(input.dataset.price),
    }));
}

function total() {
  const items = chosen();
  $("total").textContent = items.length
    ? `${items.length} item${items.length > 1 ? "s" : ""}, ${money(items.reduce((sum, i) => sum + i.price, 0))}`
    : "Nothing chosen yet";
  document.querySelector("#order button").disabled = items.length === 0;
}

function showMenu(items) {
  for (const { name, type = 0, price = 0 } of items) {
    const label = document.createElement("label");
    label.textContent = title(name);
    label.htmlFor = `item-${type}`;
    const cost = document.createElement("span");
    cost.className = "number";
    cost.textContent = money(price);
    const input = Object.assign(document.createElement("input"), {
      id: `item-${type}`, type: "number", min: 0, max: 20, defaultValue: "0",
    });
    input.dataset.type = type;
    input.dataset.price = price;
    input.addEventListener("input", total);
    $(type <= 5 ? "drinks" : "food").append(label, cost, input);
  }
}

function row(order) {
  const items = order.lineItems || [];
  const made = items.filter((item) => item.itemStatus === 2).length;
  const done = order.orderStatus === 2;
  const line = document.createElement("tr");
  const cell = (text, className = "") => {
    const td = document.createElement("td");
    td.textContent = text;
    td.className = className;
    line.append(td);
    return td;
  };
  cell("").append(Object.assign(document.createElement("code"), {
    textContent: order.id.slice(-12), title: order.id,
  }));
  cell(items.map((item) => title(item.name) + (item.itemStatus === 2 ? " ✓" : "")).join(", "));
  cell(money(items.reduce((sum, item) => sum + (item.price || 0), 0)), "number");
  cell(done ? "fulfilled" : `in process, ${made} of ${items.length}`, done ? "status done" : "status");
  return line;
}

let notBefore = 0;

async function refresh() {
  if (refreshing || document.hidden || performance.now() < notBefore) return;
  refreshing = true;
  const began = performance.now();
  try {
    const { orders = [] } = await ask("/v1/fulfillment-orders");
    const mine = document.querySelector("input[name=whose]:checked").value === "mine";
    const wanted = orders.filter((order) => !mine || order.loyaltyMemberId === member);
    const rows = wanted.slice(-SHOWN).reverse().map(row);
    if (!rows.length) {
      const empty = document.createElement("tr");
      empty.innerHTML = '<td colspan="4">No orders yet.</td>';
      rows.push(empty);
    }
    $("orders").replaceChildren(...rows);
    $("count").textContent = wanted.length > SHOWN
      ? `the last ${SHOWN} of ${wanted.length}` : `${wanted.length} of ${orders.length} in the shop`;
    complain("");
  } catch (error) {
    complain(error.message);
  } finally {
    notBefore = performance.now() + (performance.now() - began) * (1 / MOST_OF_TIME - 1);
    refreshing = false;
  }
}

$("order").addEventListener("submit", async (event) => {
  event.preventDefault();
  const button = document.querySelector("#order button");
  const items = chosen().map(({ itemType }) => ({ itemType }));
  button.disabled = true;
  try {
    await ask("/v1/api/orders", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({
        commandType: 0, orderSource: 0, location: 0, loyaltyMemberId: member,
        timestamp: new Date().toISOString(),
        baristaItems: items.filter(({ itemType }) => itemType <= 5),
        kitchenItems: items.filter(({ itemType }) => itemType > 5),
      }),
    });
    $("order").reset();
    complain("");
  } catch (error) {
    complain(error.message);
  }
  total();
  refresh();
});

document.querySelectorAll("input[name=whose]").forEach((input) => input.addEventListener("change", refresh));
document.addEventListener("visibilitychange", refresh);

(async () => {
  try {
    proxy = (await (await fetch("/reverse-proxy-url")).json()).url.replace(/\/$/, "");
    $("proxy").textContent = `Orders go to ${proxy}.`;
    showMenu((await ask("/v1/api/item-types")).itemTypes);
  } catch (error) {
    complain(`${error.message} Load the page again to retry.`);
  }
  refresh();
  setInterval(refresh, REFRESH_MS);
})();
