// What a page can do beyond being read: sort, filter, compare, copy, and be light or dark. Nothing is fetched.
"use strict";
(() => {
  const root = document.documentElement;
  const THEME = "artreg-theme";
  const byId = (id) => document.getElementById(id);
  const make = (tag, properties = {}, ...children) => {
    const element = Object.assign(document.createElement(tag), properties);
    element.append(...children);
    return element;
  };
  const memory = {
    get() { try { return localStorage.getItem(THEME); } catch { return null; } },
    set(theme) { try { localStorage.setItem(THEME, theme); } catch { /* a page from a disk may have none */ } },
  };
  const chosen = memory.get();
  if (chosen === "light" || chosen === "dark") root.dataset.theme = chosen;
  root.classList.add("js");

  function theme() {
    const button = byId("theme");
    const dark = matchMedia("(prefers-color-scheme: dark)");
    const show = () => {
      const on = root.dataset.theme ? root.dataset.theme === "dark" : dark.matches;
      button.setAttribute("aria-pressed", String(on));
    };
    button.addEventListener("click", () => {
      root.dataset.theme = button.getAttribute("aria-pressed") === "true" ? "light" : "dark";
      memory.set(root.dataset.theme);
      show();
    });
    dark.addEventListener("change", show);
    show();
    button.hidden = false;
  }

  // ---- tables ----
  const textIn = (cell) => (cell.dataset.sort ?? cell.textContent).trim();
  function numberIn(cell) {
    const number = Number.parseFloat(textIn(cell).replaceAll(",", ""));
    return Number.isNaN(number) ? null : number;
  }
  const SIGNS = {
    ">": (a, b) => a > b, "<": (a, b) => a < b, "=": (a, b) => a === b, ">=": (a, b) => a >= b, "<=": (a, b) => a <= b,
  };
  function sortable(table) {
    const body = table.tBodies[0];
    const rows = [...body.rows];
    const place = new Map(rows.map((row, number) => [row, number]));
    const heads = [...table.tHead.rows[0].cells];
    heads.forEach((head) => {
      if (!head.dataset.type) return;
      const button = make("button", { type: "button", className: "sort", textContent: head.textContent });
      head.replaceChildren(button);
      head.setAttribute("aria-sort", "none");
      button.addEventListener("click", () => sort(head));
    });
    const first = heads.find((head) => head.dataset.type === "place");
    if (first) first.setAttribute("aria-sort", "descending");

    function key(row, index, type) {
      if (type === "place") return -place.get(row);
      const cell = row.cells[index];
      return type === "number" ? numberIn(cell) : textIn(cell).toLowerCase();
    }
    function sort(head) {
      const now = head.getAttribute("aria-sort");
      const start = head.dataset.first ?? "ascending";
      const order = now === "none" ? start : now === "ascending" ? "descending" : "ascending";
      heads.forEach((other) => other.hasAttribute("aria-sort") && other.setAttribute("aria-sort", "none"));
      head.setAttribute("aria-sort", order);
      const sign = order === "ascending" ? 1 : -1;
      const index = head.cellIndex;
      const keys = new Map(rows.map((row) => [row, key(row, index, head.dataset.type)]));
      const empty = (value) => value === null || value === "";
      const sorted = rows.toSorted
        ? rows.toSorted(compare) : [...rows].sort(compare);
      function compare(one, other) {
        const [a, b] = [keys.get(one), keys.get(other)];
        if (empty(a) || empty(b)) return empty(a) - empty(b) || place.get(one) - place.get(other);
        if (a === b) return place.get(one) - place.get(other);
        return sign * (typeof a === "string" ? a.localeCompare(b, "en", { numeric: true }) : a - b);
      }
      body.append(...sorted);
    }
    return rows;
  }

  const STATES = {
    all: () => true,
    aliased: (row) => "aliases" in row.dataset,
    usable: (row) => !("yanked" in row.dataset) && !("damaged" in row.dataset),
    yanked: (row) => "yanked" in row.dataset,
    damaged: (row) => "damaged" in row.dataset,
  };
  function filterable(table, rows) {
    const filter = byId("filter");
    const state = byId("state");
    if (!filter) return;
    const columns = new Map([...table.tHead.rows[0].cells]
      .filter((head) => head.dataset.type === "number")
      .map((head) => [head.textContent.toLowerCase(), head.cellIndex]));
    const texts = new Map();
    const textOf = (row) => {
      if (!texts.has(row)) texts.set(row, row.textContent.toLowerCase());
      return texts.get(row);
    };
    const noun = table.dataset.noun;
    // A word is looked for in a row's text; one such as roc_auc>=0.85 is held against the row's figure.
    const wish = (word) => {
      const [, name, sign, bound] = word.match(/^(.+?)(>=|<=|>|<|=)(.*)$/) ?? [];
      if (!columns.has(name)) return (row) => textOf(row).includes(word);
      const index = columns.get(name);
      const limit = Number(bound);
      if (bound === "" || Number.isNaN(limit)) return () => true; // somebody is still typing
      return (row) => {
        const figure = numberIn(row.cells[index]);
        return figure !== null && SIGNS[sign](figure, limit);
      };
    };
    const apply = () => {
      const wishes = filter.value.toLowerCase().split(/\s+/).filter(Boolean).map(wish);
      const wanted = STATES[state ? state.value : "all"];
      let shown = 0;
      rows.forEach((row) => {
        row.hidden = !(wanted(row) && wishes.every((met) => met(row)));
        shown += row.hidden ? 0 : 1;
      });
      byId("shown").textContent = `${shown.toLocaleString("en")} of ${rows.length.toLocaleString("en")} ${noun}`;
    };
    filter.addEventListener("input", apply);
    state?.addEventListener("change", apply);
    filter.closest(".tools").hidden = false;
    apply();
  }

  function pickable(table, rows) {
    const bar = byId("compare-bar");
    if (!bar || rows.length < 2) return;
    const head = make("th", { scope: "col", className: "picks", textContent: "Compare" });
    table.tHead.rows[0].append(head);
    rows.forEach((row) => {
      const box = make("input", { type: "checkbox", className: "pick" });
      box.setAttribute("aria-label", `Compare ${row.dataset.version}`);
      row.append(make("td", { className: "picks" }, box));
    });
    const link = byId("compare-link");
    const page = link.getAttribute("href");
    const picked = [];
    table.addEventListener("change", (event) => {
      if (!event.target.classList.contains("pick")) return;
      const row = event.target.closest("tr");
      if (event.target.checked) picked.push(row);
      else picked.splice(picked.indexOf(row), 1);
      if (picked.length > 2) picked.shift().querySelector(".pick").checked = false;
      bar.hidden = picked.length === 0;
      link.hidden = picked.length < 2;
      const ordered = [...picked].sort((one, other) => rows.indexOf(other) - rows.indexOf(one));
      const names = ordered.map((one) => one.dataset.version);
      byId("picked").textContent = picked.length < 2 ? `${names[0] ?? ""}: pick another version` : names.join(" and ");
      link.href = `${page}#${names.join("...")}`;
    });
  }

  // ---- copying ----
  function copyable() {
    document.querySelectorAll(".command").forEach((block) => {
      const button = make("button", { type: "button", className: "copy", textContent: "Copy" });
      const text = block.querySelector("code").textContent;
      button.setAttribute("aria-label", `Copy: ${text}`);
      button.addEventListener("click", async () => {
        let done = true;
        try { await navigator.clipboard.writeText(text); } catch { done = false; }
        if (!done) {
          getSelection().selectAllChildren(block.querySelector("code"));
          try { done = document.execCommand("copy"); } catch { done = false; }
        }
        button.textContent = done ? "Copied" : "Selected";
        setTimeout(() => { button.textContent = "Copy"; }, 2000);
      });
      block.append(button);
    });
  }

  // ---- two versions side by side ----
  function comparing() {
    const source = byId("compare-data");
    if (!source) return;
    const told = JSON.parse(source.textContent);
    const versions = new Map(told.versions.map((version) => [version.version, version]));
    const before = byId("before");
    const after = byId("after");
    const only = byId("only-differences");
    const title = (version) => {
      const marks = [...version.aliases, ...(version.yanked ? ["yanked"] : []), ...(version.damaged ? ["damaged"] : [])];
      return marks.length ? `${version.version} (${marks.join(", ")})` : version.version;
    };
    [before, after].forEach((select) => {
      select.append(...told.versions.map((version) => make("option", { value: version.version, textContent: title(version) })));
    });

    function fromAddress() {
      let text = location.hash.slice(1);
      try { text = decodeURIComponent(text); } catch { /* as it is */ }
      const [one, other] = text.split("...");
      const with_ = (alias) => told.versions.find((version) => version.aliases.includes(alias))?.version;
      const newest = told.versions[0].version;
      const second = told.versions[1].version;
      const start = with_("prod") ?? with_("staging") ?? second;
      before.value = versions.has(one) ? one : start === newest ? second : start;
      after.value = versions.has(other) ? other : newest;
    }
    const entries = (version, section) =>
      new Map(told.sections[version.sections[section]].map((leaf) => told.leaves[leaf]));
    const number = (value) => (Number.isInteger(value) ? value.toLocaleString("en") : String(Number(value.toPrecision(6))));
    const shown = (value) => {
      if (value === undefined || value === null) return make("span", { className: "none", textContent: "none" });
      return typeof value === "number" ? number(value) : String(value);
    };
    function note(name, key, one, other) {
      if (typeof one !== "number" || typeof other !== "number" || one === other) return "";
      const moved = other - one;
      const text = (moved > 0 ? "+" : "") + number(Number.isInteger(moved) ? moved : Number(moved.toPrecision(3)));
      if (name !== "metrics" || !(key in told.better)) return text;
      const good = (moved > 0) === told.better[key];
      return make("span", { className: good ? "good" : "bad", textContent: `${text} ${good ? "better" : "worse"}` });
    }
    function table(name, heads, rows) {
      const caption = make("caption", { className: "sr", textContent: `${name}, ${heads[1]} and ${heads[2]}` });
      const head = make("tr", {}, ...heads.map((text) => make("th", { scope: "col", textContent: text })));
      const element = make("table", { className: "compare" }, caption, make("thead", {}, head), make("tbody", {}, ...rows));
      element.dataset.section = name;
      const box = make("div", { className: "scroll", tabIndex: 0 }, element);
      box.setAttribute("role", "region");
      box.setAttribute("aria-label", `Table of ${name}`);
      return make("section", {}, make("h2", { textContent: name[0].toUpperCase() + name.slice(1) }), box);
    }
    function section(name, index, one, other) {
      const [first, second] = [entries(one, index), entries(other, index)];
      const keys = [...new Set([...first.keys(), ...second.keys()])];
      const rows = keys.map((key) => {
        const [a, b] = [first.get(key) ?? null, second.get(key) ?? null];
        const differs = a !== b;
        const row = make("tr", { className: differs ? "changed" : "same" },
          make("th", { scope: "row", textContent: key }), make("td", {}, shown(a)), make("td", {}, shown(b)),
          make("td", {}, note(name, key, a, b)));
        return { row, differs };
      });
      const count = rows.filter((one_) => one_.differs).length;
      const kept = rows.filter((one_) => one_.differs || !only.checked).map((one_) => one_.row);
      return { count, element: kept.length ? table(name, ["What", one.version, other.version, "Change"], kept) : null };
    }
    function drift(one, other) {
      if (!one.data || !other.data || one.data === other.data) return null;
      const columns = told.drift[`${one.data} ${other.data}`];
      const command = `artreg drift ${told.model}@${one.version} ${told.model}@${other.version}`;
      if (!columns) {
        return make("section", {}, make("h2", { textContent: "Drift of the data" }),
          make("p", { className: "quiet" }, "This page does not hold it: ", make("code", { textContent: command })));
      }
      if (!columns.length) {
        return make("section", {}, make("h2", { textContent: "Drift of the data" }),
          make("p", { className: "quiet", textContent: "Not known: a profile does not hold the values of its columns." }));
      }
      const kept = columns.filter((column) => !only.checked || column.word === "drifted" || column.word === "shifted");
      if (!kept.length) return null;
      const tones = { drifted: "bad", shifted: "warn", stable: "good" };
      const rows = kept.map((column) => make("tr", {},
        make("th", { scope: "row", textContent: column.target ? `${column.column} (target)` : column.column }),
        make("td", { textContent: column.psi === null ? "-" : column.psi.toFixed(4) }),
        make("td", { className: tones[column.word] ?? "none", textContent: column.word }),
        make("td", { textContent: column.missing.map((share) => `${(share * 100).toFixed(1)} %`).join(" → ") })));
      return table("drift of the data", ["Column", "PSI", "Verdict", "Missing"], rows);
    }
    function show() {
      const [one, other] = [versions.get(before.value), versions.get(after.value)];
      const parts = told.names.map((name, index) => section(name, index, one, other));
      const count = parts.reduce((sum, part) => sum + part.count, 0);
      const link = (version) => make("a", { className: "version", href: version.page, textContent: title(version) });
      const lead = make("p", { className: "lead" }, link(one), " and ", link(other));
      const same = count === 0 ? [make("p", { className: "empty", textContent: "They do not differ in anything that is recorded." })] : [];
      const command = make("p", { className: "quiet" }, "The first part in which the models differ: ",
        make("code", { textContent: `artreg diff ${told.model}@${one.version} ${told.model}@${other.version}` }));
      const elements = parts.map((part) => part.element);
      elements.splice(5, 0, drift(one, other));
      byId("comparison").replaceChildren(lead, ...same, ...elements.filter(Boolean), command);
      byId("said").textContent = count === 1 ? "1 difference" : `${count.toLocaleString("en")} differences`;
    }
    const changed = () => {
      history.replaceState(null, "", `#${before.value}...${after.value}`);
      show();
    };
    [before, after].forEach((select) => select.addEventListener("change", changed));
    only.addEventListener("change", show);
    byId("swap").addEventListener("click", () => {
      [before.value, after.value] = [after.value, before.value];
      changed();
    });
    addEventListener("hashchange", () => { fromAddress(); show(); });
    byId("choice").hidden = false;
    fromAddress();
    show();
  }

  addEventListener("DOMContentLoaded", () => {
    theme();
    document.querySelectorAll("table[data-noun]").forEach((table) => {
      const rows = sortable(table);
      filterable(table, rows);
      pickable(table, rows);
    });
    copyable();
    comparing();
  });
})();
