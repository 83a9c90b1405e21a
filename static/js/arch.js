// The server draws a network; here one drawing is moved into the next, and the arrow keys walk through it.

const LAYERS = ["frames", "edges", "labels", "nodes"];
const LEAVING = 450;
const FLASH = 1500;
const ARROWS = { ArrowDown: [0, 1], ArrowUp: [0, -1], ArrowLeft: [-1, 0], ArrowRight: [1, 0] };

/** Change the drawing `current` into `next`, element by element by its data-key, so that styles animate and focus stays. */
export function morph(current, next) {
  for (const name of ["viewBox", "width", "height", "style"]) current.setAttribute(name, next.getAttribute(name));
  for (const name of ["title", "desc"]) current.querySelector(name).textContent = next.querySelector(name).textContent;
  for (const name of LAYERS) morphLayer(current.querySelector(`g.${name}`), next.querySelector(`g.${name}`));
  if (!current.querySelector('.node[tabindex="0"]')) current.querySelector(".node")?.setAttribute("tabindex", "0");
}

function morphLayer(current, next) {
  const left = new Map([...current.children].map((element) => [element.dataset.key, element]));
  let before = null;
  for (const wanted of [...next.children]) {
    const found = left.get(wanted.dataset.key);
    left.delete(wanted.dataset.key);
    const element = found ?? enter(wanted);
    if (found) change(found, wanted);
    // Reading order is document order; moving an element would cost it the focus, so only strays are moved.
    if (element.previousElementSibling !== before && !element.contains(document.activeElement)) {
      current.insertBefore(element, before ? before.nextSibling : current.firstChild);
    }
    before = element;
  }
  for (const gone of left.values()) {
    delete gone.dataset.key;
    gone.setAttribute("tabindex", "-1");
    gone.classList.add("leave");
    setTimeout(() => gone.remove(), LEAVING);
  }
}

function enter(wanted) {
  const element = document.importNode(wanted, true);
  if (element.hasAttribute("tabindex")) element.setAttribute("tabindex", "-1");
  element.classList.add("enter");
  requestAnimationFrame(() => requestAnimationFrame(() => element.classList.remove("enter")));
  return element;
}

function change(element, wanted) {
  for (const { name, value } of wanted.attributes) {
    if (name !== "tabindex" && element.getAttribute(name) !== value) element.setAttribute(name, value);
  }
  element.classList.remove("leave");
  if (element.innerHTML === wanted.innerHTML) return;
  const renamed = element.textContent !== wanted.textContent;
  element.replaceChildren(...[...wanted.childNodes].map((child) => document.importNode(child, true)));
  if (!renamed || !element.classList.contains("node")) return;
  element.classList.add("flash");
  setTimeout(() => element.classList.remove("flash"), FLASH);
}

/** Let the arrow keys move the one tab stop to the nearest node in that direction. */
export function walk(box) {
  box.addEventListener("keydown", (event) => {
    const direction = ARROWS[event.key];
    const node = event.target.closest?.(".node");
    if (!direction || !node) return;
    event.preventDefault();
    const next = nearest(node, [...box.querySelectorAll(".node:not(.leave)")], direction);
    if (!next) return;
    node.setAttribute("tabindex", "-1");
    next.setAttribute("tabindex", "0");
    next.focus();
    next.scrollIntoView({ block: "nearest", inline: "nearest" });
  });
}

function nearest(node, others, [dx, dy]) {
  const [x, y] = centre(node);
  let best = null;
  let least = Infinity;
  for (const other of others) {
    const [ox, oy] = centre(other);
    const along = (ox - x) * dx + (oy - y) * dy;
    const across = Math.abs((ox - x) * dy) + Math.abs((oy - y) * dx);
    const cost = along + 2 * across;
    if (other !== node && along > 4 && cost < least) [best, least] = [other, cost];
  }
  return best;
}

function centre(node) {
  const box = node.getBoundingClientRect();
  return [box.x + box.width / 2, box.y + box.height / 2];
}
