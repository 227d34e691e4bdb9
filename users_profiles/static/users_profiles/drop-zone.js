// A file is chosen, or dropped anywhere on the page; its name and size, and what stands against it, are said at once.
"use strict";
{
  const language = document.documentElement.lang || undefined;

  function inWords(bytes) {
    const units = ["byte", "kilobyte", "megabyte", "gigabyte"];
    const step = bytes < 1 ? 0 : Math.min(units.length - 1, Math.floor(Math.log2(bytes) / 10));
    const format = { style: "unit", unit: units[step], unitDisplay: step ? "short" : "long", maximumFractionDigits: 1 };
    return new Intl.NumberFormat(language, format).format(bytes / 1024 ** step);
  }

  function say(zone, text, bad) {
    const status = zone.querySelector("[data-drop-status]");
    status.textContent = text;
    status.classList.toggle("is-bad", Boolean(bad));
  }

  // The server has the last word about what is in a file: this only spares a long way there for nothing.
  function objection(zone, file) {
    if (file.size > Number(zone.dataset.maxBytes)) return zone.dataset.tooLarge;
    const name = file.name.toLowerCase();
    return zone.dataset.endings.split(" ").some((ending) => name.endsWith(ending)) ? "" : zone.dataset.otherKind;
  }

  function chosen(zone) {
    const file = zone.querySelector("input").files[0];
    zone.classList.toggle("is-filled", Boolean(file));
    if (!file) return say(zone, "");
    const bad = objection(zone, file);
    say(zone, `${file.name} · ${inWords(file.size)}${bad ? ` · ${bad}` : ""}`, bad);
  }

  function dropped(zone, data) {
    const input = zone.querySelector("input");
    input.value = ""; // whatever is said now is not about what was chosen before
    chosen(zone);
    if (data.files.length > 1) return say(zone, zone.dataset.several, true);
    if (data.items[0].webkitGetAsEntry?.()?.isDirectory) return say(zone, zone.dataset.folder, true);
    const one = new DataTransfer();
    one.items.add(data.files[0]);
    input.files = one.files;
    chosen(zone);
  }

  function enhance(zone) {
    const input = zone.querySelector("input");
    zone.classList.add("is-live");
    input.classList.add("visually-hidden");
    zone.querySelector("[data-drop-button]").hidden = false;
    zone.querySelector("[data-drop-hint]").hidden = !matchMedia("(hover: hover)").matches; // a finger drags no file
    input.addEventListener("change", () => chosen(zone));
    if (input.files.length) chosen(zone); // the browser has kept it over Back

    const files = (event) => event.dataTransfer.types.includes("Files");
    document.addEventListener("dragover", (event) => {
      if (!files(event)) return;
      event.preventDefault(); // or the browser leaves the page to show the file
      zone.classList.add("is-target");
    });
    document.addEventListener("dragleave", (event) => {
      if (!event.relatedTarget) zone.classList.remove("is-target");
    });
    document.addEventListener("drop", (event) => {
      if (!files(event)) return;
      event.preventDefault();
      zone.classList.remove("is-target");
      dropped(zone, event.dataTransfer);
    });
  }

  document.querySelectorAll("[data-drop-zone]").forEach(enhance);
}
