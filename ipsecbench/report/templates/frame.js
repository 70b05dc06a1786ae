// What every page can do. It is read before the scripts of the page itself, in the same scope.
const make = (name, properties, ...children) => {
  const node = Object.assign(document.createElement(name), properties);
  node.append(...children);
  return node;
};

const announcer = make("p", { className: "sr" });
announcer.setAttribute("role", "status");
document.body.append(announcer);

// Copy buttons beside proposals and commands; where the clipboard is closed the text is selected instead.
for (const code of document.querySelectorAll(".copyable")) {
  const button = make("button", { type: "button", className: "copy", textContent: "Copy" });
  button.setAttribute("aria-describedby", code.id);
  button.addEventListener("click", async () => {
    let done = "Copied";
    try {
      await navigator.clipboard.writeText(code.textContent);
    } catch {
      const range = document.createRange();
      range.selectNodeContents(code);
      getSelection().removeAllRanges();
      getSelection().addRange(range);
      done = "Selected";
    }
    button.textContent = done;
    announcer.textContent = done;
    setTimeout(() => { button.textContent = "Copy"; }, 2000);
  });
  code.after(" ", button);
}

const sortValue = (row, index) => {
  const cell = row.cells[index];
  const text = cell.dataset.sort ?? cell.textContent.trim();
  return text !== "" && !Number.isNaN(Number(text)) ? Number(text) : text.toLowerCase();
};
const compare = (one, other) => {
  if (typeof one === typeof other) return one < other ? -1 : one > other ? 1 : 0;
  return typeof one === "number" ? -1 : 1;
};

const makeSortable = (table) => {
  const body = table.tBodies[0];
  const headings = [...table.tHead.rows[0].cells];
  headings.forEach((heading, index) => {
    const button = make("button", { type: "button", className: "sort" }, ...heading.childNodes);
    heading.append(button);
    button.addEventListener("click", () => {
      const numeric = heading.classList.contains("num");
      const before = heading.getAttribute("aria-sort");
      const descending = before ? before === "ascending" : numeric;
      headings.forEach((other) => other.removeAttribute("aria-sort"));
      heading.setAttribute("aria-sort", descending ? "descending" : "ascending");
      const sign = descending ? -1 : 1;
      const rows = [...body.rows].map((row) => [sortValue(row, index), row]);
      rows.sort((one, other) => sign * compare(one[0], other[0]));
      body.append(...rows.map(([, row]) => row));
    });
  });
};

const makeFilterable = (table) => {
  const text = make("input", { type: "search", placeholder: table.dataset.hint ?? "such as gcm, sha1, 3des", autocomplete: "off" });
  const select = make("select", {}, make("option", { value: "", textContent: "all" }));
  const kinds = table.dataset.interactive.split("|").filter(Boolean);
  for (const kind of kinds) select.append(make("option", { textContent: kind }));
  const count = make("output", {});
  const apply = () => {
    const words = text.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const row of table.tBodies[0].rows) {
      const content = row.textContent.toLowerCase();
      row.hidden = (select.value && row.dataset.kind !== select.value) || !words.every((word) => content.includes(word));
      if (!row.hidden) shown += 1;
    }
    count.textContent = `${shown} of ${table.tBodies[0].rows.length}`;
  };
  text.addEventListener("input", apply);
  select.addEventListener("change", apply);
  apply();
  table.parentElement.before(make("div", { className: "controls" },
    make("label", {}, "Filter ", text), ...(kinds.length ? [make("label", {}, "Show ", select)] : []), count));
};

for (const table of document.querySelectorAll("table[data-interactive]")) {
  makeSortable(table);
  makeFilterable(table);
}

// The data: shown when asked for, and saved without a network.
const data = document.getElementById("ipsecbench-data").textContent;
const pre = document.getElementById("raw-text");
const show = make("button", { type: "button", textContent: "Show" });
show.addEventListener("click", () => {
  pre.hidden = !pre.hidden;
  // As it stands: numbers that a browser would round stay as they are.
  if (!pre.textContent) pre.textContent = data;
  show.textContent = pre.hidden ? "Show" : "Hide";
  show.setAttribute("aria-expanded", String(!pre.hidden));
});
show.setAttribute("aria-controls", "raw-text");
show.setAttribute("aria-expanded", "false");
const offer = (blob, download) => {
  const href = URL.createObjectURL(blob);
  make("a", { href, download }).click();
  setTimeout(() => URL.revokeObjectURL(href), 10000);
};
const save = make("button", { type: "button", textContent: "Save as a file" });
save.addEventListener("click", () => offer(new Blob([data], { type: "application/json" }), "ipsecbench-report-data.json"));
const controls = document.getElementById("raw-controls");
controls.append(show, save);
// The dataset alone, unpacked where it is packed; the file that it came from.
if (/"dataset(_gzip)?":/.test(data)) {
  const saveDataset = make("button", { type: "button", textContent: "Save the dataset" });
  saveDataset.addEventListener("click", async () => {
    const { dataset, dataset_gzip: packed } = JSON.parse(data);
    const octets = packed ? Uint8Array.from(atob(packed), (each) => each.charCodeAt(0)) : null;
    const blob = octets
      ? await new Response(new Blob([octets]).stream().pipeThrough(new DecompressionStream("gzip"))).blob()
      : new Blob([JSON.stringify(dataset), "\n"], { type: "application/json" });
    offer(blob, controls.dataset.name ?? "dataset.ipsecbench.json");
  });
  controls.append(saveDataset);
}
controls.hidden = false;

// What a link leads to is unfolded.
const unfold = () => {
  const target = location.hash.length > 1 ? document.getElementById(decodeURIComponent(location.hash.slice(1))) : null;
  const details = target?.closest("details");
  if (details) details.open = true;
};
addEventListener("hashchange", unfold);
unfold();

// Paper has no buttons: everything is opened for it, and closed again.
let opened = [];
addEventListener("beforeprint", () => {
  opened = [...document.querySelectorAll("details:not([open])")];
  for (const details of opened) details.open = true;
});
addEventListener("afterprint", () => {
  for (const details of opened) details.open = false;
});
