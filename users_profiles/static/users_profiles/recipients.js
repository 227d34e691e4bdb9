// Finds staff in the list of recipients, or among the hundreds that are not in it. Ticked people always stay.
(function () {
  "use strict";
  const box = document.querySelector(".find-staff");
  const input = document.getElementById("find-staff");
  const list = document.getElementById("recipients");
  const others = document.getElementById("others");
  const said = document.getElementById("found-staff");
  let asked = 0;

  const isTicked = (label) => label.querySelector("input").checked;

  function say(count) {
    said.textContent = input.value.trim() && !count ? box.dataset.none : "";
  }

  function narrow() {
    const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
    let count = 0;
    for (const label of list.children) {
      const text = label.textContent.toLowerCase();
      const fits = words.every((word) => text.includes(word));
      label.hidden = !fits && !isTicked(label);
      count += fits;
    }
    say(count);
  }

  function labelOf(person) {
    const label = document.createElement("label");
    const tick = document.createElement("input");
    label.className = "choice";
    Object.assign(tick, { type: "checkbox", name: "recipients", value: person.key });
    label.append(tick, " ", person.label);
    return label;
  }

  async function ask() {
    const mine = ++asked;
    const answer = await fetch(`${box.dataset.find}?${new URLSearchParams({ q: input.value })}`);
    if (mine !== asked || !answer.ok) return; // somebody has typed on, or is signed out
    const { staff } = await answer.json();
    for (const label of [...list.children]) if (!isTicked(label)) label.remove();
    const kept = new Set([...list.querySelectorAll("input")].map((tick) => tick.value));
    for (const person of staff) if (!kept.has(String(person.key))) list.append(labelOf(person));
    say(staff.length);
  }

  box.hidden = false;
  if (others && !others.querySelector("input").value) others.hidden = true;
  input.addEventListener("input", box.dataset.find ? ask : narrow);
  input.addEventListener("keydown", (event) => {
    if (event.key === "Enter") event.preventDefault(); // it would save the report
  });
  if (box.dataset.find) ask();
})();
