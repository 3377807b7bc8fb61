// Takes a file from the person to the server, in pieces, without passing through the kernel.

const RETRIES = 6;
const PIECE = 8_000_000;

function server() {
  const config = document.getElementById("jupyter-config-data");
  if (!config) return null;
  const { baseUrl, token } = JSON.parse(config.textContent);
  return baseUrl ? { base: new URL(`${baseUrl}automl/api/`, location.href), token } : null;
}

function headers(place, language, more) {
  const all = { "Accept-Language": language, ...more };
  if (place.token) all.Authorization = `token ${place.token}`;
  const xsrf = document.cookie.match(/(?:^|; )_xsrf=([^;]*)/);
  if (xsrf) all["X-XSRFToken"] = decodeURIComponent(xsrf[1]);
  return all;
}

async function problem(answer) {
  try {
    const { message } = await answer.json();
    return new Error(message);
  } catch {
    return new Error(`${answer.status} ${answer.statusText}`);
  }
}

// Where the server wants to go on after a cut; null where it cannot say.
async function arrived(place, language, id) {
  try {
    const answer = await fetch(new URL(`uploads/${id}/`, place.base), { method: "HEAD", headers: headers(place, language) });
    return answer.ok ? Number(answer.headers.get("Upload-Offset")) : null;
  } catch {
    return null;
  }
}

async function send(place, language, file, signal, told) {
  const started = await fetch(new URL("uploads/", place.base), {
    method: "POST",
    headers: headers(place, language, { "Content-Type": "application/json" }),
    body: JSON.stringify({ filename: file.name, size: file.size }),
    signal,
  });
  if (!started.ok) throw await problem(started);
  const { id, max_piece_bytes: largest } = await started.json();
  const piece = Math.min(PIECE, largest);
  signal.addEventListener("abort", () => {
    fetch(new URL(`uploads/${id}/`, place.base), { method: "DELETE", headers: headers(place, language) });
  });
  let offset = 0;
  for (let failures = 0; ; ) {
    told(offset);
    try {
      const answer = await fetch(new URL(`uploads/${id}/`, place.base), {
        method: "PATCH",
        headers: headers(place, language, {
          "Content-Type": "application/offset+octet-stream",
          "Upload-Offset": String(offset),
        }),
        body: file.slice(offset, offset + piece),
        signal,
      });
      if (answer.status === 201) return (await answer.json()).id;
      if (answer.ok) {
        offset = (await answer.json()).offset;
        failures = 0;
        continue;
      }
      if (answer.status < 500 && answer.status !== 409) throw Object.assign(await problem(answer), { final: true });
      throw await problem(answer);
    } catch (cut) {
      if (cut.final || signal.aborted || ++failures > RETRIES) throw cut;
      await new Promise((resolve) => setTimeout(resolve, 150 * 2 ** failures));
      offset = (await arrived(place, language, id)) ?? offset;
    }
  }
}

function render({ model, el }) {
  const words = model.get("words");
  const place = server();
  const field = document.createElement("div");
  field.className = "automl-drop";
  el.append(field);
  if (!place) {
    field.textContent = words.elsewhere;
    return;
  }
  const label = document.createElement("label");
  const input = Object.assign(document.createElement("input"), { type: "file", accept: ".csv,.tsv,.txt,text/csv" });
  label.append(words.drop, " ", input);
  const bar = Object.assign(document.createElement("progress"), { max: 1, value: 0, hidden: true });
  bar.setAttribute("aria-label", words.progress);
  const stop = Object.assign(document.createElement("button"), { type: "button", textContent: words.stop, hidden: true });
  const said = document.createElement("span");
  said.setAttribute("role", "status");
  field.append(label, bar, stop, said);

  let ending = null;
  stop.addEventListener("click", () => ending?.abort());

  async function take(file) {
    if (!file || ending) return;
    ending = new AbortController();
    const size = (bytes) => (bytes / 1e6).toLocaleString(model.get("language"), { maximumFractionDigits: 1, minimumFractionDigits: 1 });
    bar.hidden = stop.hidden = false;
    field.classList.remove("trouble");
    try {
      const id = await send(place, model.get("language"), file, ending.signal, (offset) => {
        bar.value = file.size ? offset / file.size : 1;
        said.textContent = `${file.name} · ${size(offset)} / ${size(file.size)} ${words.megabytes}`;
      });
      said.textContent = `${file.name} · ${words.done}`;
      model.set("dataset_id", id);
      model.save_changes();
    } catch (reason) {
      field.classList.toggle("trouble", !ending.signal.aborted);
      said.textContent = ending.signal.aborted ? words.stopped : reason.message;
    } finally {
      ending = null;
      bar.hidden = stop.hidden = true;
      input.value = "";
    }
  }

  input.addEventListener("change", () => take(input.files[0]));
  field.addEventListener("dragover", (event) => {
    event.preventDefault();
    event.stopPropagation();
    field.classList.add("over");
  });
  field.addEventListener("dragleave", () => field.classList.remove("over"));
  field.addEventListener("drop", (event) => {
    event.preventDefault();
    event.stopPropagation();
    field.classList.remove("over");
    take(event.dataTransfer.files[0]);
  });
  const leave = watchGround(model);
  return () => {
    leave();
    ending?.abort();
  };
}

// Tells what the page looks like, at once and whenever that changes, so that charts can be read on it.
function watchGround(model) {
  const strong = matchMedia("(forced-colors: active), (prefers-contrast: more)");
  const tell = () => {
    const dark = document.body.dataset.jpThemeLight === "false";
    const ground = strong.matches && dark ? "contrast" : dark ? "dark" : "light";
    if (model.get("ground") === ground) return;
    model.set("ground", ground);
    model.save_changes();
  };
  const changes = new MutationObserver(tell);
  changes.observe(document.body, { attributes: true, attributeFilter: ["data-jp-theme-light"] });
  strong.addEventListener("change", tell);
  tell();
  return () => {
    changes.disconnect();
    strong.removeEventListener("change", tell);
  };
}

export default { render };
