// What the viewer chooses: how much time to show, and whose top values. Kept in step with the model.

function spanChooser(el, act) {
  const field = element("fieldset", "spans", el);
  element("legend", "", field, "Time shown");
  // Radio buttons of one name exclude each other in the whole page: each view has its own.
  const group = `livestream-${Math.random()}`;
  const inputs = new Map();

  function option(name, seconds) {
    const label = element("label", "", field);
    const input = control("input", "", label);
    input.type = "radio";
    input.name = group;
    input.addEventListener("change", () => act({ do: "span", value: seconds }));
    element("span", "", label, name);
    inputs.set(seconds, input);
  }

  return function show({ spans, span }) {
    if (inputs.size === 0) for (const [name, seconds] of spans) option(name, seconds);
    inputs.get(span).checked = true;
  };
}

function columnChooser(el, act) {
  const label = element("label", "column", el, "Top values of ");
  const select = control("select", "", label);
  select.addEventListener("change", () => act({ do: "column", value: select.value }));

  return function show({ columns, column }) {
    if (select.length !== columns.length) {
      select.replaceChildren(...columns.map((name) => new Option(name, name)));
    }
    select.value = column;
  };
}

function topValues(el) {
  const list = element("ol", "values", el);
  const note = element("p", "note", el);

  function row([name, hits, share, width]) {
    const item = document.createElement("li");
    const bar = element("div", "bar", item);
    bar.style.width = `${100 * width}%`;
    const text = element("bdi", "name", item, name);
    text.title = name;
    element("span", "count", item, hits);
    element("span", "share", item, share);
    return item;
  }

  return function show({ rows, told }) {
    list.replaceChildren(...rows.map(row));
    say(note, told);
  };
}
