"use strict";
// Filters, sorts and opens the table of hosts. Without it, the page shows all of them, the worst first.
(() => {
  const table = document.getElementById("all");
  if (!table) return;
  const form = document.getElementById("filters");
  const [state, group, text, open, count] = ["state", "group", "text", "open", "count"].map((id) => document.getElementById(id));
  const cells = (body) => body.rows[0].cells;
  const hosts = Array.from(table.tBodies, (body) => ({
    body,
    state: Number(body.dataset.rank),
    host: cells(body)[1].textContent,
    groups: Array.from(cells(body)[2].querySelectorAll(".group"), (one) => one.textContent),
    judged: parseInt(cells(body)[3].textContent, 10),
    time: cells(body)[4].textContent,
    version: cells(body)[5].textContent,
    words: null,
  }));

  const words = (host) => (host.words ??= host.body.textContent.toLowerCase());
  const filter = () => {
    const wanted = text.value.trim().toLowerCase();
    let shown = 0;
    for (const host of hosts) {
      const fits = (!state.value || host.body.dataset.state === state.value)
        && (!group.value || host.groups.includes(group.value))
        && (!wanted || words(host).includes(wanted));
      host.body.hidden = !fits;
      shown += fits;
    }
    count.textContent = `${shown.toLocaleString("en")} of ${hosts.length.toLocaleString("en")} hosts shown`;
  };

  const order = new Intl.Collator("en", { numeric: true });
  const value = (host, name) => (name === "groups" ? host.groups.join(" ") : host[name]);
  const compare = (name) => (a, b) => {
    const [left, right] = [value(a, name), value(b, name)];
    return (typeof left === "number" ? left - right : order.compare(left, right)) || a.state - b.state;
  };
  const heads = Array.from(table.tHead.rows[0].cells);
  const sort = (head) => {
    const direction = head.getAttribute("aria-sort") === "ascending" ? "descending" : "ascending";
    for (const other of heads) other.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", direction);
    hosts.sort(compare(head.dataset.sort));
    if (direction === "descending") hosts.reverse();
    table.append(...hosts.map((host) => host.body));
  };
  for (const head of heads) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = head.textContent;
    button.addEventListener("click", () => sort(head));
    head.replaceChildren(button);
  }
  heads[0].setAttribute("aria-sort", "ascending");

  let isOpen = false;
  open.addEventListener("click", () => {
    isOpen = !isOpen;
    for (const host of hosts) {
      const details = host.body.hidden ? null : host.body.querySelector("details");
      if (details) details.open = isOpen;
    }
    open.textContent = isOpen ? "Close all shown" : "Open all shown";
  });
  for (const field of [state, group]) field.addEventListener("change", filter);
  text.addEventListener("input", filter);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.hidden = false;
  filter();
})();
