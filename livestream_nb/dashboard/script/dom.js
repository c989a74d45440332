// Small means to make and change elements. All text is set as text, never as markup.

function element(tag, name, parent, text = "") {
  const made = document.createElement(tag);
  if (name) made.className = `livestream-${name}`;
  if (text) made.textContent = text;
  if (parent) parent.append(made);
  return made;
}

function say(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

function shape(path, parent) {
  const space = "http://www.w3.org/2000/svg";
  const picture = document.createElementNS(space, "svg");
  picture.setAttribute("viewBox", "-1 -1 2 2");
  picture.setAttribute("aria-hidden", "true");
  const drawn = document.createElementNS(space, "path");
  drawn.setAttribute("d", path);
  picture.append(drawn);
  parent.append(picture);
  return drawn;
}

// A control keeps its keys to itself: JupyterLab's shortcuts begin at the focused element.
function control(tag, name, parent, text = "") {
  const made = element(tag, name, parent, text);
  made.dataset.lmSuppressShortcuts = "true";
  return made;
}

function button(label, parent, act) {
  const made = control("button", "button", parent, label);
  made.type = "button";
  made.addEventListener("click", () => {
    if (made.getAttribute("aria-disabled") !== "true") act();
  });
  return made;
}

function duration(seconds) {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  if (whole < 86400) return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
  return `${Math.floor(whole / 86400)} d ${Math.floor((whole % 86400) / 3600)} h`;
}
