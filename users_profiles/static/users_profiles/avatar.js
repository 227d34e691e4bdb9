// Shows a chosen picture at once, before it is sent. Without this script the plain file input does the job.
"use strict";
{
  const part = (input, name) => input.closest("[data-avatar-input]")?.querySelector(`[data-avatar-${name}]`);
  const stored = new WeakMap(); // what each preview showed when the page came

  function enhance(input) {
    input.classList.add("visually-hidden");
    part(input, "button").hidden = false;
    const preview = part(input, "preview");
    stored.set(preview, [...preview.childNodes]);
  }

  function show(input, file) {
    const preview = part(input, "preview");
    const image = document.createElement("img");
    image.alt = "";
    image.src = URL.createObjectURL(file);
    // What a browser cannot draw is for the server to judge; the old picture stays in sight.
    image.addEventListener("error", () => restore(preview));
    image.addEventListener("load", () => URL.revokeObjectURL(image.src));
    const frame = document.createElement("span");
    frame.className = "avatar avatar-l";
    frame.append(image);
    preview.replaceChildren(frame);
  }

  function restore(preview) {
    preview.replaceChildren(...stored.get(preview));
  }

  function chosen(input) {
    const box = input.closest("[data-avatar-input]");
    const status = part(input, "status");
    const file = input.files[0];
    const tooLarge = file && file.size > Number(box.dataset.maxBytes);
    if (tooLarge) input.value = "";
    status.textContent = tooLarge ? box.dataset.tooLarge : (file?.name ?? "");
    status.classList.toggle("is-bad", Boolean(tooLarge));
    if (file && !tooLarge) {
      show(input, file);
      const remove = part(input, "remove");
      if (remove) remove.checked = false;
    } else {
      restore(part(input, "preview"));
    }
    box.classList.remove("is-leaving");
  }

  function removed(checkbox) {
    const box = checkbox.closest("[data-avatar-input]");
    const input = box.querySelector("input[type=file]");
    if (checkbox.checked) {
      input.value = "";
      restore(part(input, "preview"));
    }
    box.classList.toggle("is-leaving", checkbox.checked);
    part(input, "status").textContent = checkbox.checked ? box.dataset.willGo : "";
  }

  document.addEventListener("change", (event) => {
    if (event.target.matches("[data-avatar-input] input[type=file]")) chosen(event.target);
    if (event.target.matches("[data-avatar-remove]")) removed(event.target);
  });

  const start = () => document.querySelectorAll("[data-avatar-input] input[type=file]").forEach(enhance);
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
  else start();
}
