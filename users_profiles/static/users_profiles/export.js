/* Moves columns and shows at once, in the first rows below, what the file will look like. Without it the server does. */
(function () {
  "use strict";
  const list = document.getElementById("columns");
  const sample = document.getElementById("sample");
  const moved = document.getElementById("moved");

  const isTicked = (item) => item.querySelector('input[name="columns"]').checked;

  function show() {
    if (!sample) return;
    const names = [...list.children].map((item) => item.dataset.column);
    for (const row of sample.rows) {
      const cells = new Map([...row.cells].map((cell) => [cell.dataset.column, cell]));
      for (const name of names) row.append(cells.get(name));
    }
    for (const box of list.querySelectorAll('input[name="columns"]')) {
      for (const cell of sample.querySelectorAll(`[data-column="${box.value}"]`)) cell.hidden = !box.checked;
    }
  }

  list.addEventListener("change", show);
  list.addEventListener("click", (event) => {
    const button = event.target.closest('button[name="move"]');
    if (!button) return;
    event.preventDefault();
    const item = button.closest("li");
    const up = button.value.startsWith("up:");
    const step = (from) => (up ? from.previousElementSibling : from.nextElementSibling);
    let other = step(item);
    // Past one that is not in the file nothing would be seen to move.
    while (other && isTicked(item) && !isTicked(other)) other = step(other);
    if (!other) return;
    if (up) other.before(item);
    else other.after(item);
    button.focus(); // a node that was moved has lost it, and at an end of the list there is only the other way
    if (document.activeElement !== button) (button.nextElementSibling || button.previousElementSibling).focus();
    const told = [...list.children].filter((one) => isTicked(one) || !isTicked(item));
    const number = told.indexOf(item) + 1;
    const name = item.querySelector("label").textContent.trim();
    moved.textContent = list.dataset.moved.replace("{name}", name).replace("{number}", number);
    show();
  });
  show(); // Back and forward bring the ticks back, but not what was made of them.
})();
