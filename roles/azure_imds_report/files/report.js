// Copyright: (c) 2026, imds.azure contributors
// SPDX-License-Identifier: GPL-3.0-or-later
"use strict";
(() => {
  const fleet = JSON.parse(document.getElementById("fleet").textContent);
  const main = document.querySelector("main");

  // Text is only ever set as text, so no value of a host can become markup.
  const make = (tag, text, attributes = {}) => {
    const element = document.createElement(tag);
    if (text !== undefined && text !== null) element.textContent = text;
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    return element;
  };
  const within = (parent, ...children) => { parent.append(...children); return parent; };
  const section = (title) => within(main, make("section")).lastElementChild.appendChild(make("h2", title)).parentElement;
  const order = new Intl.Collator("en", { numeric: true });
  const byName = ([one], [other]) => order.compare(one, other);
  const count = (values) => {
    const found = new Map();
    for (const value of values) found.set(value, (found.get(value) || 0) + 1);
    return found;
  };
  const group = (items, key) => {
    const found = new Map();
    for (const item of items) {
      const name = key(item);
      if (!found.has(name)) found.set(name, []);
      found.get(name).push(item);
    }
    return [...found].sort(byName);
  };

  const VERDICTS = {
    ok: ["ok", "good"], attested: ["attested", "good"], none: ["none", "good"], genuine: ["genuine, identity not checked", "idle"],
    repairable: ["can be repaired", "warn"], faulty: ["faulty", "bad"], refused: ["refused", "bad"], pending: ["pending", "warn"],
    no_document: ["no document", "warn"], unavailable: ["IMDS did not answer", "warn"], unreachable: ["unreachable", "bad"],
    failed: ["failed", "bad"], not_asked: ["not asked", "idle"],
  };
  const show = (verdict) => {
    const [text, kind] = VERDICTS[verdict] || [verdict, "warn"];
    return make("span", text, { class: kind });
  };
  const reached = fleet.filter((vm) => vm.status === "ok");
  const missed = fleet.filter((vm) => vm.status !== "ok");
  const health = (vm) => {
    if (vm.status !== "ok") return "idle";
    const kinds = [vm.events, vm.attestation, vm.route].map((part) => (VERDICTS[part.verdict] || ["", "warn"])[1]);
    return kinds.includes("bad") ? "bad" : kinds.includes("warn") ? "warn" : "good";
  };

  const cards = within(main, make("div", null, { class: "cards" })).lastElementChild;
  const card = (number, text) => cards.append(within(make("div", null, { class: "card" }), make("b", String(number)), make("span", text)));
  card(fleet.length, "hosts");
  card(reached.length, "with facts");
  card(new Set(reached.map((vm) => vm.location)).size, "regions");
  card(fleet.reduce((sum, vm) => sum + vm.events.pending.length, 0), "pending events");
  card(fleet.filter((vm) => ["attested", "genuine"].includes(vm.attestation.verdict)).length, "with a genuine document");
  card(fleet.filter((vm) => ["faulty", "repairable"].includes(vm.route.verdict)).length, "with a faulty route");

  const where = section("Zones and fault domains");
  if (!reached.length) where.append(make("p", "No host returned facts."));
  for (const [location, vms] of group(reached, (vm) => vm.location || "unknown region")) {
    where.append(make("h3", location));
    const zones = within(where, make("div", null, { class: "zones" })).lastElementChild;
    for (const [zone, members] of group(vms, (vm) => (vm.zone ? `Zone ${vm.zone}` : "No zone"))) {
      const box = within(zones, make("div", null, { class: "zone" })).lastElementChild;
      box.append(make("strong", `${zone} (${members.length})`));
      for (const [domain, those] of group(members, (vm) => (vm.fault_domain === null ? "no fault domain" : `fault domain ${vm.fault_domain}`))) {
        const row = within(box, make("div", null, { class: "domain" })).lastElementChild;
        row.append(make("span", domain));
        for (const vm of those) row.append(make("i", null, { class: `vm ${health(vm)}`, title: vm.host, role: "img", "aria-label": `${vm.host}: ${health(vm)}` }));
      }
    }
  }
  const legend = within(where, make("p", null, { class: "idle" })).lastElementChild;
  for (const [kind, text] of [["good", "nothing to do"], ["warn", "look at it"], ["bad", "something is wrong"]]) {
    legend.append(make("i", null, { class: `vm ${kind}`, style: "display: inline-block; vertical-align: -2px" }), ` ${text}   `);
  }

  const columns = within(main, make("div", null, { class: "columns" })).lastElementChild;
  const bars = (title, values) => {
    const part = within(columns, make("section")).lastElementChild;
    part.append(make("h2", title));
    const counted = [...count(values.map((value) => value || "unknown"))].sort((one, other) => other[1] - one[1] || byName(one, other));
    for (const [name, number] of counted) {
      const meter = make("meter", null, { min: 0, max: reached.length || 1, value: number, "aria-label": name });
      part.append(within(make("div", null, { class: "bar" }), make("span", name), meter, make("b", String(number))));
    }
  };
  bars("Images", reached.map((vm) => vm.image));
  bars("Sizes", reached.map((vm) => vm.vm_size));

  const table = (parent, names) => {
    const element = make("table");
    const head = within(element.createTHead(), make("tr")).lastElementChild;
    for (const name of names) head.append(make("th", name, { scope: "col" }));
    element.append(make("tbody"));
    parent.append(element);
    return element;
  };
  const cell = (name, content) => within(make("td", null, { "data-name": name }), within(make("div"), content === null || content === undefined ? "–" : content));

  const pending = fleet.flatMap((vm) => vm.events.pending.map((event) => ({ host: vm.host, ...event })));
  if (fleet.some((vm) => vm.events.verdict !== "not_asked")) {
    const part = section("Pending maintenance");
    if (!pending.length) part.append(make("p", "No event is pending on a host that was asked and answered."));
    else {
      const names = ["Host", "Event", "Status", "Not before", "Description"];
      const body = table(part, names).tBodies[0];
      const when = (event) => (event.event_status === "Started" ? "" : String(event.not_before || "~"));
      pending.sort((one, other) => order.compare(when(one), when(other)) || order.compare(one.host, other.host));
      for (const event of pending) {
        const values = [event.host, event.event_type, event.event_status, event.event_status === "Started" ? "now" : event.not_before, event.description];
        body.append(within(make("tr"), ...values.map((value, at) => cell(names[at], value === null ? null : String(value)))));
      }
    }
  }

  if (missed.length) {
    const part = section("Hosts without facts");
    const names = ["Host", "Reason", "What to do"];
    const body = table(part, names).tBodies[0];
    for (const vm of missed) body.append(within(make("tr"), cell(names[0], vm.host), cell(names[1], show(vm.status)), cell(names[2], vm.message || null)));
  }

  const hosts = section("Hosts");
  const controls = within(hosts, make("div", null, { class: "controls" })).lastElementChild;
  const control = (text, element) => { controls.append(within(make("label", text), element)); return element; };
  const search = control("Search", make("input", null, { type: "search", id: "search" }));
  const tag = control("Tag", make("select", null, { id: "tag" }));
  tag.append(make("option", "all", { value: "" }));
  const tags = fleet.flatMap((vm) => Object.entries(vm.tags).map(([name, value]) => JSON.stringify([name, value])));
  for (const [pair, number] of [...count(tags)].sort(byName)) {
    const [name, value] = JSON.parse(pair);
    tag.append(make("option", `${name}: ${value} (${number})`, { value: pair }));
  }
  const state = control("Show", make("select", null, { id: "state" }));
  for (const [value, text] of [["", "all hosts"], ["bad", "something is wrong"], ["warn", "look at it"], ["good", "nothing to do"], ["idle", "without facts"]]) state.append(make("option", text, { value }));
  const shown = within(controls, make("span", null, { id: "shown", role: "status" })).lastElementChild;

  const COLUMNS = [
    ["Host", (vm) => vm.host], ["Region", (vm) => vm.location], ["Zone", (vm) => vm.zone], ["Fault domain", (vm) => vm.fault_domain],
    ["Size", (vm) => vm.vm_size], ["Image", (vm) => vm.image], ["Address", (vm) => vm.private_ip], ["Public", (vm) => vm.public_ip],
    ["Maintenance", (vm) => vm.events.verdict], ["Attestation", (vm) => vm.attestation.verdict], ["Route", (vm) => vm.route.verdict],
  ];
  const JUDGED = new Set(["Maintenance", "Attestation", "Route"]);
  const list = table(hosts, COLUMNS.map(([name]) => name));
  list.id = "hosts";

  const detail = (vm) => {
    const found = make("dl");
    const add = (name, value) => { if (value !== null && value !== undefined && value !== "") found.append(make("dt", name), within(make("dd"), value)); };
    const lines = (values) => (values.length ? within(make("ul"), ...values.map((value) => make("li", value))) : null);
    for (const [name, key] of [["VM", "name"], ["VM ID", "vm_id"], ["Scale set", "scale_set"], ["Priority", "priority"], ["System", "os_type"], ["Update domain", "update_domain"], ["Resource group", "resource_group_name"], ["Subscription", "subscription_id"]]) add(name, vm[key]);
    add("Addresses", lines(vm.addresses));
    add("Tags", lines(Object.entries(vm.tags).map(([name, value]) => `${name}: ${value}`)));
    add("Disks", lines(vm.disks.map((disk) => [disk.kind, disk.lun === null ? null : `LUN ${disk.lun}`, disk.name, disk.size_gb === null ? null : `${disk.size_gb} GB`, disk.device, ...disk.mounts].filter((part) => part !== null).join(", "))));
    for (const [name, part] of [["Attestation", vm.attestation], ["Route", vm.route], ["Maintenance", vm.events]]) add(name, part.reason);
    add("Findings", lines(vm.route.findings || []));
    add("Facts", vm.status === "ok" ? null : `${vm.status}: ${vm.message}`);
    return found;
  };
  const rows = fleet.map((vm) => {
    const row = make("tr");
    for (const [name, value] of COLUMNS) {
      if (name === "Host") {
        // Made when it is opened, because a fleet may be large.
        const more = within(make("details"), make("summary", vm.host));
        more.addEventListener("toggle", () => { if (more.open && more.children.length === 1) more.append(detail(vm)); });
        row.append(cell(name, more));
      } else row.append(cell(name, JUDGED.has(name) ? show(value(vm)) : value(vm)));
    }
    return { vm, row, text: JSON.stringify([Object.values(vm), VERDICTS[vm.status]]).toLowerCase() };
  });

  let sorted = { at: 0, down: false };
  const refresh = () => {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    const pair = tag.value ? JSON.parse(tag.value) : null;
    const kept = rows.filter(({ vm, text }) =>
      words.every((word) => text.includes(word)) && (!pair || vm.tags[pair[0]] === pair[1]) && (!state.value || health(vm) === state.value));
    const value = COLUMNS[sorted.at][1];
    kept.sort((one, other) => order.compare(value(one.vm) || "", value(other.vm) || "") * (sorted.down ? -1 : 1));
    list.tBodies[0].replaceChildren(...kept.map(({ row }) => row));
    [...list.tHead.rows[0].cells].forEach((head, at) => head.setAttribute("aria-sort", at === sorted.at ? (sorted.down ? "descending" : "ascending") : "none"));
    shown.textContent = `${kept.length} of ${fleet.length}`;
  };
  [...list.tHead.rows[0].cells].forEach((head, at) => {
    const button = make("button", head.textContent, { type: "button" });
    head.replaceChildren(button);
    button.addEventListener("click", () => { sorted = { at, down: sorted.at === at && !sorted.down }; refresh(); });
  });
  for (const element of [search, tag, state]) element.addEventListener("input", refresh);
  refresh();
})();
