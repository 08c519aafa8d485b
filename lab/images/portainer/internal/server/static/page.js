"use strict";

const REFRESH_MS = 5000;
const $ = (id) => document.getElementById(id);
let token = sessionStorage.getItem("jwt");
let looking = false;

function complain(text) {
  $("problem").textContent = text;
  $("problem").hidden = !text;
}

function show() {
  $("login").hidden = !!token;
  $("cluster").hidden = $("leave").hidden = !token;
}

function leave(why = "") {
  token = null;
  sessionStorage.removeItem("jwt");
  complain(why);
  show();
}

function element(tag, text = "", className = "") {
  return Object.assign(document.createElement(tag), { textContent: text, className });
}

function nodeCard(node) {
  const card = element("article");
  card.append(element("h2", node.Name), element("p", [
    node.Manager ? "manager" : "worker", `Docker ${node.DockerVersion}`, node.OperatingSystem,
    node.Architecture, `${node.CPUs} CPUs`, `${(node.Memory / 2 ** 30).toFixed(1)} GB`,
    `${node.Images} images`,
  ].join(" · "), "facts"));
  const table = element("table");
  const head = element("tr");
  for (const name of ["Service", "Container", "Image", "State"]) head.append(element("th", name));
  table.append(head);
  const containers = [...node.Containers].sort((a, b) =>
    (a.Service || "~" + a.Name).localeCompare(b.Service || "~" + b.Name));
  for (const container of containers) {
    const row = element("tr");
    row.append(element("td", container.Service || "–"), element("td", container.Name),
      element("td", container.Image.replace(/^sha256:(.{12}).*/, "$1")),
      element("td", container.Status, container.State === "running" ? "running" : "other"));
    table.append(row);
  }
  card.append(containers.length ? table : element("p", "No containers."));
  return card;
}

async function look() {
  if (!token || looking || document.hidden) return;
  looking = true;
  try {
    const answer = await fetch("api/endpoints", { headers: { Authorization: `Bearer ${token}` } });
    if (answer.status === 401) return leave("The session has ended: sign in again.");
    const [environment] = await answer.json();
    const snapshot = environment.Snapshots[0];
    $("summary").textContent = `${environment.Name} is ${environment.Status === 1 ? "up" : "down"}: `
      + `${snapshot.NodeCount} phones, ${snapshot.StackCount} stacks, ${snapshot.ServiceCount} services, `
      + `${snapshot.RunningContainerCount} containers running, ${snapshot.StoppedContainerCount} not.`;
    $("silent").replaceChildren(...(snapshot.LabSilentAgents || []).map((text) => element("li", text)));
    $("nodes").replaceChildren(...snapshot.LabNodes.map(nodeCard));
    complain("");
  } catch {
    complain("The server does not answer.");
  } finally {
    looking = false;
  }
}

$("login").addEventListener("submit", async (event) => {
  event.preventDefault();
  try {
    const answer = await fetch("api/auth", {
      method: "POST", body: JSON.stringify(Object.fromEntries(new FormData($("login")))),
    });
    const body = await answer.json();
    if (!answer.ok) return complain(`${body.message}.`);
    token = body.jwt;
    sessionStorage.setItem("jwt", token);
    $("login").reset();
    complain("");
    show();
    await look();
  } catch {
    complain("The server does not answer.");
  }
});
$("leave").addEventListener("click", () => leave());
document.addEventListener("visibilitychange", look);
show();
look();
setInterval(look, REFRESH_MS);
