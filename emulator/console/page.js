// Parts of the page. Text of the services is only ever set as text, never as HTML.

const UNITS = ["B", "kB", "MB", "GB", "TB"];

/** Returns a new element; `properties` are attributes but for `onclick` and other functions. */
export function element(name, properties = {}, ...children) {
  const created = document.createElement(name);
  for (const [property, value] of Object.entries(properties)) {
    if (typeof value === "function") created[property] = value;
    else if (value !== undefined && value !== false) created.setAttribute(property, value === true ? "" : value);
  }
  created.append(...children);
  return created;
}

export function size(bytes) {
  let value = Number(bytes ?? 0), unit = 0;
  for (; value >= 1000 && unit < UNITS.length - 1; unit++) value /= 1000;
  return `${unit ? value.toFixed(1) : value} ${UNITS[unit]}`;
}

function row(cells, key) {
  const cell = (value) => element("td", typeof value === "number" ? { class: "number" } : {},
    typeof value === "number" ? value.toLocaleString("en") : value ?? "");
  return element("tr", { "data-key": key }, ...cells.map(cell));
}

/** Puts rows into a table; a row that is there keeps the cells that have not changed, and with them the focus. */
function replaceRows(body, rows) {
  const present = new Map([...body.rows].map((one) => [one.dataset.key, one]));
  rows.forEach((fresh, index) => {
    const old = present.get(fresh.dataset.key);
    const kept = old?.cells.length === fresh.cells.length ? old : fresh;
    if (kept === old) {
      [...fresh.cells].forEach((cell, column) => {
        if (!old.cells[column].isEqualNode(cell)) old.cells[column].replaceWith(cell);
      });
    }
    if (body.rows[index] !== kept) body.insertBefore(kept, body.rows[index] ?? null);
  });
  while (body.rows.length > rows.length) body.lastElementChild.remove();
}

/** A part of the page with a heading, a table or more, and its own errors. */
export class Section {
  constructor(name, title) {
    this.heading = element("h2", { id: `${name}-title`, tabindex: "-1" }, title);
    this.alert = element("p", { role: "alert", hidden: true });
    this.status = element("p", { role: "status" });
    const properties = { id: `${name}-section`, "aria-labelledby": this.heading.id };
    this.root = element("section", properties, this.heading, this.alert, this.status);
    this.name = name;
    this.tables = new Map();
  }

  append(...parts) {
    this.root.append(...parts);
  }

  /** Returns the table of a name, which is also its element's id; the first call adds it to the section. */
  table(name = this.name, label = this.heading.id) {
    let table = this.tables.get(name);
    if (!table) {
      table = element("table", { id: name, "aria-labelledby": label }, element("thead"), element("tbody"));
      this.tables.set(name, table);
      this.append(element("div", { class: "scroll" }, table));
    }
    return table;
  }

  /**
   * Shows rows. A cell is text, a number or an element; `key` of a row is what stays the same when the others change.
   */
  fill(titles, rows, empty, table = this.table()) {
    const isNumber = (column) => rows.length > 0 && rows.every((cells) => typeof cells[column] === "number");
    const heads = titles.map((title, column) => element("th", { scope: "col", class: isNumber(column) && "number" }, title));
    const head = element("tr", {}, ...heads);
    if (!table.tHead.firstElementChild?.isEqualNode(head)) table.tHead.replaceChildren(head);
    const none = element("tr", {}, element("td", { colspan: titles.length }, empty));
    replaceRows(table.tBodies[0], rows.length ? rows.map((cells, index) => row(cells, cells.key ?? index)) : [none]);
  }

  /** Removes what the section shows of a project. */
  clear() {
    this.alert.hidden = true;
    this.status.textContent = "";
    for (const table of this.tables.values()) table.tBodies[0].replaceChildren();
  }

  /** Shows the section and moves the focus to its heading, for a person who asked for it. */
  open(title) {
    this.heading.textContent = title;
    this.root.hidden = false;
    this.heading.focus();
    this.root.scrollIntoView();
  }

  /** Adds a place for the text of one item; it is hidden until `show` is called, which moves the focus there. */
  reader(name) {
    const heading = element("h3", { id: `${name}-title`, tabindex: "-1" });
    const text = element("pre", { id: name, tabindex: "0", "aria-labelledby": heading.id });
    const root = element("div", { hidden: true }, heading, text);
    this.append(root);
    return {
      hide: () => { root.hidden = true; },
      show: (title, content) => {
        heading.textContent = title;
        text.textContent = content;
        root.hidden = false;
        heading.focus();
      },
    };
  }

  /** Runs an action, and shows its error instead of leaving old content without a word. */
  async attempt(action) {
    this.alert.hidden = true;
    try {
      return await action();
    } catch (error) {
      if (error.name === "AbortError") return undefined;
      // A project that does not use an API is not in trouble.
      const place = error.isDisabled ? this.status : this.alert;
      place.textContent = error.message;
      place.hidden = false;
    }
  }

  /** Returns a button that runs an action of this section; `label` names it where its text alone does not. */
  button(text, label, action) {
    return element("button", { type: "button", "aria-label": label, onclick: () => this.attempt(action) }, text);
  }
}
