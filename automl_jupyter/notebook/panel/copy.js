// Copies an action of the panel as text that runs elsewhere.

// JupyterLab takes Enter, arrows and letters for itself, unless what has the focus says that it needs them.
// Those with Ctrl stay its own, so that a notebook can be saved from here.
function keepKeys(el) {
  const guard = (event) => {
    const panel = el.closest(".automl-panel");
    if (!panel?.contains(event.target)) return;
    const itsOwn = event.ctrlKey || event.metaKey || event.altKey;
    event.target.toggleAttribute("data-lm-suppress-shortcuts", !itsOwn);
  };
  // Before JupyterLab, which listens on the document.
  window.addEventListener("keydown", guard, true);
  return () => window.removeEventListener("keydown", guard, true);
}

async function copy(text) {
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  // Without TLS, on another host than this one, browsers have the old way alone.
  const area = Object.assign(document.createElement("textarea"), { value: text });
  document.body.append(area);
  area.select();
  document.execCommand("copy");
  area.remove();
}

function render({ model, el }) {
  const words = model.get("words");
  const row = document.createElement("div");
  row.className = "automl-copy";
  row.setAttribute("role", "group");
  row.setAttribute("aria-label", words.label);
  const said = document.createElement("span");
  said.setAttribute("role", "status");
  el.append(row);

  function draw() {
    const snippets = Object.entries(model.get("snippets"));
    row.replaceChildren(words.copy, " ");
    row.hidden = snippets.length === 0;
    for (const [kind, text] of snippets) {
      const button = Object.assign(document.createElement("button"), { type: "button", textContent: kind, title: text });
      button.addEventListener("click", async () => {
        await copy(text);
        model.set("copied", kind);
        model.save_changes();
        said.textContent = words.done;
      });
      row.append(button, " ");
    }
    said.textContent = "";
    row.append(said);
  }

  draw();
  model.on("change:snippets", draw);
  return keepKeys(el);
}

export default { render };
