
// Pages of several boxes: another baseline, another library or size, all rows of one box. Without any of this the
// page stands as it was made.
{
  const book = JSON.parse(data);
  const place = document.getElementById("baseline-controls");
  const FASTER = "faster", SLOWER = "slower", EVEN = "no difference", NOISE = "within noise";
  const CLASSES = { [FASTER]: "up", [SLOWER]: "down", [EVEN]: "even", [NOISE]: "even" };
  const names = book.boxes.map((box) => box.name);
  const isolated = (text) => make("bdi", { textContent: text });

  // Figures as text, as the page's own are written.
  const grouped = (text) => text.replace(/^(-?\d+)/, (whole) => whole.replace(/\B(?=(\d{3})+$)/g, ","));
  const significant = (value) => {
    if (!Number.isFinite(value)) return "unknown";
    if (value === 0) return "0";
    const rounded = Number(value.toPrecision(3)), magnitude = Math.floor(Math.log10(Math.abs(rounded)));
    if (magnitude < -9 || magnitude > 15) return value.toExponential(2);
    return grouped(rounded.toFixed(Math.max(0, 2 - magnitude)));
  };
  const decimals = (value) => value >= 0.9 && value < 1.1 ? 3
    : Math.min(Math.max(2 - Math.floor(Math.log10(value)), 0), 9);
  const ratio = (value) => grouped(value.toFixed(decimals(value)));
  const ratioWords = ([middle, low, high]) => {
    const digits = decimals(middle);
    return `${ratio(middle)} (${grouped(low.toFixed(digits))}–${grouped(high.toFixed(digits))})`;
  };
  const rate = (mbit) => {
    const [factor, unit] = mbit >= 999500 ? [1e6, "Tbit/s"] : mbit >= 999.5 ? [1e3, "Gbit/s"] : [1, "Mbit/s"];
    return `${significant(mbit / factor)} ${unit}`;
  };
  const duration = (ns) => {
    for (const [factor, unit] of [[1e9, "s"], [1e6, "ms"], [1e3, "µs"]]) {
      if (ns >= 0.9995 * factor) return `${significant(ns / factor)} ${unit}`;
    }
    return `${significant(ns)} ns`;
  };
  const listing = (items) => items.length < 2 ? items.join("") : `${items.slice(0, -1).join(", ")} and ${items.at(-1)}`;

  // Rows: a figure is [box, median, lower, upper, verdicts, class, unfit] in nanoseconds per operation.
  const rows = book.rows.map(([tier, provider, operation, algorithm, size, cores, figures]) => ({
    tier, provider, operation, algorithm, size, cores,
    octets: size === null ? null : typeof size === "string" ? book.mixes[size] ?? null : size,
    figures: new Map(figures.map((figure) => [figure[0], figure])),
  }));
  const viewKey = (tier, provider, operation, cores) => JSON.stringify([tier, provider, operation, cores]);
  const views = new Map();
  for (const row of rows) {
    const sized = row.size !== null;
    const key = viewKey(row.tier, row.provider, sized ? row.operation : null, row.cores);
    if (!views.has(key)) views.set(key, new Map());
    views.get(key).set(JSON.stringify([sized ? row.algorithm : `${row.algorithm} ${row.operation}`, row.size]), row);
  }

  // The interval of a ratio from those of both sides, as independent errors on the logarithmic scale.
  const held = (base, other) => {
    const floor = (figure) => figure.slice(1, 4).map((value) => Math.max(value, figure[1] / 100));
    const [b, bLow, bHigh] = floor(base), [o, oLow, oHigh] = floor(other);
    const middle = b / o;
    return [middle, middle * Math.exp(-Math.hypot(Math.log(b / bLow), Math.log(oHigh / o))),
      middle * Math.exp(Math.hypot(Math.log(bHigh / b), Math.log(o / oLow)))];
  };
  const outcome = ([, low, high]) => low <= 1 && high >= 1 ? EVEN
    : low > 1 + book.noise ? FASTER : high < 1 / (1 + book.noise) ? SLOWER : NOISE;
  const codes = (figure) => book.flags[figure[4] ?? 0];
  const mayNot = (base, other) => {
    for (const [figure, whose] of [[base, "the baseline's figure"], [other, "the box's figure"]]) {
      if (figure[6]) return `${whose} is not what it seems: ${titles(codes(figure), "unfit")}`;
    }
    if ((base[5] ?? 0) === (other[5] ?? 0)) return null;
    const [here, there] = [codes(base), codes(other)].map((list, index, all) =>
      titles(list.filter((code) => !all[1 - index].includes(code))) || "nothing such");
    return `not the same thing: baseline: ${here}; box: ${there}`;
  };
  const titles = (list, worth) => list.map((code) => book.verdicts[code] ?? ["doubt", code, ""])
    .filter(([kind]) => !worth || kind === worth).map(([, title]) => title).join("; ");
  const badge = (figure) => {
    const marked = codes(figure).map((code) => book.verdicts[code]).filter((verdict) => verdict?.[2]);
    if (!marked.length) return null;
    const worth = marked.some(([kind]) => kind === "unfit") ? "unfit" : "doubt";
    return make("span", { className: `badge ${worth}`, textContent: `${worth} ${marked.map(([, , letter]) => letter).join(" ")}` });
  };
  const shown = (row, figure) => row.octets === null ? figure[1] / 1e3 : row.octets * 8e3 / figure[1];

  let baseline = 0;
  const standingTable = document.getElementById("standing-table");

  // What stands below a figure: its ratio to the baseline, or why there is none.
  const against = (row, figure) => {
    const base = row.figures.get(baseline);
    if (figure === base) return figure[6] ? ["not compared", "even"] : ["baseline", "even"];
    if (!base) return ["no baseline", "even"];
    if (mayNot(base, figure)) return ["refused", "even"];
    const speed = held(base, figure), word = outcome(speed);
    return [`${ratioWords(speed)} ${word}`, CLASSES[word]];
  };

  // A table that is filled anew keeps its order and its filter.
  const refill = (table, headings, body) => {
    const sorted = [...table.tHead.rows[0].cells].findIndex((cell) => cell.hasAttribute("aria-sort"));
    const direction = sorted < 0 ? null : table.tHead.rows[0].cells[sorted].getAttribute("aria-sort");
    if (headings) {
      table.tHead.rows[0].replaceChildren(...headings);
      table.tBodies[0].replaceChildren(...body);
      makeSortable(table);
    } else table.tBodies[0].replaceChildren(...body);
    const heading = table.tHead.rows[0].cells[sorted];
    if (heading && direction) {
      heading.removeAttribute("aria-sort");
      const button = heading.querySelector("button");
      for (let turn = 0; turn < 2 && heading.getAttribute("aria-sort") !== direction; turn += 1) button.click();
    }
    table.parentElement.previousElementSibling?.querySelector("input[type=search]")?.dispatchEvent(new Event("input"));
  };

  // Matrices.
  const makeMatrix = (matrix) => {
    const table = document.getElementById(matrix.id);
    const down = table.dataset.boxes === "down";
    const asMade = new Map();
    const state = { view: 0, size: matrix.size };
    const cellsOf = (each) => down
      ? [...table.tBodies[0].rows].flatMap((line) => [...line.cells].slice(1).map((cell, at) => each(cell, Number(line.dataset.box), matrix.views[0].columns[at])))
      : [...table.tBodies[0].rows].flatMap((line) => [...line.cells].slice(1).map((cell, at) => each(cell, matrix.boxes[at], line.cells[0].textContent)));
    const cell = (view, column, box) => {
      const row = views.get(viewKey(...view.key))?.get(JSON.stringify([column, state.size]));
      const figure = row?.figures.get(box);
      if (baseline === 0 && state.view === 0 && state.size === matrix.size && asMade.has(`${box} ${column}`)) {
        return asMade.get(`${box} ${column}`).cloneNode(true);
      }
      const node = make("td", { className: "num", textContent: figure ? "" : "–" });
      node.dataset.sort = figure ? shown(row, figure).toPrecision(6) : -1;
      if (!figure) return node;
      const [words, className] = against(row, figure);
      node.classList.add(className);
      node.append(significant(shown(row, figure)), make("small", { textContent: words }), badge(figure) ?? "");
      return node;
    };
    const fill = (isNewView) => {
      // What the page was made with is kept when it first gives way.
      if (!asMade.size) cellsOf((node, box, column) => asMade.set(`${box} ${column}`, node.cloneNode(true)));
      const view = matrix.views[state.view];
      const name = (column) => make("code", { textContent: column });
      const heading = (content, isFirst) => {
        const node = make("th", { scope: "col", className: isFirst ? "" : "num" }, content);
        if (isFirst) node.removeAttribute("class");
        return node;
      };
      const line = (box, first, cells) => {
        const node = make("tr", {}, make("th", { scope: "row" }, first), ...cells);
        if (box !== null) node.dataset.box = box;
        if (box === baseline) node.className = "base";
        return node;
      };
      const having = matrix.boxes.filter((box) => !down || view.columns.some((column) => views.get(viewKey(...view.key))?.get(JSON.stringify([column, state.size]))?.figures.has(box)));
      const body = down
        ? having.map((box) => line(box, isolated(names[box]), view.columns.map((column) => cell(view, column, box))))
        : view.columns.map((column) => line(null, name(column), matrix.boxes.map((box) => cell(view, column, box))));
      const without = matrix.boxes.length - having.length;
      table.closest("section").querySelector(".without").textContent = without === 0 ? "" : without === 1 ? "1 box has no such figure." : `${without} boxes have no such figure.`;
      const headings = !isNewView || !down ? null
        : [heading("Box", true), ...view.columns.map((column) => heading(name(column), false))];
      refill(table, headings, body);
      const size = view.sizes.find(([value]) => value === state.size);
      table.closest("section").querySelector(".matrix-words").textContent = view.title + (size ? `, ${size[1]}` : "");
    };
    const controls = document.getElementById(`${matrix.id}-controls`);
    const sizes = make("select", {});
    const sizeLabel = make("label", {}, "Size ", sizes);
    const offer = () => {
      const view = matrix.views[state.view];
      sizes.replaceChildren(...view.sizes.map(([value, words]) => make("option", { value: JSON.stringify(value), textContent: words })));
      if (!view.sizes.some(([value]) => value === state.size)) state.size = view.size;
      sizes.value = JSON.stringify(state.size);
      sizeLabel.hidden = view.sizes.length < 2;
    };
    const choice = make("select", {}, ...matrix.views.map((view, number) => make("option", { value: number, textContent: view.title })));
    choice.addEventListener("change", () => { state.view = Number(choice.value); offer(); fill(true); });
    sizes.addEventListener("change", () => { state.size = JSON.parse(sizes.value); fill(false); });
    offer();
    const choiceLabel = make("label", {}, "Show ", choice);
    choiceLabel.hidden = matrix.views.length < 2;
    controls.append(choiceLabel, sizeLabel);
    controls.hidden = choiceLabel.hidden && sizeLabel.hidden;
    return fill;
  };

  // What a box comes to against the baseline.
  const tally = (box) => {
    const counts = { [FASTER]: 0, [SLOWER]: 0, [EVEN]: 0, [NOISE]: 0 };
    const refused = new Map();
    let low = Infinity, high = 0;
    for (const row of rows) {
      const base = row.figures.get(baseline), other = row.figures.get(box);
      if (!base || !other) continue;
      const reason = mayNot(base, other);
      if (reason) {
        refused.set(reason, [...(refused.get(reason) ?? []), row]);
        continue;
      }
      const speed = held(base, other);
      counts[outcome(speed)] += 1;
      low = Math.min(low, speed[0]);
      high = Math.max(high, speed[0]);
    }
    return { box, counts, refused, low, high };
  };
  const headline = ({ counts }) => {
    const faster = counts[FASTER], slower = counts[SLOWER];
    if (!faster && !slower) return counts[EVEN] || counts[NOISE] ? "No difference beyond noise" : "Nothing to compare";
    if (!slower) return "Faster, and nowhere slower";
    if (!faster) return "Slower, and nowhere faster";
    if (slower * 10 <= faster) return "Mostly faster, slower here and there";
    if (faster * 10 <= slower) return "Mostly slower, faster here and there";
    return "Faster here, slower there";
  };
  const differing = (box) => {
    const found = Object.keys(book.facts).filter((name) => book.facts[name].boxes[baseline] !== book.facts[name].boxes[box]);
    if (!found.length) return "the environment is the same as far as is known";
    const weighty = book.weighty.filter((name) => found.includes(name));
    const named = (weighty.length ? weighty : found).slice(0, 3), left = found.length - named.length;
    if (left) return `${named.join(", ")} and ${left} other${left > 1 ? "s" : ""} differ`;
    return `${listing(named)} ${named.length === 1 ? "differs" : "differ"}`;
  };
  const standing = (one) => {
    const number = (value) => make("td", { className: "num", textContent: value });
    const first = make("th", { scope: "row" }, isolated(names[one.box]));
    const title = book.boxes[one.box].title;
    if (title && title !== names[one.box]) first.append(" ", make("small", {}, isolated(title)));
    const refused = [...one.refused.values()].reduce((sum, list) => sum + list.length, 0);
    const span = one.high === 0 ? "–" : ratio(one.low) === ratio(one.high) ? ratio(one.low) : `${ratio(one.low)} to ${ratio(one.high)}`;
    const line = make("tr", {}, first, ...[FASTER, SLOWER, EVEN, NOISE].map((word) => number(grouped(String(one.counts[word])))),
      number(grouped(String(refused))), number(span), make("td", { className: "differs", textContent: differing(one.box) }));
    line.dataset.box = one.box;
    return line;
  };
  const refusedTable = (tallies) => {
    const lines = tallies.flatMap((one) => [...one.refused].map(([reason, list]) => {
      const examples = [...new Set(list.map((row) => `${row.algorithm} ${row.operation}`))];
      return [list.length, make("tr", {}, make("th", { scope: "row" }, isolated(names[one.box])),
        make("td", { className: "num", textContent: grouped(String(list.length)) }), make("td", { textContent: reason }),
        make("td", { textContent: examples.slice(0, 3).join(", ") + (examples.length > 3 ? ", …" : "") }))];
    })).sort((one, other) => other[0] - one[0]).map(([, line]) => line);
    if (!lines.length) return make("p", { textContent: "No two rows of the data within this page had to be kept apart." });
    return tableOf("Rows that are not held against the baseline", ["Box", "#Rows", "Why no ratio is drawn", "Such as"], lines);
  };
  const tableOf = (caption, headings, lines) => {
    const cells = headings.map((words) => make("th", { scope: "col", textContent: words.replace("#", ""), className: words.startsWith("#") ? "num" : "" }));
    const region = make("div", { className: "scroll", tabIndex: 0, role: "region", ariaLabel: caption }, make("table", {},
      make("caption", { textContent: caption }), make("thead", {}, make("tr", {}, ...cells)), make("tbody", {}, ...lines)));
    return region;
  };

  // All rows of one box against the baseline, made when they are asked for.
  const makeRows = () => {
    const section = document.getElementById("rows"), target = document.getElementById("rows-place");
    const select = make("select", {}, make("option", { value: "", textContent: "choose a box" }));
    const offer = () => {
      const before = select.value;
      select.replaceChildren(select.options[0], ...names.map((name, number) => make("option", { value: number, textContent: name })).filter((option) => Number(option.value) !== baseline));
      select.value = before === String(baseline) ? "" : before;
    };
    const fill = () => {
      target.replaceChildren();
      if (select.value === "") return;
      const box = Number(select.value);
      const lines = rows.flatMap((row) => {
        const base = row.figures.get(baseline), other = row.figures.get(box);
        if (!base || !other || mayNot(base, other)) return [];
        const speed = held(base, other), word = outcome(speed);
        const cell = (text, sort, className = "num") => {
          const node = make("td", { className, textContent: text });
          if (sort !== undefined) node.dataset.sort = sort;
          return node;
        };
        const figure = (one) => cell(row.octets === null ? duration(one[1]) : rate(shown(row, one)), one[1]);
        const size = row.size === null ? "–" : typeof row.size === "string" ? sizeWords.get(row.size) ?? row.size : `${grouped(String(row.size))} B`;
        const line = make("tr", {}, make("th", { scope: "row" }, make("code", { textContent: row.algorithm })),
          cell(row.operation + (row.cores > 1 ? `, ${row.cores} cores` : ""), undefined, ""), cell(size, row.octets ?? -1),
          cell(row.tier.replace("-", " "), undefined, ""), cell(row.provider, undefined, ""), figure(base), figure(other),
          cell(ratioWords(speed), speed[0]), cell(word, undefined, ""), cell(titles([...new Set([...codes(base), ...codes(other)])], "doubt"), undefined, ""));
        line.dataset.kind = word;
        return [line];
      });
      const region = tableOf(`${names[box]} against ${names[baseline]}: ${grouped(String(lines.length))} rows`,
        ["Algorithm", "Operation", "#Size", "Tier", "Library", `#${names[baseline]}`, `#${names[box]}`, "#Ratio", "Verdict", "Doubts"], lines);
      const table = region.querySelector("table");
      region.classList.add("tall");
      table.dataset.interactive = [SLOWER, FASTER, EVEN, NOISE].join("|");
      target.append(region);
      makeSortable(table);
      makeFilterable(table);
    };
    select.addEventListener("change", fill);
    document.getElementById("rows-controls").append(make("label", {}, "Box ", select));
    section.hidden = false;
    return () => { offer(); fill(); };
  };
  const sizeWords = new Map(book.matrices.flatMap((matrix) => matrix.views).flatMap((view) => view.sizes));

  if (place) {
    const fills = book.matrices.map(makeMatrix);
    const refillRows = makeRows();
    refillRows();
    const groups = document.getElementById("groups"), refused = document.getElementById("refused-static");
    const asMade = [standingTable.tBodies[0], groups, refused].map((node) => [...node.cloneNode(true).childNodes]);
    const references = [...document.querySelectorAll(".multiples")].map((list) => [list,
      new Map([...list.children].map((item) => [Number(item.dataset.box), item.querySelector(".line.s0")?.getAttribute("d")]))]);
    const copies = (nodes) => nodes.map((node) => node.cloneNode(true));

    const setBaseline = (number) => {
      baseline = number;
      for (const node of document.querySelectorAll(".base-name")) node.textContent = names[number];
      if (number === 0) {
        refill(standingTable, null, copies(asMade[0]));
        groups.replaceChildren(...copies(asMade[1]));
        refused.replaceChildren(...copies(asMade[2]));
      } else {
        const tallies = names.map((_, box) => box).filter((box) => box !== number).map(tally);
        refill(standingTable, null, [...tallies].sort((one, other) => (one.high === 0) - (other.high === 0)).map(standing));
        const found = new Map();
        for (const one of tallies) found.set(headline(one), [...(found.get(headline(one)) ?? []), one.box]);
        groups.replaceChildren(...[...found].sort((one, other) => other[1].length - one[1].length).map(([words, boxes]) => make("div", {},
          make("dt", { textContent: words }), make("dd", {}, ...boxes.slice(0, book.most_named).flatMap((box, at) => at ? [", ", isolated(names[box])] : [isolated(names[box])]),
            boxes.length > book.most_named ? ` and ${boxes.length - book.most_named} more` : ""))));
        refused.replaceChildren(refusedTable(tallies));
      }
      for (const mark of document.querySelectorAll(".base-mark")) mark.remove();
      document.getElementById(`card-${number}`).append(make("small", { className: "base-mark", textContent: " baseline" }));
      for (const fill of fills) fill(false);
      for (const [list, lines] of references) {
        const outline = lines.get(number);
        for (const path of list.querySelectorAll(".reference")) path.setAttribute("d", outline ?? "M0 0");
      }
      refillRows();
      note.textContent = number === 0 ? "" : `Ratios are formed in the browser, from the intervals alone${
        book.rows_left_out ? `, of the ${grouped(String(rows.length))} rows that this page carries` : ""}.`;
      announcer.textContent = `The baseline is now ${names[number]}`;
    };
    const select = make("select", { id: "baseline" }, ...names.map((name, number) => make("option", { value: number, textContent: name })));
    const note = make("output", {});
    select.addEventListener("change", () => setBaseline(Number(select.value)));
    place.append(make("label", {}, "Baseline ", select), note);
    place.hidden = false;
  }
}
