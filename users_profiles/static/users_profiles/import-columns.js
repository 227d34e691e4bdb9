/* Keeps the mark beside a column true to what is chosen for it. */
(function () {
  "use strict";
  const chips = {
    chosen: document.getElementById("chip-chosen").content,
    ignored: document.getElementById("chip-ignored").content,
  };

  for (const cell of document.querySelectorAll("[data-origin]")) {
    const select = cell.parentElement.querySelector("select");
    const first = select.value;
    const mark = document.createDocumentFragment();
    mark.append(...[...cell.childNodes].map((node) => node.cloneNode(true)));
    select.addEventListener("change", function () {
      const chip = select.value === first ? mark : select.value ? chips.chosen : chips.ignored;
      cell.replaceChildren(chip.cloneNode(true));
    });
  }
})();
