// Sends a file in pieces, each behind the last one that the server has: a dropped connection or a closed page costs one.

const FIRST_WAIT = 500;
const LONGEST_WAIT = 30_000;
const BETWEEN_WORDS = 500;

const page = document.getElementById("sending");
const words = JSON.parse(document.getElementById("words").textContent);
const pieceBytes = Number(page.dataset.piece);
const form = document.getElementById("upload-form");
const resume = document.getElementById("resume-form");
const input = document.getElementById("id_file");
const testInput = document.getElementById("id_test");
const drop = document.getElementById("drop");
const token = document.querySelector("[name=csrfmiddlewaretoken]").value;

const number = new Intl.NumberFormat(document.documentElement.lang, { minimumFractionDigits: 1, maximumFractionDigits: 1 });
const megabytes = (bytes) => number.format(bytes / 1e6);
const size = (bytes) => (bytes < 1e6 ? `${number.format(bytes / 1e3)} kB` : `${megabytes(bytes)} MB`);
const fill = (text, values) => text.replace(/\{(\w+)\}/g, (place, name) => values[name] ?? place);

let sending = false;
addEventListener("beforeunload", (event) => {
  if (sending) event.preventDefault();
});

/** Say what is wrong above the form, and let it have the focus; a problem is {field, label, sentence}. */
function refuse(problems) {
  const box = document.getElementById("problems");
  const list = problems.map(({ field, label, sentence }) => {
    const item = document.createElement("li");
    if (field) {
      item.append(Object.assign(document.createElement("a"), { href: `#${field}`, textContent: label }), ": ");
    }
    item.append(sentence);
    return item;
  });
  box.querySelector("ul").replaceChildren(...list);
  box.hidden = false;
  box.focus();
  for (const field of document.querySelectorAll("[aria-invalid]")) field.removeAttribute("aria-invalid");
  for (const { field } of problems) if (field) document.getElementById(field)?.setAttribute("aria-invalid", "true");
}

const pause = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));

/** Ask until there is an answer: the network may be away for a while. */
async function persist(ask, show) {
  for (let failures = 0; ; failures++) {
    const answer = await ask().catch(() => null);
    // A proxy without its server says 502 to 504; a full disk is 507, and no reason to ask again.
    if (answer && !(answer.status >= 502 && answer.status <= 504)) return answer;
    show(words.retry);
    await pause(Math.min(LONGEST_WAIT, FIRST_WAIT * 2 ** failures) * (0.5 + Math.random() / 2));
  }
}

/** Send what the server does not have yet of a file, or of two as if they were one, then go to the page that follows. */
async function send(files, state) {
  const file = new Blob(files);
  sending = true;
  page.hidden = false;
  const bar = page.querySelector("progress");
  const line = page.querySelector("[data-line]");
  bar.max = file.size;
  const show = (text) => (line.textContent = text);
  const began = performance.now();
  const first = state.received;
  let said = 0;
  let at = state.received;
  while (at < file.size) {
    bar.value = at;
    if (performance.now() - said > BETWEEN_WORDS) {
      said = performance.now();
      const rate = (at - first) / Math.max(0.5, (said - began) / 1000);
      show(fill(words.sending, { done: size(at), total: size(file.size), rate: size(rate) }));
    }
    const piece = file.slice(at, at + pieceBytes);
    const headers = { "X-CSRFToken": token, "Content-Type": "application/octet-stream" };
    const answer = await persist(() => fetch(`${state.pieces}?offset=${at}`, { method: "POST", body: piece, headers }), show);
    const told = await answer.json().catch(() => ({}));
    if (answer.ok || answer.status === 409) {
      if (told.status !== "receiving") break;
      // Somebody else may be sending the same file, or this piece came twice: the server knows how far it is.
      if (answer.status === 409) await pause(FIRST_WAIT);
      at = told.received;
    } else {
      break;
    }
  }
  bar.value = at;
  sending = false;
  location.assign(state.page);
}

async function begin(event) {
  const file = input.files[0];
  if (!file) return;
  event.preventDefault();
  const asked = new FormData(form);
  const test = testInput.files[0];
  for (const name of ["file", "test"]) asked.delete(name);
  asked.set("file_name", file.name);
  asked.set("size", file.size);
  if (test) {
    asked.set("test_name", test.name);
    asked.set("test_size", test.size);
  }
  const button = form.querySelector("[data-send]");
  button.disabled = true;
  drop.classList.remove("over");
  const answer = await fetch(form.action, { method: "POST", body: asked, headers: { "X-Pieces": "yes" } }).catch(() => null);
  button.disabled = false;
  const told = await answer?.json().catch(() => null);
  if (!told) return refuse([{ sentence: words.retry }]);
  if (!answer.ok) return refuse(told.problems);
  // Whoever loads the page again while it is sent finds the upload, and can go on.
  history.replaceState(null, "", told.page);
  document.getElementById("problems").hidden = true;
  form.hidden = true;
  page.querySelector("[data-name]").textContent = file.name;
  page.focus();
  page.scrollIntoView({ block: "nearest" });
  await send(test ? [file, test] : [file], told);
}

async function goOn(event) {
  event.preventDefault();
  const file = input.files[0];
  const state = JSON.parse(document.getElementById("state").textContent);
  if (!file) return;
  const begun = [[file, state.fileName, state.fileSize]];
  if (state.testName) begun.push([testInput.files[0], state.testName, state.size - state.fileSize]);
  for (const [chosen, name, bytes] of begun) {
    if (chosen?.size !== bytes || chosen.name !== name) {
      return refuse([{ sentence: fill(words.other, { name, size: size(bytes) }) }]);
    }
  }
  document.getElementById("problems").hidden = true;
  resume.hidden = true;
  const answer = await persist(() => fetch(state.pieces), () => {});
  await send(begun.map(([chosen]) => chosen), await answer.json());
}

/** Choose the kind that the file's ending says, and show what was chosen. */
function recognise() {
  const file = input.files[0];
  if (!file) return;
  drop.querySelector("[data-chosen]").textContent = size(file.size);
  const ending = file.name.toLowerCase().match(/\.\w+$/)?.[0] ?? "";
  const kind = form?.querySelector(`[name=kind][data-ending="${ending}"]`);
  if (kind) kind.checked = true;
}

input.addEventListener("change", recognise);
form?.addEventListener("submit", begin);
resume?.addEventListener("submit", goOn);
drop.addEventListener("dragover", (event) => {
  event.preventDefault();
  drop.classList.add("over");
});
for (const end of ["dragleave", "drop"]) drop.addEventListener(end, () => drop.classList.remove("over"));
drop.addEventListener("drop", (event) => {
  event.preventDefault();
  if (!event.dataTransfer.files.length) return;
  input.files = event.dataTransfer.files;
  recognise();
});
recognise();
