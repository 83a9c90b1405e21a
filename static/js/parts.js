// Parts of a page that the server sends anew while somebody looks at them.

// What says the same: each form has a token of its own, and clock times are shown in the reader's zone.
const plain = (element) =>
  element.innerHTML
    .replaceAll(/name="csrfmiddlewaretoken" value="\w+"/g, "")
    .replaceAll(/<time datetime="([^"]*)"[^>]*>[^<]*/g, "$1");

/** Leave a part alone that did not change: swapping it would cost a button its focus and close an open dialog. */
export function keepUnchanged() {
  document.body.addEventListener("htmx:oobBeforeSwap", (event) => {
    const { target, fragment } = event.detail;
    const wanted = fragment.firstElementChild;
    if (!wanted || plain(target) === plain(wanted) || target.querySelector("dialog[open]")) {
      event.detail.shouldSwap = false;
      return;
    }
    const folds = wanted.querySelectorAll("details");
    [...target.querySelectorAll("details")].forEach((fold, index) => folds[index]?.toggleAttribute("open", fold.open));
    for (const { id } of target.querySelectorAll("input:checked[id]")) {
      const again = wanted.querySelector(`[id="${id}"]`);
      if (again) again.checked = true;
    }
  });
}

const BETWEEN_ANNOUNCEMENTS = 10_000;
let announced = Date.now();
let announceTimer = null;

/** Let a screen reader say what stands in #announcement, not more often than one wants to hear it. */
export function announce() {
  const said = document.getElementById("said");
  if (announceTimer || said.textContent === document.getElementById("announcement").textContent) return;
  announceTimer = setTimeout(() => {
    announceTimer = null;
    announced = Date.now();
    said.textContent = document.getElementById("announcement").textContent;
  }, Math.max(0, BETWEEN_ANNOUNCEMENTS - (Date.now() - announced)));
}
